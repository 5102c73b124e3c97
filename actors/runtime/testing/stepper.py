"""Stepper: runs what a stepping system has queued, lets its time pass, and waits by doing both.

It is the one place that decides what comes next: first what is due by the clock, then a turn. As a `Waiter` it stands in for the
one of its thread, so that every wait of the runtime on that thread comes here.
"""

import random
from collections.abc import Callable

from ..timers import Appointments
from .clock import FakeClock
from .stepping_dispatcher import SteppingDispatchers
from .stepping_timers import SteppingTimers

MAX_STEPS = 100_000
"""Steps that one wait, or one `run_until_idle`, may take unless told otherwise: far more than a test needs, and a bound."""


class StillBusyError(AssertionError):
    """The system was not idle, or a wait not over, after as many steps as were allowed: actors keep each other busy."""


class DeadWaitError(AssertionError):
    """A wait without a timeout that nothing can end: every actor is idle, and nothing is due at any time."""


class Stepper:
    """The engine of one stepping system. For one thread."""

    def __init__(self, clock: FakeClock, chance: random.Random | None = None) -> None:
        self.clock = clock
        self.timers = SteppingTimers(clock)
        self.dispatchers = SteppingDispatchers(clock, self.timers, chance)

    def step(self) -> bool:
        """Fire a timer that is due, or else run a turn; False where all is idle."""
        return self.timers.fire() or self.dispatchers.run_one()

    def run_until_idle(self, limit: int = MAX_STEPS) -> int:
        """Step until all is idle at the present time, and say how many steps it took. Raises `StillBusyError`."""
        for steps in range(limit):
            if not self.step():
                return steps
        if not self.is_idle():
            raise StillBusyError(f"still busy after {limit} steps: actors keep each other busy, or allow more: limit=…")
        return limit

    def is_idle(self) -> bool:
        """Tell whether a step would do nothing."""
        due = self.timers.next_due()
        return not self.dispatchers.has_work() and (due is None or due > self.clock.monotonic())

    def advance(self, seconds: float, limit: int = MAX_STEPS) -> int:
        """Let `seconds` pass, stopping at each appointment on the way until all is idle; say how many steps it took.

        Raises `StillBusyError` where that takes more than `limit` steps, and `ValueError` for a time that is no 0 or more.
        """
        if not seconds >= 0:
            raise ValueError(f"the time does not go by {seconds} s: 0 or more")
        until = self.clock.monotonic() + seconds
        steps = self.run_until_idle(limit)
        while (due := self.timers.next_due()) is not None and due <= until:
            self.clock.advance_to(due)
            steps += self.run_until_idle(limit - steps)
        self.clock.advance_to(until)
        return steps

    def wake(self, _: object = None) -> None:
        """Do nothing: who waits here looks again after every step."""

    def wait(self, is_over: Callable[[], bool], timeout: float | None) -> bool:
        """Step until `is_over`, and where all is idle go to the next appointment, for `timeout` fake seconds at most.

        Tells whether it is over. Raises `DeadWaitError` and `StillBusyError`.
        """
        until = None if timeout is None else self.clock.monotonic() + timeout
        for _ in range(MAX_STEPS):
            if is_over():
                return True
            if self.step():
                continue
            due = self.timers.next_due()
            if due is not None and (until is None or due <= until):
                self.clock.advance_to(due)
            elif until is None:
                raise DeadWaitError("this wait would never end: every actor is idle, and nothing is due at any time")
            else:
                self.clock.advance_to(until)
                return is_over()
        raise StillBusyError(f"a wait was not over after {MAX_STEPS} steps")

    def wait_until(self, is_over: Callable[[], bool], deadline: float, _timers: Appointments) -> bool:
        """Step until `is_over`, or until `deadline` on the fake clock."""
        return self.wait(is_over, deadline - self.clock.monotonic())

    def close(self) -> None:
        """Run no more turns and forget every appointment."""
        self.timers.close()
        self.dispatchers.close()
