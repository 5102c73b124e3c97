"""Future: one answer, given once, awaited from threads and from event loops alike.

Nothing here takes a lock to wait on. Who resolves claims the right to it by a flag that is tested and set in one step; who waits
leaves a callback and then looks again, and callbacks are popped one by one, so that each is called exactly once, whether the
resolver or a late comer finds it.
"""

import asyncio
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import reduce
from types import TracebackType
from typing import Any, Generic, Literal, Protocol, TypeVar

from .current import Activity, Occupied, Wait, current_activity, pause_of
from .errors import AskCancelledError, AskCycleError, AskTimeoutError, UsageError
from .log import Log
from .timers import Appointments
from .waiter import Waiter
from .waiting import refuse_on_event_loop, waiter_of_this_thread, waiting_for

Value = TypeVar("Value")
Other = TypeVar("Other")
ExceptionInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
_PENDING = object()
_log = Log()


class AskTarget(Occupied, Protocol):
    """Whom an ask was put to, where that is an actor of this process."""

    def withdraw(self, reply: "Future[Any]") -> bool:
        """Take the ask out of the mailbox; False where it is there no more."""
        ...

    def report_unobserved(self, error: BaseException) -> None:
        """Report an error that nobody collected. Called by the garbage collector: must take no lock."""
        ...


class Readable(Protocol):
    """What becomes a future when its value is wanted: a proxy's attribute."""

    def __as_future__(self) -> "Future[Any]":
        """Give the future."""
        ...


class _Unobserved:
    """Stands for an error that nobody has looked at; if it dies as such, the error is reported."""

    __slots__ = ("error", "target")

    def __init__(self, target: AskTarget, error: BaseException) -> None:
        self.target = target
        self.error: BaseException | None = error

    def __del__(self) -> None:
        if self.error is not None:
            self.target.report_unobserved(self.error)


class Future(Generic[Value]):
    """The answer to one ask. Any thread may call any method.

    The first of `set_result` and `set_error` counts and returns True; later ones return False and change nothing, so that a
    reply, a deadline and a death may race for it. An error that nobody has collected when the future is let go of becomes the
    event `ask.error_unobserved`.
    """

    __slots__ = ("__weakref__", "_callbacks", "_claim", "_error", "_sources", "_target", "_unobserved", "_value")

    def __init__(self, target: AskTarget | None = None, sources: "tuple[Future[Any], ...]" = ()) -> None:
        self._claim = threading.Lock()
        self._value: Any = _PENDING
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[Value]], None]] = []
        self._target = target
        # A future that is made of others keeps them: nobody else may, and an ask that nobody keeps is nobody's to answer.
        self._sources = sources
        self._unobserved: _Unobserved | None = None

    def set_result(self, value: Value) -> bool:
        """Give the answer; False where there is one already."""
        if not self._claim.acquire(False):
            return False
        self._value = value
        self._tell()
        return True

    def set_error(self, error: BaseException) -> bool:
        """Give an error for an answer; False where there is an answer already."""
        if not self._claim.acquire(False):
            return False
        self._error = error
        if self._target is not None:
            self._unobserved = _Unobserved(self._target, error)
        self._value = None
        self._tell()
        return True

    def set(self, value: Any = None) -> None:
        """Give the answer, as in Pykka. Raises `UsageError` where there is one already."""
        if not self.set_result(value):
            raise UsageError("the future has its answer already: `set_result` tells whether it was the first")

    def set_exception(self, exc_info: ExceptionInfo | None = None) -> None:
        """Give an exception for an answer, as in Pykka: that of `exc_info`, or the one that is being handled.

        Raises `UsageError` where there is none, and where there is an answer already.
        """
        kind, error, traceback = exc_info or sys.exc_info()
        if kind is None:
            raise UsageError("set_exception() outside of an `except` block: `set_error(error)`")
        if not self.set_error((error or kind()).with_traceback(traceback)):
            raise UsageError("the future has its answer already: `set_error` tells whether it was the first")

    def is_resolved(self) -> bool:
        """Tell whether the answer is there."""
        return self._value is not _PENDING

    def get(self, timeout: float | None = None) -> Value:
        """Wait for the answer, `timeout` seconds at most (None: as long as the ask lives), then return or raise it.

        A timeout raises `AskTimeoutError` and stops the waiting, not the ask. `AskCycleError` says that the actor which is asked
        waits for this one. Never call it on an event loop's thread: `await`.
        """
        if self._value is _PENDING:
            refuse_on_event_loop()
            if not self._wait(lambda waiter: waiter.wait(self.is_resolved, timeout)):
                raise AskTimeoutError(f"no answer within {timeout} s")
        return self._outcome()

    def wait_until(self, deadline: float, timers: Appointments) -> bool:
        """Wait until the answer is there, or until `timers` have come to `deadline`; tell whether it is.

        For an ask that nobody else bounds: its asker resolves it then.
        """
        if self._value is not _PENDING:
            return True
        if current_activity() is not None:
            return self._wait(lambda waiter: waiter.wait_until(self.is_resolved, deadline, timers))
        waiter = waiter_of_this_thread()
        self._callbacks.append(waiter.wake)
        if self._value is not _PENDING:
            self._tell()
        return waiter.wait_until(self.is_resolved, deadline, timers) or self._give_up(waiter)

    def error(self) -> BaseException | None:
        """Give the error that the ask resolved with, or None; only when resolved."""
        self._observe()
        return self._error

    def cancel(self) -> bool:
        """Take back an ask that is still in the mailbox: it resolves with `AskCancelledError` and is never handled.

        False, and nothing changes, where the actor has it in hand or has answered, and where it was sent to another process.
        """
        if self._target is None or not self._target.withdraw(self):
            return False
        if not self.set_error(AskCancelledError(f"the ask to {self._target.path} was cancelled")):
            return False
        self._observe()
        return True

    def add_done_callback(self, callback: Callable[["Future[Value]"], None]) -> None:
        """Call `callback` with this future once it is resolved: at once, or on the thread that resolves it.

        It must not block; what it raises is logged.
        """
        self._callbacks.append(callback)
        if self._value is not _PENDING:
            self._tell()

    def map(self, function: Callable[[Value], Other]) -> "Future[Other]":
        """Give a future of `function(value)`, which runs on the thread that resolves, so it must be quick; it may raise."""
        mapped: Future[Other] = Future(self._target, (self,))

        def resolved(_: Future[Value]) -> None:
            try:
                mapped.set_result(function(self._outcome()))
            except BaseException as error:  # whatever the function raises is what the new future resolves with
                mapped.set_error(error)

        self.add_done_callback(resolved)
        return mapped

    def filter(self: "Future[Iterable[Other]]", wanted: Callable[[Other], bool]) -> "Future[list[Other]]":
        """Give a future of those items that are `wanted`."""
        return self.map(lambda items: [item for item in items if wanted(item)])

    def reduce(self: "Future[Iterable[Any]]", function: Callable[[Any, Any], Any], *initial: Any) -> "Future[Any]":
        """Give a future of the items folded by `function`, as `functools.reduce` does."""
        return self.map(lambda items: reduce(function, items, *initial))

    def join(self, *others: "Future[Any] | Readable") -> "Future[list[Any]]":
        """Give a future of the values of this one and `others`, in that order; it fails with the first error."""
        return gather(self, *(other if isinstance(other, Future) else other.__as_future__() for other in others))

    def __await__(self) -> Generator[Any, None, Value]:
        if self._value is _PENDING:
            current = current_activity()
            # A task that the handler has started may wait without holding the handler up.
            holds_up = current is not None and current.runner is asyncio.current_task()
            try:
                with self._edge(current if holds_up else None):
                    yield from self._arrival()
            except AskCycleError:
                self.cancel()
                raise
        return self._outcome()

    def _arrival(self) -> Generator[Any, None, None]:
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

    def _wait(self, wait: Callable[[Waiter], bool]) -> bool:
        waiter = waiter_of_this_thread()
        self.add_done_callback(waiter.wake)
        current = current_activity()
        if current is None:
            return wait(waiter) or self._give_up(waiter)
        try:
            # A thread that a coroutine has started and that waits here holds up nobody but itself.
            holds_up = current.runner is None
            with self._edge(current if holds_up else None), current.cell.blocking(), pause_of(current if holds_up else None):
                return wait(waiter) or self._give_up(waiter)
        except AskCycleError:
            self._give_up(waiter)
            self.cancel()
            raise

    def _give_up(self, waiter: Waiter) -> Literal[False]:
        """Wake a thread no more that waits no longer."""
        with suppress(ValueError):  # it has been woken just now
            self._callbacks.remove(waiter.wake)
        return False

    def _edge(self, asker: Activity | None) -> AbstractContextManager[None]:
        # Where several messages are handled at a time, one that waits holds none of the others up.
        waits = () if asker is None or asker.cell.kind.concurrency > 1 else tuple(self.waits())
        return nullcontext() if asker is None or not waits else waiting_for(asker, waits)

    def waits(self) -> Iterator[Wait]:
        """Give who has to answer before this can resolve."""
        if self._sources:
            for source in self._sources:
                yield from source.waits()
        elif self._target is not None:
            yield Wait(self._target, self.is_resolved)

    def _tell(self) -> None:
        callbacks = self._callbacks
        while callbacks:
            try:
                callback = callbacks.pop(0)
            except IndexError:  # another thread was quicker
                return
            try:
                callback(self)
            except BaseException:  # whatever a callback raises (a cancelled future's error, say) must not end who resolves
                _log.exception("future.callback_failed")

    def _outcome(self) -> Value:
        if self._error is not None:
            self._observe()
            try:
                raise self._error
            finally:
                # The traceback holds this frame: without this, the error would keep the future, which keeps the error.
                del self
        return self._value  # type: ignore[no-any-return]  # resolved without an error, so it is the value

    def _observe(self) -> None:
        unobserved, self._unobserved = self._unobserved, None
        if unobserved is not None:
            unobserved.error = None


class _First(Future[Value]):
    """A future of whichever comes first: none of its sources by itself can keep it from resolving."""

    __slots__ = ()

    def waits(self) -> Iterator[Wait]:
        """Give nobody: another one may come first."""
        return iter(())


def gather(*futures: Future[Any]) -> Future[list[Any]]:
    """Give a future of the values of all, in order; it fails with the first error that comes."""
    gathered: Future[list[Any]] = Future(_target_of(futures), futures)
    # Popped one by one, so that whichever thread resolves the last one finds it empty.
    missing = [None] * len(futures)

    def resolved(future: Future[Any]) -> None:
        error = future.error()
        if error is not None:
            gathered.set_error(error)
            return
        missing.pop()
        if not missing:
            gathered.set_result([one.get() for one in futures])

    for future in futures:
        future.add_done_callback(resolved)
    if not futures:
        gathered.set_result([])
    return gathered


def get_all(futures: Iterable[Future[Any] | Readable], *, timeout: float | None = None) -> list[Any]:
    """Wait for every value, `timeout` seconds at most for each, and give them in order, as in Pykka; an error is raised."""
    every = [one if isinstance(one, Future) else one.__as_future__() for one in futures]
    return [one.get(timeout) for one in every]


def first(*futures: Future[Value]) -> Future[Value]:
    """Give a future of the outcome that comes first, be it a value or an error. Raises `ValueError` without any."""
    if not futures:
        raise ValueError("first() of no futures would never resolve")
    quickest: _First[Value] = _First(_target_of(futures), futures)

    def resolved(future: Future[Value]) -> None:
        error = future.error()
        if error is None:
            quickest.set_result(future.get())
        else:
            quickest.set_error(error)

    for future in futures:
        future.add_done_callback(resolved)
    return quickest


def _target_of(futures: tuple[Future[Any], ...]) -> AskTarget | None:
    return next((future._target for future in futures if future._target is not None), None)  # noqa: SLF001  # its own class's


def resolved_with(error: BaseException) -> "Future[Any]":
    """Give a future that has failed already."""
    future: Future[Any] = Future()
    future.set_error(error)
    return future
