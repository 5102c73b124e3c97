"""Sequencer: runs marked blocks of several threads or coroutines in one written order.

The idea is trio's `testing.Sequencer`: the test numbers the blocks, and whoever comes too early waits. Unlike there, the blocks
may be in threads, where a wait that nobody ends hangs the whole run; so every wait has a bound, and whatever goes wrong in one
block (an exception, a wait that was too long) breaks the sequence for all: who waits hears why instead of waiting on.
"""

import asyncio
import threading
from concurrent.futures import Future
from types import TracebackType

from ..errors import UsageError
from .probes import PATIENCE_S


class BrokenSequenceError(AssertionError):
    """A block of the sequence raised, or was not reached in time, so those behind it have no order left to keep."""


class Sequencer:
    """Gives out positions: `with seq(0): …` in one thread, `with seq(1): …` in another; `async with` in a coroutine.

    Positions count from 0 without gaps, and each is used once. A block is entered when the one before it has ended, and a wait
    lasts `patience_s` seconds at most. Any thread and any event loop may call. Entering raises `BrokenSequenceError` where the
    sequence is broken, and so does every later position.
    """

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self._order = _Order(patience_s)

    def __call__(self, position: int) -> "Position":
        """Claim `position`. Raises `UsageError` where it is negative or has been claimed before."""
        self._order.claim(position)
        return Position(self._order, position)


class _Order:
    """What the positions of one sequence share."""

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self._lock = threading.Lock()
        self._due = 0
        self._inside = ""
        self._claimed: set[int] = set()
        self._reached: dict[int, Future[None]] = {}
        self._broken: str | None = None
        self._cause: BaseException | None = None

    def claim(self, position: int) -> None:
        if position < 0:
            raise UsageError(f"position {position}: positions of a sequence count from 0")
        with self._lock:
            if position in self._claimed:
                raise UsageError(f"position {position} has been used already: give every block of a sequence its own")
            self._claimed.add(position)

    def reached(self, position: int) -> "Future[None]":
        """Give what resolves once `position` is due, or the sequence is broken."""
        with self._lock:
            reached = self._reached.setdefault(position, Future())
            if not reached.done() and (position == self._due or self._broken is not None):
                reached.set_result(None)
            return reached

    def enter(self, position: int, *, in_time: bool) -> None:
        with self._lock:
            if self._broken is None and not in_time and position != self._due:
                self._break(f"position {position} waited {self.patience_s:g} s for position {self._due}, which {self._holder()}")
            if self._broken is not None:
                raise BrokenSequenceError(self._broken) from self._cause
            self._inside = threading.current_thread().name

    def leave(self, position: int, error: BaseException | None) -> None:
        with self._lock:
            self._inside = ""
            if error is not None:
                self._break(f"position {position} raised {error!r}", error)
                return
            self._due = position + 1
            following = self._reached.get(self._due)
            if following is not None and not following.done():
                following.set_result(None)

    def give_up(self, position: int, error: BaseException) -> None:
        with self._lock:
            self._break(f"position {position} stopped waiting for position {self._due}: {error!r}", error)

    def _break(self, why: str, cause: BaseException | None = None) -> None:
        if self._broken is None:
            self._broken, self._cause = why, cause
        for waiting in self._reached.values():
            # Resolved, not failed: an event loop complains of an error that a waiter which has left does not fetch.
            if not waiting.done():
                waiting.set_result(None)

    def _holder(self) -> str:
        if self._inside:
            return f"is still running in thread {self._inside!r}"
        return "has been claimed but not entered" if self._due in self._claimed else "nobody has claimed"


class Position:
    """One place in a sequence, made by a `Sequencer`: a context manager for a thread or a coroutine, to be entered once."""

    def __init__(self, order: _Order, position: int) -> None:
        self._order = order
        self._position = position
        self._is_entered = False

    def __enter__(self) -> None:
        reached = self._begin()
        in_time = True
        try:
            reached.result(self._order.patience_s)
        except TimeoutError:
            in_time = False
        except BaseException as error:  # an interrupt, say: those behind would wait for nobody
            self._order.give_up(self._position, error)
            raise
        self._order.enter(self._position, in_time=in_time)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._order.leave(self._position, error)

    async def __aenter__(self) -> None:
        reached = self._begin()
        try:
            # `wait` leaves the future alone at its timeout; `wait_for` would cancel it under whoever else resolves it.
            done, _ = await asyncio.wait({asyncio.wrap_future(reached)}, timeout=self._order.patience_s)
        except BaseException as error:  # a cancellation, say: those behind would wait for nobody
            self._order.give_up(self._position, error)
            raise
        self._order.enter(self._position, in_time=bool(done))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._order.leave(self._position, error)

    def _begin(self) -> "Future[None]":
        if self._is_entered:
            raise UsageError(f"position {self._position} has been used already: give every block of a sequence its own")
        self._is_entered = True
        return self._order.reached(self._position)
