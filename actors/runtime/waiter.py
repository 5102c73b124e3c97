"""Waiter: what one thread stops with until something is there.

A thread waits on an eventfd of its own: a plain read is one system call and no more, where a condition takes several locks, and
poll a second call. (Whether waker and woken share a core is the kernel's choice, and costs more than all of that: a wake-up that
crosses cores takes ten times as long as one that does not, by whatever means.) Where there is no eventfd, it is a semaphore.

A plain read has no timeout, so a wait with a deadline is woken by the system's timers. Nearly every wait is over long before, and
the next one has a later deadline: so a booking that was made for an earlier wait is kept, and looks, when its time has come, at
the deadline there is by then. One booking serves thousands of waits.
"""

import math
import os
import select
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from .timers import Appointments

LONGEST_WAIT_MS = 2**31 - 1


class Waiter(Protocol):
    """What one thread waits with."""

    def wake(self, _: object = None) -> None:
        """Make the thread look again. Any thread may call, also when nobody waits any more."""
        ...

    def wait(self, is_over: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until `is_over`, for `timeout` seconds at most; tell whether it is. Only the thread whose waiter this is."""
        ...

    def wait_until(self, is_over: Callable[[], bool], deadline: float, timers: Appointments) -> bool:
        """Wait until `is_over`, or until `timers` have come to `deadline`; tell whether it is. Only the waiter's thread."""
        ...


class EventfdWaiter:
    """Waits on an eventfd. One that was woken late, for an earlier wait, finds `is_over` untrue and waits on."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._deadline = math.inf
        self._booking: _Booking | None = None

    def wake(self, _: object = None) -> None:
        """Make the thread look again."""
        os.eventfd_write(self._fd, 1)

    def wait(self, is_over: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until `is_over`."""
        if timeout is None:
            while not is_over():
                self._read()
            return True
        deadline = time.monotonic() + timeout
        while not is_over():
            left = deadline - time.monotonic()
            # A timeout that is no number is over, as one that has passed.
            if not left > 0:
                return False
            if self._poll.poll(min(left * 1000, LONGEST_WAIT_MS)):
                self._read()
        return True

    def wait_until(self, is_over: Callable[[], bool], deadline: float, timers: Appointments) -> bool:
        """Wait until `is_over` or `deadline`, which costs no more than to wait for ever."""
        # The deadline first, the booking after: who comes for an old booking looks at them the other way round, so that one of
        # the two sees what the other has done.
        self._deadline = deadline
        booking = self._booking
        if booking is None or deadline < booking.at or booking.timers is not timers:
            self._book(deadline, timers)
        try:
            while not is_over():
                # A system that is closed moves the deadline to the past.
                if self._deadline <= timers.now():
                    return is_over()
                self._read()
        finally:
            self._deadline = math.inf
        return True

    def has_booked(self, booking: "_Booking") -> bool:
        """Tell whether a booking is the present one, not one that an earlier deadline has taken the place of."""
        return self._booking is booking

    def come_for(self, booking: "_Booking") -> None:
        """Look, for a booking whose time has come, whether the present wait's has come too. On the timers' thread."""
        self._booking = None
        if self._deadline <= booking.timers.now():
            self.wake()
        elif self._deadline < math.inf:
            self._book(self._deadline, booking.timers)

    def give_up(self) -> None:
        """End the present wait: the system is closed, and nothing else would wake the thread."""
        self._booking = None
        if self._deadline < math.inf:
            self._deadline = -math.inf
            self.wake()

    def _read(self) -> None:
        # Python does not try again by itself here, as it does with files: a signal handler has run, and the wait goes on.
        with suppress(InterruptedError):
            os.eventfd_read(self._fd)

    def _book(self, at: float, timers: Appointments) -> None:
        booking = self._booking = _Booking(self, at, timers)
        timers.expect_at(booking, at)

    def __del__(self) -> None:
        # Whoever may still wake it holds it, so the number cannot be another file's by then.
        os.close(self._fd)


class _Booking:
    """An appointment of a thread's waits. It does not hold the waiter, which ends with its thread."""

    __slots__ = ("_waiter", "at", "timers")

    def __init__(self, waiter: EventfdWaiter, at: float, timers: Appointments) -> None:
        self._waiter = weakref.ref(waiter)
        self.at = at
        self.timers = timers

    @property
    def is_over(self) -> bool:
        """Whether an earlier one has taken its place, or the thread has ended."""
        waiter = self._waiter()
        return waiter is None or not waiter.has_booked(self)

    def fire(self) -> None:
        """See whether anybody's time is up."""
        waiter = self._waiter()
        if waiter is not None and waiter.has_booked(self):
            waiter.come_for(self)

    def forget(self) -> None:
        """Let the thread go on."""
        waiter = self._waiter()
        if waiter is not None and waiter.has_booked(self):
            waiter.give_up()


class SemaphoreWaiter:
    """Waits on a semaphore, where there is no eventfd."""

    def __init__(self) -> None:
        self._woken = threading.Semaphore(0)

    def wake(self, _: object = None) -> None:
        """Make the thread look again."""
        self._woken.release()

    def wait(self, is_over: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until `is_over`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not is_over():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and not left > 0:
                return False
            self._woken.acquire(timeout=None if left is None else min(left, threading.TIMEOUT_MAX))
        return True

    def wait_until(self, is_over: Callable[[], bool], deadline: float, timers: Appointments) -> bool:
        """Wait until `is_over` or `deadline`."""
        return self.wait(is_over, deadline - timers.now())
