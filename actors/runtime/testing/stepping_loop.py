"""SteppingLoop: an asyncio event loop that makes one round when it is told to, in fake time.

Handlers of `async` actors are real coroutines and await real asyncio things, so they need a real loop. Three of its public
methods are enough to own it: `time` is the fake clock's, `call_at` makes an appointment with the system's timers as well, so that
advancing the time stops there, and `call_soon` tells that there is something to run. What comes from outside (a socket, another
thread) is noticed at the next round only, and nothing waits for it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from typing import NoReturn, TypeVarTuple

from ..errors import NotBuiltError, UsageError
from .clock import FakeClock
from .stepping_timers import SteppingTimers

Parts = TypeVarTuple("Parts")


class SteppingLoop(asyncio.SelectorEventLoop):
    """An event loop for one thread, run by `run_once`. `close` it; it owns three file descriptors."""

    def __init__(self, clock: FakeClock, timers: SteppingTimers) -> None:
        self._fake_clock = clock
        self._timers = timers
        self.has_work = False
        super().__init__()

    def time(self) -> float:
        """Give the fake time."""
        return self._fake_clock.monotonic()

    def call_soon(self, callback: Callable[[*Parts], object], *args: *Parts, context: Context | None = None) -> asyncio.Handle:
        """Call back in the next round."""
        self.has_work = True
        return super().call_soon(callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[*Parts], object], *args: *Parts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call back in the next round. Any thread may call."""
        self.has_work = True
        return super().call_soon_threadsafe(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Parts], object], *args: *Parts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back in the first round at or after `when`."""
        self._timers.call_at(when, self._notice)
        return super().call_at(when, callback, *args, context=context)

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Parts], object], *args: *Parts) -> NoReturn:  # noqa: ARG002  # asyncio's
        """Refuse: nobody could say when the thread is done, so no two runs would be the same."""
        name = getattr(func, "__qualname__", repr(func))
        raise NotBuiltError(f"{name} wants a thread, and a stepping system has none: test this actor in an ActorSystem")

    def run_once(self) -> None:
        """Make one round: everything that is ready now. Raises `UsageError` on a thread whose event loop is running."""
        if asyncio._get_running_loop() is not None:  # noqa: SLF001  # the public one raises where there is none
            raise UsageError("an async actor cannot be stepped from within an event loop: use a plain test, no coroutine")
        self.has_work = False
        super().call_soon(self.stop)
        self.run_forever()

    def _notice(self) -> None:
        self.has_work = True
