"""HangWatch: looks at the actors of this process that have a `hang_after`, and says which of them hang.

It only reads what the cells show anyway, so it costs the actors nothing. The verdict is `supervision.progress`'s; what follows
from it is the caller's: a node tells the kernel, which kills it, and in any other process the actor is given up (`hang_keeper`).

A coroutine that awaits is never taken to hang, however long it does and whatever it awaits, since nobody can tell a long wait
from one without end: bound it where it waits (`asyncio.timeout`). What is found is a loop that does not turn.
"""

import math
import sys
import traceback
import weakref
from collections.abc import Mapping
from types import FrameType
from typing import Literal, NamedTuple

from .cell import ActorCell
from .dispatch.asynchronous import AsyncDispatcher
from .supervision.hung_actor import HungActor
from .supervision.progress import Progress, Sight

LOOKS_PER_HANG = 8
SHORTEST_S, LONGEST_S = 0.05, 1.0
_TURNS = frozenset({"turn", "run", "turn_async", "run_async", "handle"})
"""Functions whose `cell` or `self` is the cell that they run."""


class _Watched(NamedTuple):
    cell: "weakref.ref[ActorCell]"
    interval_s: float
    progress: Progress


class HangWatch:
    """The actors of one process that have a bound. Any thread may `add`; one at a time looks.

    `every_s` is for who looks at an interval of his own; else `interval_s` says how often it takes.
    """

    def __init__(self, every_s: float | None = None) -> None:
        self._every_s = every_s
        self._watched: dict[str, _Watched] = {}

    def add(self, cell: ActorCell, hang_after_s: float) -> None:
        """Watch an actor until it is released."""
        interval_s = self._every_s or min(LONGEST_S, max(SHORTEST_S, hang_after_s / LOOKS_PER_HANG))
        progress = Progress(hang_after_s, cell.now(), 2 * interval_s)
        self._watched[cell.path] = _Watched(weakref.ref(cell), interval_s, progress)

    @property
    def interval_s(self) -> float:
        """Seconds until the next look: infinite where nobody is watched."""
        return min((watched.interval_s for watched in list(self._watched.values())), default=math.inf)

    def look(self, now: float) -> list[tuple[ActorCell, HungActor]]:
        """Look at every one, and give those that hang, at each look as long as they do."""
        hung = []
        for path, watched in list(self._watched.items()):
            cell = watched.cell()
            if cell is None or cell.is_released:
                if self._watched.get(path) is watched:
                    del self._watched[path]
                continue
            stall = watched.progress.look(_sight_of(cell, now), now)
            if stall is not None:
                hung.append((cell, _described(cell, stall.where, stall.for_s)))
        return hung


def stack_of(thread: int | None) -> str | None:
    """Give the stack of a thread as text, or None where it is not known or has ended."""
    frame = None if thread is None else sys._current_frames().get(thread)  # noqa: SLF001  # its public name for debuggers
    return None if frame is None else "".join(traceback.format_stack(frame))


def _sight_of(cell: ActorCell, now: float) -> Sight:
    life = cell.life
    if life is None or cell.state != "running":
        return Sight(cell.incarnation, cell.processed + cell.expired)
    began, oldest = life.began, cell.oldest()
    oldest_at = None if oldest is None else oldest.sent_at
    dispatcher = cell.dispatcher
    if isinstance(dispatcher, AsyncDispatcher):
        # A coroutine that awaits may do so for as long as it likes; its loop must turn.
        stuck_since = dispatcher.stuck_since(now)
        has_work = began is not None or cell.in_flight
        began = stuck_since if stuck_since < now and has_work else None
        oldest_at = oldest_at if stuck_since < now else None
    pauses = life.pauses
    return Sight(
        cell.incarnation,
        cell.processed + cell.expired,
        began,
        oldest_at,
        # One that runs another on its own thread waits for that, in a way that takes no time to note.
        waits=bool(life.waits_for) or (pauses is not None and pauses.since is not None),
        waited_s=0.0 if pauses is None else pauses.total_s(now),
    )


def _described(cell: ActorCell, where: Literal["handler", "mailbox"], for_s: float) -> HungActor:
    in_hand = [activity.in_hand for activity in (cell.life, *list(cell.in_flight or ())) if activity is not None]
    kinds = sorted({envelope.kind() for envelope in in_hand if envelope is not None})
    holder = ""
    if isinstance(cell.dispatcher, AsyncDispatcher):
        found = _cell_on(cell.dispatcher.thread)
        holder = found.path if found is not None and found is not cell else ""
    return HungActor(cell.path, cell.incarnation, where, ", ".join(kinds), round(for_s, 3), holder)


def _cell_on(thread: int | None) -> ActorCell | None:
    """Give the cell whose turn is what a thread does now."""
    frame: FrameType | None = None if thread is None else sys._current_frames().get(thread)  # noqa: SLF001  # as above
    while frame is not None:
        if frame.f_code.co_name in _TURNS:
            names: Mapping[str, object] = frame.f_locals
            found = names.get("cell", names.get("self"))
            if isinstance(found, ActorCell):
                return found
        frame = frame.f_back
    return None
