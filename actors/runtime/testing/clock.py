"""FakeClock: time that stands still until a test moves it.

It satisfies `actors.runtime.clock.Clock`, so whatever takes a clock takes this one. What waits for the time (a held frame, a
timer of a stepping system) does not poll it: it listens, and is called on the thread that moved the clock.
"""

import threading
from collections.abc import Callable


class FakeClock:
    """A clock that stands still until a test moves it. Any thread may call."""

    def __init__(self, monotonic: float = 100.0, wall: float = 1_700_000_000.0) -> None:
        self._lock = threading.Lock()
        self._monotonic = monotonic
        self._wall = wall
        self._listeners: tuple[Callable[[], None], ...] = ()

    def monotonic(self) -> float:
        """Give the time that the test has set."""
        return self._monotonic

    def wall(self) -> float:
        """Give the wall-clock time that the test has set."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, 0 or more, then call who listens, on this thread. Raises `ValueError`."""
        # `not >=` rather than `<`: what is no number would make every later time no number too.
        if not seconds >= 0:
            raise ValueError(f"a monotonic clock does not go back by {-seconds} s: use set_wall")
        with self._lock:
            self._monotonic += seconds
            self._wall += seconds
        self._tell()

    def advance_to(self, deadline: float) -> None:
        """Let the time pass until `monotonic` gives exactly `deadline`; where it has passed already, do nothing.

        A sum of differences can miss a deadline by a rounding error, and then nothing is due at it.
        """
        with self._lock:
            if not deadline > self._monotonic:
                return
            self._wall += deadline - self._monotonic
            self._monotonic = deadline
        self._tell()

    def set_wall(self, wall: float) -> None:
        """Make the wall clock jump, as an operator may."""
        self._wall = wall

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every `advance`, on the thread that advanced; gives the way to stop that."""
        with self._lock:
            self._listeners += (listener,)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return stop

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
