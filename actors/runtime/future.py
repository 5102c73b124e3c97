"""Future: one answer, given once, awaited from threads and from event loops alike."""

import asyncio
import threading
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from .errors import AskTimeoutError, UsageError
from .log import Log

Value = TypeVar("Value")
_PENDING = object()
_log = Log()


class Future(Generic[Value]):
    """The answer to one ask. Any thread may call any method.

    The first of `set_result` and `set_error` counts and returns True; later ones return False and change nothing, so that a
    reply, a deadline and a death may race for it.
    """

    __slots__ = ("_callbacks", "_condition", "_error", "_value")

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.Lock())
        self._value: Any = _PENDING
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[Value]], None]] = []

    def set_result(self, value: Value) -> bool:
        """Give the answer; False where there is one already."""
        return self._resolve(value, None)

    def set_error(self, error: BaseException) -> bool:
        """Give an error for an answer; False where there is an answer already."""
        return self._resolve(None, error)

    def is_resolved(self) -> bool:
        """Tell whether the answer is there."""
        return self._value is not _PENDING

    def get(self, timeout: float | None = None) -> Value:
        """Wait for the answer, `timeout` seconds at most (None: as long as the ask lives), then return or raise it.

        A timeout raises `AskTimeoutError` and stops the waiting, not the ask. Never call it on an event loop's thread: `await`.
        """
        if not self.is_resolved():
            refuse_on_event_loop()
        with self._condition:
            if not self._condition.wait_for(self.is_resolved, timeout):
                raise AskTimeoutError(f"no answer within {timeout} s")
        return self._outcome()

    def error(self) -> BaseException | None:
        """Give the error that the ask resolved with, or None; only when resolved."""
        return self._error

    def add_done_callback(self, callback: Callable[["Future[Value]"], None]) -> None:
        """Call `callback` with this future once it is resolved: at once, or on the thread that resolves it.

        It must not block; what it raises is logged.
        """
        with self._condition:
            if not self.is_resolved():
                self._callbacks.append(callback)
                return
        self._call(callback)

    def __await__(self) -> Generator[Any, None, Value]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not done.done():
                done.set_result(None)

        def resolved(_: Future[Value]) -> None:
            # A loop that has been closed in the meantime has nobody left to wake.
            if not loop.is_closed():
                loop.call_soon_threadsafe(wake)

        self.add_done_callback(resolved)
        yield from done
        return self._outcome()

    def _resolve(self, value: Any, error: BaseException | None) -> bool:
        with self._condition:
            if self.is_resolved():
                return False
            self._error = error
            self._value = value
            callbacks, self._callbacks = self._callbacks, []
            self._condition.notify_all()
        for callback in callbacks:
            self._call(callback)
        return True

    def _call(self, callback: Callable[["Future[Value]"], None]) -> None:
        try:
            callback(self)
        except Exception:  # a broken callback must not harm who resolves: an actor's thread, the transport's, the watcher's
            _log.exception("future.callback_failed")

    def _outcome(self) -> Value:
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[no-any-return]  # resolved without an error, so it is the value


def resolved_with(error: BaseException) -> "Future[Any]":
    """Give a future that has failed already."""
    future: Future[Any] = Future()
    future.set_error(error)
    return future


def refuse_on_event_loop() -> None:
    """Raise `UsageError` on a thread whose event loop is running, which a wait would stop."""
    # The public `get_running_loop` raises where there is none, which costs more than the whole wait.
    if asyncio._get_running_loop() is not None:  # noqa: SLF001
        raise UsageError("waiting for an answer would stop this thread's event loop: `await ref.ask(…, block=False)`")
