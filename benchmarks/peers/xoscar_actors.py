"""xoscar in one process: coroutine actors on one event loop, asked and told from a coroutine of the same loop.

Wanted only where the dependency group `bench` is installed, and imported in a process of its own. What is measured is nearest to
our own figures, not the same: no thread is woken, and `tell` is a coroutine that returns once the message is on its way. The pool
listens on a port of this machine, as every pool of xoscar's does.
"""

import asyncio
import gc
import time
from typing import Any

import xoscar  # type: ignore[import-not-found, unused-ignore]  # an optional peer

from ..report import NotMeasuredError
from ..workload import BOUND_S, MESSAGE, Figure, in_microseconds, rate

TELLS, ASKS, SPAWNS = 3_000, 1_000, 500


class CountingEcho(xoscar.StatelessActor):  # type: ignore[misc, unused-ignore]  # untyped where the peer is not installed
    """Answers, or counts down and says when the last message was handled."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self._left = wanted
        self._done = asyncio.Event()

    def answer(self, message: Any) -> Any:
        """Answer."""
        return message

    def count(self, _message: Any) -> None:
        """Count one message."""
        self._left -= 1
        if not self._left:
            self._done.set()

    async def all_counted(self) -> None:
        """Return when the last message was counted."""
        await self._done.wait()


def measure() -> dict[str, Figure]:
    """Measure every metric once."""
    return asyncio.run(_measure())


async def _measure() -> dict[str, Figure]:
    pool = await xoscar.create_actor_pool("127.0.0.1", n_process=0)
    async with pool:
        address = pool.external_address
        ref = await xoscar.create_actor(CountingEcho, TELLS, address=address, uid="first")
        return {
            "tell": await _tell(ref),
            "ask": await _ask(ref),
            "spawn": await _spawn(address),
        }


async def _tell(ref: Any) -> Figure:
    gc.collect()
    began = time.perf_counter()
    for _ in range(TELLS):
        await ref.count.tell(MESSAGE)
    try:
        await asyncio.wait_for(ref.all_counted(), BOUND_S)
    except TimeoutError:
        raise NotMeasuredError(f"waited {BOUND_S:g} s for {TELLS} messages to be handled") from None
    return rate(TELLS, began)


async def _ask(ref: Any) -> Figure:
    gc.collect()
    trips = []
    last = time.perf_counter()
    for _ in range(ASKS):
        await ref.answer(MESSAGE)
        now = time.perf_counter()
        trips.append(now - last)
        last = now
    return in_microseconds(trips)


async def _spawn(address: str) -> Figure:
    gc.collect()
    began = time.perf_counter()
    refs = [await xoscar.create_actor(CountingEcho, 1, address=address, uid=f"idle-{n}") for n in range(SPAWNS)]
    figure = rate(SPAWNS, began)
    for ref in refs:
        await xoscar.destroy_actor(ref)
    return figure
