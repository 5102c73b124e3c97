"""What a thread waits with: no signal ends its wait, and nothing is left of it when its thread has ended."""

import heapq
import itertools
import math
import os
import select
import signal
import threading
import weakref

import pytest

from actors.runtime.clock import SystemClock
from actors.runtime.timers import Timers
from actors.runtime.waiter import EventfdWaiter, SemaphoreWaiter
from actors.runtime.waiting import waiter_of_this_thread

PATIENCE_S = 10.0
SIGNALS = 5
needs_eventfd = pytest.mark.skipif(not hasattr(os, "eventfd"), reason="no eventfd")
in_both_ways = pytest.mark.parametrize("waiter_class", [pytest.param(EventfdWaiter, marks=needs_eventfd), SemaphoreWaiter])


@pytest.fixture
def timers():
    timers = Timers(SystemClock())
    yield timers
    timers.close()


@pytest.fixture
def handled():
    """Released each time that a signal was handled, which is on the main thread."""
    handled = threading.Semaphore(0)
    before = signal.signal(signal.SIGUSR1, lambda *_: handled.release())
    yield handled
    signal.signal(signal.SIGUSR1, before)


class Interrupts:
    """Sends the main thread signals while that waits, and only then lets its wait be over."""

    def __init__(self, waiter, handled):
        self._waiter = waiter
        self._handled = handled
        self._main = threading.main_thread().ident
        self.looked = threading.Semaphore(0)
        self.is_over = False

    def look(self):
        self.looked.release()
        return self.is_over

    def run(self):
        assert self.looked.acquire(timeout=PATIENCE_S)
        for _ in range(SIGNALS):
            # One that comes just before the thread is put to sleep interrupts nothing, and is handled with the next.
            signal.pthread_kill(self._main, signal.SIGUSR1)
            while not self._handled.acquire(timeout=0.01):
                signal.pthread_kill(self._main, signal.SIGUSR1)
        self.is_over = True
        self._waiter.wake()


@in_both_ways
@pytest.mark.parametrize("kind", ["for ever", "for a while", "until a deadline"])
def test_a_signal_with_a_handler_does_not_end_a_wait(waiter_class, kind, handled, timers):
    waiter = waiter_class()
    interrupts = Interrupts(waiter, handled)
    thread = threading.Thread(target=interrupts.run)
    thread.start()

    if kind == "until a deadline":
        came = waiter.wait_until(interrupts.look, timers.now() + PATIENCE_S, timers)
    else:
        came = waiter.wait(interrupts.look, None if kind == "for ever" else PATIENCE_S)
    thread.join(PATIENCE_S)

    assert came


class Booked:
    """Timers of which a test sees every appointment, and whose time only it moves."""

    def __init__(self):
        self.time = 0.0
        self._heap = []
        self._order = itertools.count()

    def now(self):
        return self.time

    def expect_at(self, appointment, deadline):
        heapq.heappush(self._heap, (deadline, next(self._order), appointment))

    def pass_to(self, time):
        while self._heap and self._heap[0][0] <= time:
            self.time, _, appointment = heapq.heappop(self._heap)
            if not appointment.is_over:
                appointment.fire()
        self.time = time

    def standing(self):
        return sum(not appointment.is_over for _, _, appointment in self._heap)


@needs_eventfd
def test_waits_of_different_lengths_leave_one_booking_at_a_time():
    """Each wait is over at once; a long one's booking must not stand beside those of the short ones for its own length."""
    waiter, booked = EventfdWaiter(), Booked()

    for number in range(20_000):
        assert waiter.wait_until(lambda: True, booked.time + (5.0 if number % 2 else 1.0), booked)
        booked.pass_to(booked.time + 0.001)
        assert booked.standing() <= 1


@needs_eventfd
def test_a_booking_of_an_earlier_wait_bounds_a_later_one(timers):
    waiter = EventfdWaiter()
    assert waiter.wait_until(lambda: True, timers.now() + 0.01, timers)

    assert not waiter.wait_until(lambda: False, timers.now() + 0.03, timers)


@needs_eventfd
def test_what_a_thread_waited_with_ends_with_it_though_its_booking_is_for_later(timers):
    waiters = []

    def wait():
        waiter = waiter_of_this_thread()
        waiters.append(weakref.ref(waiter))
        assert waiter.wait_until(lambda: True, timers.now() + 600, timers)

    for _ in range(20):
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(PATIENCE_S)

    assert [waiter() for waiter in waiters] == [None] * 20


@needs_eventfd
def test_a_waiter_that_is_let_go_of_frees_its_descriptor():
    waiter = EventfdWaiter()
    number = waiter._fd
    waiter.wait(lambda: True, None)

    del waiter

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


@needs_eventfd
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_of_a_fork_takes_no_wake_from_its_parent():
    waiter = waiter_of_this_thread()
    waiter.wake()

    pid = os.fork()
    if pid == 0:
        signal.alarm(int(PATIENCE_S))
        waiter_of_this_thread().wait(lambda: False, 0.01)
        os._exit(0)
    os.waitpid(pid, 0)

    woken, _, _ = select.select([waiter._fd], [], [], 0)
    assert woken, "the wake is still there for the parent"
    looks = iter([False, True])
    assert waiter.wait(lambda: next(looks), math.inf)
