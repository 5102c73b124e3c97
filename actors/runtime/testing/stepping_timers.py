"""SteppingTimers: the appointments of a stepping system, kept when its fake time has come and never by a thread."""

import heapq
import itertools
import math
from collections.abc import Callable

from ..log import Log
from ..timers import Appointment, Timer
from .clock import FakeClock

_log = Log()


class SteppingTimers:
    """Appointments on a fake clock, with the face of `actors.runtime.timers.Timers`; `fire` keeps the first that is due."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Appointment]] = []
        self._order = itertools.count()
        self._is_closed = False

    def call_at(self, deadline: float, callback: Callable[[], None], *, at_close: Callable[[], None] | None = None) -> Timer:
        """Call `callback` in the first `fire` at or after `deadline`, or `at_close` where the system is closed before."""
        timer = Timer(callback, at_close)
        self.expect_at(timer, deadline)
        return timer

    def call_later(self, delay_s: float, callback: Callable[[], None], *, at_close: Callable[[], None] | None = None) -> Timer:
        """Call `callback` once `delay_s` seconds have passed on the clock."""
        return self.call_at(self._clock.monotonic() + delay_s, callback, at_close=at_close)

    @property
    def now(self) -> Callable[[], float]:
        """The clock's time."""
        return self._clock.monotonic

    def expect(self, appointment: Appointment, deadline: float, _delay_s: float) -> None:
        """Fire `appointment` in the first `fire` at or after `deadline`."""
        self.expect_at(appointment, deadline)

    def expect_at(self, appointment: Appointment, deadline: float) -> None:
        """Fire `appointment` in the first `fire` at or after `deadline`."""
        if self._is_closed:
            self._call(appointment.forget)
        else:
            # What is no number is due: in the heap it would hide what comes after it.
            heapq.heappush(self._heap, (-math.inf if math.isnan(deadline) else deadline, next(self._order), appointment))

    def next_due(self) -> float | None:
        """Give the time of the first appointment that stands, or None."""
        while self._heap and self._heap[0][2].is_over:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def fire(self) -> bool:
        """Keep the first appointment that is due, on this thread; False where none is."""
        due = self.next_due()
        if due is None or due > self._clock.monotonic():
            return False
        self._call(heapq.heappop(self._heap)[2].fire)
        return True

    def close(self) -> None:
        """Forget every appointment, and tell those who asked to hear of it."""
        self._is_closed = True
        forgotten, self._heap = sorted(self._heap), []
        for _, _, appointment in forgotten:
            self._call(appointment.forget)

    def _call(self, act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException:  # as in the real timers: one that breaks must not cost the others theirs; it is logged
            _log.exception("timer.failed")
