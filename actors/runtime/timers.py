"""Timers: callbacks at monotonic times, run by one thread a system.

The thread sleeps until the earliest is due and never wakes otherwise. A callback must be quick: it puts a signal into a mailbox
or resolves a future, and leaves the work to an actor.
"""

import heapq
import itertools
import math
import threading
from collections.abc import Callable

from .clock import Clock
from .log import Log

_log = Log()

TIDY_ABOVE = 1000
"""Appointments from which on cancelled ones are cleared away, so that they cost memory and not every ask a search."""


class Timer:
    """One appointment; `cancel` is idempotent and may be called from any thread."""

    __slots__ = ("at_close", "callback")

    def __init__(self, callback: Callable[[], None], at_close: Callable[[], None] | None) -> None:
        self.callback: Callable[[], None] | None = callback
        self.at_close = at_close

    def cancel(self) -> None:
        """Do not call back. A callback that is running already is not waited for."""
        self.callback = self.at_close = None


class Timers:
    """Appointments of one system. Start it once, close it once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._closed = False
        self._tidy_above = TIDY_ABOVE
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
        self._thread.start()

    def call_at(self, deadline: float, callback: Callable[[], None], *, at_close: Callable[[], None] | None = None) -> Timer:
        """Call `callback` once the monotonic clock has reached `deadline`, or `at_close` where the system is closed before.

        Any thread may call.
        """
        timer = Timer(callback, at_close)
        with self._condition:
            closed = self._closed
            if not closed:
                # What is no number is due: in the heap it would hide what comes after it.
                heapq.heappush(self._heap, (-math.inf if math.isnan(deadline) else deadline, next(self._order), timer))
                if self._heap[0][2] is timer:
                    self._condition.notify()
                elif len(self._heap) > self._tidy_above:
                    self._tidy()
        if closed and at_close is not None:
            self._call(at_close)
        return timer

    def call_later(self, delay_s: float, callback: Callable[[], None], *, at_close: Callable[[], None] | None = None) -> Timer:
        """Call `callback` in `delay_s` seconds."""
        return self.call_at(self._clock.monotonic() + delay_s, callback, at_close=at_close)

    def close(self) -> None:
        """Forget every appointment, tell those who asked to hear of it, and end the thread."""
        with self._condition:
            self._closed = True
            forgotten, self._heap = self._heap, []
            self._condition.notify()
        for _, _, timer in sorted(forgotten):
            if timer.at_close is not None:
                self._call(timer.at_close)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._closed and (not self._heap or self._heap[0][0] > self._clock.monotonic()):
                    self._condition.wait(self._until_next())
                if self._closed:
                    return
                callback = heapq.heappop(self._heap)[2].callback
            if callback is not None:
                self._call(callback)

    def _until_next(self) -> float | None:
        if not self._heap:
            return None
        # The operating system refuses to wait longer, which would end this thread and every timeout with it.
        return min(self._heap[0][0] - self._clock.monotonic(), threading.TIMEOUT_MAX)

    def _tidy(self) -> None:
        self._heap = [entry for entry in self._heap if entry[2].callback is not None]
        heapq.heapify(self._heap)
        self._tidy_above = max(TIDY_ABOVE, 2 * len(self._heap))

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:  # a broken callback must not end every other timer of the system; it is logged
            _log.exception("timer.failed")
