"""Timers: callbacks at monotonic times, run by one thread a system.

The thread sleeps until the earliest is due and never wakes otherwise. A callback must be quick: it puts a signal into a mailbox or
resolves a future, and leaves the work to an actor.
"""

import heapq
import itertools
import threading
from collections.abc import Callable

import structlog

from .clock import Clock

_log = structlog.get_logger("actors.runtime")


class Timer:
    """One appointment; `cancel` is idempotent and may be called from any thread."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Do not call back. A callback that is running already is not waited for."""
        self.callback = None


class Timers:
    """Appointments of one system. Start it once, close it once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
        self._thread.start()

    def call_at(self, deadline: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` once the monotonic clock has reached `deadline`. Any thread may call; a closed system never calls back."""
        timer = Timer(callback)
        with self._condition:
            heapq.heappush(self._heap, (deadline, next(self._order), timer))
            if self._heap[0][2] is timer:
                self._condition.notify()
        return timer

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` in `delay_s` seconds."""
        return self.call_at(self._clock.monotonic() + delay_s, callback)

    def close(self) -> None:
        """Forget every appointment and end the thread."""
        with self._condition:
            self._closed = True
            self._heap.clear()
            self._condition.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._closed and (not self._heap or self._heap[0][0] > self._clock.monotonic()):
                    self._condition.wait(self._heap[0][0] - self._clock.monotonic() if self._heap else None)
                if self._closed:
                    return
                callback = heapq.heappop(self._heap)[2].callback
            if callback is not None:
                self._call(callback)

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:  # a broken callback must not end every other timer of the system; it is logged
            _log.exception("timer.failed")
