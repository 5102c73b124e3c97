"""SteppingSystem: an actor system that runs step by step on the test's own thread, in fake time.

Nothing happens but in `step`, `run_until_idle` and `advance`, and while the test waits for an answer: there are no threads. So a
test sees every state in between, a failure comes again in every run, and an hour of restarts and timeouts takes milliseconds.

A wait (`ask`, `Future.get`, `spawn`, `stop`, also in a handler) cannot be left to others here. So it runs the others itself, and
where all are idle it lets the time pass to the next appointment: what it gives, or that it times out, is what it would be with
threads. That is trio's autojump clock, for as long as somebody waits. Prior art for one thread: Akka's CallingThreadDispatcher;
for schedules drawn from a seed: FoundationDB's simulation, loom and shuttle for Rust.
"""

import random
from typing import NoReturn

from ..errors import NotBuiltError, UsageError
from ..supervision.spec import SupervisorSpec
from ..system import ActorSystem
from ..waiting import use_waiter, waiter_of_this_thread
from .clock import FakeClock
from .stepper import MAX_STEPS, Stepper


class SteppingSystem(ActorSystem):
    """An `ActorSystem` for one thread, which the test steps. Use it as a context manager, or `stop` it.

    `clock` is its time, which only `advance` and waits should move while it runs. `chance` draws the order of the turns; without
    it, the oldest comes first. On the thread that made it, every wait of the runtime is this system's until it is closed, so one
    thread has one stepping system at a time, and closes it. An `inline` actor answers where it is asked, without a step.

    What has a process or a thread of its own cannot be stepped: `process=True`, and `asyncio.to_thread` in a handler, raise
    `NotBuiltError`.
    """

    def __init__(
        self,
        name: str = "stepping",
        root: SupervisorSpec | None = None,
        *,
        clock: FakeClock | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._stepper = Stepper(clock or FakeClock(), chance)
        self._waiter_before = waiter_of_this_thread()
        if isinstance(self._waiter_before, Stepper):
            raise UsageError("this thread has a stepping system already: stop that one first, or use it as a context manager")
        super().__init__(
            name, root, clock=self._stepper.clock, dispatchers=self._stepper.dispatchers, timers=self._stepper.timers
        )
        # What the runtime draws (the jitter of restarts) comes from the seed too.
        self._parts.household.random = random.Random(0 if chance is None else chance.getrandbits(64))  # noqa: S311  # no secrets
        use_waiter(self._stepper)

    def step(self) -> bool:
        """Fire a timer that is due, or else run one turn; False where all is idle."""
        return self._stepper.step()

    def run_until_idle(self, limit: int = MAX_STEPS) -> int:
        """Step until all is idle at the present time, and say how many steps it took. Raises `StillBusyError`."""
        return self._stepper.run_until_idle(limit)

    def advance(self, seconds: float, limit: int = MAX_STEPS) -> int:
        """Let `seconds` pass: go from appointment to appointment, and at each step until all is idle.

        Says how many steps it took. Raises `StillBusyError` where that takes more than `limit`.
        """
        return self._stepper.advance(seconds, limit)

    def close(self) -> None:
        """Free what is owned, without waiting for actors; the thread waits as before. On the thread that made the system."""
        try:
            super().close()
        finally:
            if waiter_of_this_thread() is self._stepper:
                use_waiter(self._waiter_before)

    def _node_host(self) -> NoReturn:
        raise NotBuiltError("a stepping system has one thread and no processes: test a child with process=True in an ActorSystem")
