"""What an ask leaves behind in its system: its deadline, and the error that nobody collected."""

import weakref
from collections.abc import Callable, Coroutine
from typing import Any

from .errors import ActorRuntimeError, AskTimeoutError, TerminatedError
from .exits import describe
from .future import Future


def timed_out(path: str, timeout: float) -> AskTimeoutError:
    """Give the error that says that an actor has not answered in time."""
    return AskTimeoutError(f"{path} did not answer within {timeout} s")


def cut_off(path: str) -> TerminatedError:
    """Give the error that says that the system was closed before an actor answered."""
    return TerminatedError(f"the system ended before {path} answered")


class AskDeadline:
    """The time by which an ask has an answer. It is the timers' appointment, and over as soon as there is one.

    It does not keep the future: an error in one that everybody has let go of is reported at once, not when its time is up.
    """

    __slots__ = ("_future", "_path", "_timeout")

    def __init__(self, future: Future[Any], path: str, timeout: float) -> None:
        self._future = weakref.ref(future)
        self._path = path
        self._timeout = timeout

    @property
    def is_over(self) -> bool:
        """Whether there is an answer, or nobody who could want one."""
        future = self._future()
        return future is None or future.is_resolved()

    def fire(self) -> None:
        """Answer that time is up."""
        self._resolve(timed_out(self._path, self._timeout))

    def forget(self) -> None:
        """Answer that the system is closed."""
        self._resolve(cut_off(self._path))

    def _resolve(self, error: ActorRuntimeError) -> None:
        future = self._future()
        if future is not None:
            future.set_error(error)


class Unobserved:
    """Publishes an error that nobody collected, as something for a dispatcher to run.

    The garbage collector finds such errors, and it may do so in the midst of anything, also of publishing an event.
    """

    __slots__ = ("_error", "_publish")

    def __init__(self, publish: Callable[..., None], error: BaseException) -> None:
        self._publish = publish
        self._error = error

    def turn(self) -> None:
        """Publish it."""
        self._publish("ask.error_unobserved", error=describe(self._error))

    def turn_async(self) -> Coroutine[Any, Any, None]:
        """Publish it, on an event loop."""

        async def publish() -> None:
            self.turn()

        return publish()
