"""Timers: callbacks at monotonic times, run by one thread a system.

The thread sleeps until the earliest is due and never wakes otherwise. A callback must be quick: it puts a signal into a mailbox
or resolves a future, and leaves the work to an actor.

Most appointments are deadlines of asks, of few different lengths, and nearly all are over long before they are due. So those of
one length wait in a lane of their own, which is in order without being sorted, and whoever adds to a lane clears what is over
from its front: an ask that was answered costs no search, and no memory for as long as its deadline would have been.
"""

import heapq
import itertools
import math
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from .clock import Clock
from .log import Log

_log = Log()

TIDY_ABOVE = 1000
"""Appointments from which on those that are over are cleared away, so that they cost memory and not every one a search."""
MAX_LANES = 64
"""Different lengths that get a lane; others share a heap."""


class Appointment(Protocol):
    """What is to happen at a time. None of it may block; what it raises is logged."""

    @property
    def is_over(self) -> bool:
        """Whether nothing needs to happen any more."""
        ...

    def fire(self) -> None:
        """It is time."""
        ...

    def forget(self) -> None:
        """It will never be time: the system is closed."""
        ...


class Timer:
    """One appointment; `cancel` is idempotent and may be called from any thread."""

    __slots__ = ("at_close", "callback")

    def __init__(self, callback: Callable[[], None], at_close: Callable[[], None] | None) -> None:
        self.callback: Callable[[], None] | None = callback
        self.at_close = at_close

    def cancel(self) -> None:
        """Do not call back. A callback that is running already is not waited for."""
        self.callback = self.at_close = None

    @property
    def is_over(self) -> bool:
        """Whether it was cancelled or has called back."""
        return self.callback is None

    def fire(self) -> None:
        """Call back, unless cancelled."""
        callback, self.callback = self.callback, None
        if callback is not None:
            callback()

    def forget(self) -> None:
        """Call what was to be called at the close."""
        at_close, self.at_close = self.at_close, None
        if at_close is not None:
            at_close()


class Appointments(Protocol):
    """What keeps appointments: `Timers`, or what stands in for them where time is not the machine's."""

    def call_at(self, deadline: float, callback: Callable[[], None], *, at_close: Callable[[], None] | None = None) -> Timer:
        """Call `callback` at `deadline`, or `at_close` where the system is closed before."""
        ...

    def call_later(self, delay_s: float, callback: Callable[[], None], *, at_close: Callable[[], None] | None = None) -> Timer:
        """Call `callback` in `delay_s` seconds."""
        ...

    def expect(self, appointment: Appointment, deadline: float, delay_s: float) -> None:
        """Fire `appointment` at `deadline`, which is in `delay_s` seconds."""
        ...

    def expect_at(self, appointment: Appointment, deadline: float) -> None:
        """Fire `appointment` at `deadline`."""
        ...

    @property
    def now(self) -> Callable[[], float]:
        """The time, in monotonic seconds."""
        ...

    def close(self) -> None:
        """Forget every appointment, and tell those who asked to hear of it."""
        ...


@runtime_checkable
class Movable(Protocol):
    """A clock that somebody moves."""

    def listen(self, listener: Callable[[], None]) -> object:
        """Call `listener` whenever the time has been moved."""
        ...


_Entry = tuple[float, int, Appointment]


class Timers:
    """Appointments of one system. The first starts the thread; close it once."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock.monotonic
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._lanes: dict[float, deque[_Entry]] = {}
        self._heap: list[_Entry] = []
        self._order = itertools.count()
        self._closed = False
        self._tidy_above = TIDY_ABOVE
        self._wakes_at = math.inf
        if isinstance(clock, Movable):
            clock.listen(self._look_again)
        self._thread: threading.Thread | None = None

    def call_at(self, deadline: float, callback: Callable[[], None], *, at_close: Callable[[], None] | None = None) -> Timer:
        """Call `callback` once the monotonic clock has reached `deadline`, or `at_close` where the system is closed before.

        Any thread may call.
        """
        timer = Timer(callback, at_close)
        self.expect_at(timer, deadline)
        return timer

    def call_later(self, delay_s: float, callback: Callable[[], None], *, at_close: Callable[[], None] | None = None) -> Timer:
        """Call `callback` in `delay_s` seconds."""
        timer = Timer(callback, at_close)
        self.expect(timer, self.now() + delay_s, delay_s)
        return timer

    def expect(self, appointment: Appointment, deadline: float, delay_s: float) -> None:
        """Fire `appointment` at `deadline`, which is in `delay_s` seconds. Any thread may call."""
        # What is no number is due. (`not >=` rather than `isnan`: this is on the way of every ask.)
        if not deadline >= -math.inf:
            deadline = -math.inf
        self._add(deadline, appointment, delay_s)

    def expect_at(self, appointment: Appointment, deadline: float) -> None:
        """Fire `appointment` at `deadline`. Any thread may call."""
        # What is no number is due: in the heap it would hide what comes after it.
        self._add(-math.inf if math.isnan(deadline) else deadline, appointment, None)

    def _look_again(self) -> None:
        with self._lock:
            self._changed.notify()

    def close(self) -> None:
        """Forget every appointment, tell those who asked to hear of it, and end the thread."""
        with self._lock:
            self._closed = True
            forgotten = sorted(itertools.chain(self._heap, *self._lanes.values()))
            self._heap = []
            self._lanes = {}
            self._changed.notify()
            thread = self._thread
        for _, _, appointment in forgotten:
            self._call(appointment.forget)
        if thread is not None and threading.current_thread() is not thread:
            thread.join(timeout=5.0)

    def _add(self, deadline: float, appointment: Appointment, delay_s: float | None) -> None:
        with self._lock:
            if not self._closed:
                entry = (deadline, next(self._order), appointment)
                lane = None if delay_s is None else self._lane(delay_s, deadline)
                if lane is not None:
                    lane.append(entry)
                else:
                    self._push(entry)
                if deadline < self._wakes_at:
                    self._hurry()
                return
        self._call(appointment.forget)

    def _lane(self, delay_s: float, deadline: float) -> deque[_Entry] | None:
        lane = self._lanes.get(delay_s)
        if lane is None:
            if len(self._lanes) >= MAX_LANES or delay_s != delay_s:  # noqa: PLR0124  # what is no number equals nothing
                return None
            lane = self._lanes[delay_s] = deque()
        while lane and lane[0][2].is_over:
            lane.popleft()
        if len(lane) > self._tidy_above:
            # One that takes long stands before many that are over.
            lane = self._lanes[delay_s] = deque(kept for kept in lane if not kept[2].is_over)
            self._tidy_above = max(TIDY_ABOVE, 2 * len(lane))
        # Two threads may have read the clock in one order and come here in the other.
        return None if lane and lane[-1][0] > deadline else lane

    def _push(self, entry: _Entry) -> None:
        heapq.heappush(self._heap, entry)
        if len(self._heap) > self._tidy_above:
            self._heap = [kept for kept in self._heap if not kept[2].is_over]
            heapq.heapify(self._heap)
            self._tidy_above = max(TIDY_ABOVE, 2 * len(self._heap))

    def _hurry(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
            self._thread.start()
        # Nobody else has to hurry until the thread has looked.
        self._wakes_at = -math.inf
        self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._closed and (due := self._take_due(self.now())) is None:
                    self._wakes_at = self._next_deadline()
                    # The operating system refuses to wait longer, which would end this thread and every timeout with it.
                    longest = min(self._wakes_at - self.now(), threading.TIMEOUT_MAX)
                    self._changed.wait(None if self._wakes_at == math.inf else longest)
                    self._wakes_at = -math.inf
                if self._closed:
                    return
            if due is not None:
                self._call(due.fire)

    def _take_due(self, now: float) -> Appointment | None:
        """Give the appointment that is due and earliest, or None. Those that are over go on the way."""
        earliest: deque[_Entry] | list[_Entry] | None = None
        for queue in self._queues():
            while queue and queue[0][2].is_over:
                self._drop_first(queue)
            if queue and queue[0][0] <= now and (earliest is None or queue[0] < earliest[0]):
                earliest = queue
        for delay_s in [delay_s for delay_s, lane in self._lanes.items() if not lane]:
            del self._lanes[delay_s]
        if earliest is None:
            return None
        first = earliest[0][2]
        self._drop_first(earliest)
        return first

    def _drop_first(self, queue: deque[_Entry] | list[_Entry]) -> None:
        if isinstance(queue, deque):
            queue.popleft()
        else:
            heapq.heappop(queue)

    def _queues(self) -> list[deque[_Entry] | list[_Entry]]:
        return [self._heap, *self._lanes.values()]

    def _next_deadline(self) -> float:
        return min((queue[0][0] for queue in self._queues() if queue), default=math.inf)

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except BaseException:  # whatever a callback raises must not end every other timer of the system; it is logged
            _log.exception("timer.failed")
