"""Waiting: how a thread stops until something is there, with a bound, and what has to be known about it meanwhile.

A thread waits on an eventfd of its own and not on a lock: the kernel tends to run who is woken by a file descriptor on the core
of who woke it, and a plain read is one system call; with locks, and with poll, a round trip between two threads takes up to
twenty times as long as with a read, depending on where they happen to run. Where there is no eventfd, it is a semaphore.
"""

import asyncio
import math
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from .current import Activity, Occupied, Wait
from .errors import AskCycleError, UsageError
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


class Bound:
    """Bounds the waits of one thread by the timers of a system: one appointment for many waits.

    Nearly every wait is over long before its deadline, and the next one has a later one. So an appointment is kept that was made
    for an earlier wait, and looks, when its time has come, at the deadline there is by then.
    """

    __slots__ = ("_wake", "booked_for", "deadline", "timers")

    def __init__(self, wake: Callable[[], None], timers: Appointments) -> None:
        self._wake = wake
        self.timers = timers
        self.booked_for = math.inf
        self.deadline = math.inf

    def book(self) -> None:
        """See to it that the thread is woken at the deadline, unless that has been moved by then."""
        self.booked_for = self.deadline
        self.timers.expect_at(self, self.deadline)

    @property
    def is_over(self) -> bool:
        """Never: who knows what the thread will wait for by then."""
        return False

    def fire(self) -> None:
        """Wake the thread if its time is up; else see to it that this is looked at again."""
        now = self.timers.now()
        self.booked_for = math.inf
        if self.deadline <= now:
            self._wake()
        elif self.deadline < self.booked_for:
            self.book()

    def forget(self) -> None:
        """Wake the thread: the system is closed, and nothing else would."""
        self.booked_for = math.inf
        if self.deadline < math.inf:
            self.deadline = -math.inf
            self._wake()


class EventfdWaiter:
    """Waits on an eventfd. One that was woken late, for an earlier wait, finds `is_over` untrue and waits on."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._bound: Bound | None = None

    def wake(self, _: object = None) -> None:
        """Make the thread look again."""
        os.eventfd_write(self._fd, 1)

    def wait(self, is_over: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until `is_over`."""
        if timeout is None:
            while not is_over():
                os.eventfd_read(self._fd)
            return True
        deadline = time.monotonic() + timeout
        while not is_over():
            left = deadline - time.monotonic()
            # A timeout that is no number is over, as one that has passed.
            if not left > 0:
                return False
            if self._poll.poll(min(left * 1000, LONGEST_WAIT_MS)):
                os.eventfd_read(self._fd)
        return True

    def wait_until(self, is_over: Callable[[], bool], deadline: float, timers: Appointments) -> bool:
        """Wait until `is_over` or `deadline`, which costs no more than to wait for ever."""
        bound = self._bound
        if bound is None or bound.timers is not timers:
            bound = self._bound = Bound(self.wake, timers)
        bound.deadline = deadline
        if deadline < bound.booked_for:
            bound.book()
        try:
            while not is_over():
                # The bound moves the deadline to the past where the system is closed meanwhile.
                if bound.deadline <= timers.now():
                    return is_over()
                os.eventfd_read(self._fd)
        finally:
            bound.deadline = math.inf
        return True

    def __del__(self) -> None:
        # Whoever may still wake it holds it, so the number cannot be another file's by then.
        os.close(self._fd)


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


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.waiter: Waiter = EventfdWaiter() if hasattr(os, "eventfd") else SemaphoreWaiter()


_of_thread = _OfThread()


def waiter_of_this_thread() -> Waiter:
    """Give what the calling thread waits with: one for all its waits, closed with the thread."""
    return _of_thread.waiter


def use_waiter(waiter: Waiter) -> Waiter:
    """Let the calling thread wait with `waiter` from now on, and give what it waited with before."""
    before, _of_thread.waiter = _of_thread.waiter, waiter
    return before


def refuse_on_event_loop() -> None:
    """Raise `UsageError` on a thread whose event loop is running, which a wait would stop."""
    # The public `get_running_loop` raises where there is none, which costs more than the whole wait.
    if asyncio._get_running_loop() is not None:  # noqa: SLF001
        raise UsageError("waiting for an answer would stop this thread's event loop: `await ref.ask(…, block=False)`")


@contextmanager
def waiting_for(current: Activity, wait: Wait) -> Iterator[None]:
    """Let it be known that the handler which runs here waits, for as long as the block lasts.

    Raises `AskCycleError` where its target waits for this actor already, directly or through others: nobody of them would go on.
    The edge is there before the search begins, so of two actors that ask each other at once at least one finds out.
    """
    before = current.waits_for
    current.waits_for = (*before, wait)
    try:
        refuse_cycle(current.cell, wait.target)
        yield
    finally:
        current.waits_for = before


def refuse_cycle(asker: Occupied, target: Occupied) -> None:
    """Raise `AskCycleError` where `target` is `asker` or waits for it."""
    way: dict[Occupied, Occupied | None] = {target: None}
    to_look_at = [target]
    while to_look_at:
        cell = to_look_at.pop()
        if cell is asker:
            raise AskCycleError(" asks ".join((str(asker.path), *_names(way, cell))))
        for wait in cell.waits_for:
            if wait.target not in way and not wait.is_over():
                way[wait.target] = cell
                to_look_at.append(wait.target)


def _names(way: dict[Occupied, Occupied | None], end: Occupied) -> list[str]:
    names = [str(end.path)]
    cell = way.get(end)
    while cell is not None:
        names.append(str(cell.path))
        cell = way[cell]
    return names[::-1]
