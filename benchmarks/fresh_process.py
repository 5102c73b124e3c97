"""FreshProcess: a Python process of its own, for what would disturb other measurements or be disturbed by them.

A hundred thousand actors leave a heap that every later garbage collection walks, and resident memory can only be told apart where
nothing else allocates; a peer brings libraries of a hundred megabytes. `spawn`, not `fork`: a fork would begin with our heap.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self, TypeVar

from .report import NotMeasuredError

T = TypeVar("T")

LEAVE_S = 5.0


class FreshProcess:
    """A process that calls functions, one at a time; one thread uses it, as a context manager."""

    def __init__(self, timeout_s: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._timeout_s = timeout_s
        self._pipe, self._its_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._its_end,), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        # Kept open here, it would hide the death of the process.
        self._its_end.close()
        return self

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call an importable function there.

        Raises `NotMeasuredError` with what it raised, or where the process died or did not answer in time; it is ended then.
        """
        try:
            self._pipe.send((function, args))
            if not self._pipe.poll(self._timeout_s):
                self._process.kill()
                raise NotMeasuredError(f"{function.__module__} did not answer within {self._timeout_s:g} s")
            value, error = self._pipe.recv()
        except (EOFError, OSError):
            raise NotMeasuredError(f"the process of {function.__module__} died") from None
        if error is not None:
            raise NotMeasuredError(f"{function.__module__}: {error}")
        answer: T = value
        return answer

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._pipe.close()
        self._process.join(LEAVE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


def _serve(pipe: Connection) -> None:
    while True:
        try:
            function, args = pipe.recv()
        except EOFError:
            return
        answer: tuple[Any, str | None]
        try:
            answer = (function(*args), None)
        except Exception as error:  # whatever a peer raises is for the report
            answer = (None, f"{type(error).__name__}: {error}")
        pipe.send(answer)
