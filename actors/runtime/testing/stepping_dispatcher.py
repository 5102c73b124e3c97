"""SteppingDispatchers: the dispatchers of a stepping system: turns wait until somebody takes one, on his own thread.

What a kind of dispatcher promises is kept, but for the threads: an actor's turns do not overlap, and an `async` one may await in
the middle of a turn while others run. Which turn comes next is the oldest, or one drawn by chance: another seed is another
schedule, and the same seed the same one. A turn is one message, so that every order of messages can come up.
"""

import asyncio
import random
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context, copy_context
from typing import Any, ClassVar

from ..dispatch.dispatcher import Dispatcher, DispatcherKind, Runnable
from .clock import FakeClock
from .stepping_loop import SteppingLoop
from .stepping_timers import SteppingTimers


class SteppingDispatchers:
    """Gives every actor a dispatcher that only queues; `run_one` runs what is queued. `close` it, on the thread that made it."""

    def __init__(self, clock: FakeClock, timers: SteppingTimers, chance: random.Random | None = None) -> None:
        self._clock = clock
        self._timers = timers
        self._chance = chance
        self._context = copy_context()
        self._waiting: deque[tuple[Runnable, bool]] = deque()
        self._loop: SteppingLoop | None = None
        self._turns: set[asyncio.Task[None]] = set()

    def of_kind(self, kind: DispatcherKind, _actor: str) -> "SteppingDispatcher":
        """Give the dispatcher for an actor."""
        return SteppingDispatcher(self._waiting, is_async=kind == "async")

    def instead_of(self, hung: Dispatcher, _actor: str, _thread: int | None) -> Dispatcher:
        """Give the same: here no handler holds up a thread that another could take the place of."""
        return hung

    def run_one(self) -> bool:
        """Run a turn, or a round of the event loop; False where nothing waits."""
        if not self.has_work():
            return False
        chosen = self._chosen()
        # A context of its own: a turn may run inside another one that waits, and must not be taken for a part of it.
        context = self._context.copy()
        if chosen == len(self._waiting):
            context.run(self._event_loop().run_once)
        else:
            runnable, is_async = self._waiting[chosen]
            del self._waiting[chosen]
            if is_async:
                self._begin(runnable, context)
            else:
                context.run(runnable.turn)
        return True

    def has_work(self) -> bool:
        """Tell whether anything waits to be run."""
        return bool(self._waiting) or self._loop_waits()

    def close(self) -> None:
        """Run no more turns; those that await are cancelled."""
        self._waiting.clear()
        loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            # All tasks and not only the turns: a turn may have begun others, and so may a handler.
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(_end_of(left))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    def _chosen(self) -> int:
        """Give the place of what runs next; that of the event loop is behind all turns."""
        if self._chance is not None:
            return self._chance.randrange(len(self._waiting) + self._loop_waits())
        # The loop goes first: the turns that wait now were queued after what it has to do, many of them by itself.
        return len(self._waiting) if self._loop_waits() else 0

    def _loop_waits(self) -> bool:
        return self._loop is not None and self._loop.has_work

    def _begin(self, runnable: Runnable, context: Context) -> None:
        task = self._event_loop().create_task(runnable.turn_async(), context=context)
        # The loop keeps only weak references to its tasks.
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)

    def _event_loop(self) -> SteppingLoop:
        if self._loop is None:
            self._loop = SteppingLoop(self._clock, self._timers)
        return self._loop


class SteppingDispatcher:
    """One actor's dispatcher: it queues turns for who steps the system."""

    serves_one: ClassVar[bool] = False
    batch: ClassVar[range] = range(1)

    def __init__(self, waiting: deque[tuple[Runnable, bool]], *, is_async: bool) -> None:
        self._waiting = waiting
        self._is_async = is_async

    def schedule(self, cell: Runnable) -> None:
        """Queue a turn. Any thread may call."""
        self._waiting.append((cell, self._is_async))

    def has_others(self) -> bool:
        """Say yes, always: a turn is to be as short as can be."""
        return True

    def blocking(self) -> AbstractContextManager[None]:
        """Nothing is to be done: who waits runs the others meanwhile."""
        return nullcontext()

    def do_without(self, thread: int) -> None:
        """There are no threads that others could miss."""

    def close(self) -> None:
        """Nothing of its own is to be ended."""


async def _end_of(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
