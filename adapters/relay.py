"""Relay: the runtime's events, which come on the publishers' threads, handed over to an adapter on its event loop, in order."""

import asyncio
from collections.abc import Callable

from actors.runtime.event import Event

Listen = Callable[[Callable[[Event], None]], Callable[[], None]]
"""Takes a listener and gives what ends the listening, as `EventLog.listen` does."""


def relay(listen: Listen, take: Callable[[Event], None]) -> Callable[[], None]:
    """Call `take` on the running event loop with every event from now on, until what is returned is called."""
    loop = asyncio.get_running_loop()

    def pass_on(event: Event) -> None:
        # A loop that has been closed in the meantime has nobody left to tell.
        if not loop.is_closed():
            loop.call_soon_threadsafe(take, event)

    return listen(pass_on)
