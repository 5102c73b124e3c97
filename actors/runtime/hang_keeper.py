"""HangKeeper: in a process that nobody kills for it, an actor that hangs is given up and reported, and its supervisor goes on.

The system's timers look, only once an actor with a `hang_after` has been made, and a few times within the shortest. An actor that
cannot help it (its thread or loop is held up by another) is reported and not given up: a new life would wait as the old one
does; for shared threads another one is found instead.
"""

import math
import threading

from .cell import ActorCell
from .clock import Clock, timestamp
from .dispatch.asynchronous import AsyncDispatcher
from .dispatch.shared import SharedDispatcher
from .events import EventLog
from .guarded import GuardedCell
from .hang_watch import HangWatch, stack_of
from .signals import ChildHung
from .snapshot import ExitSnapshot
from .supervision.hung_actor import HungActor
from .supervision.maintenance import Maintenance
from .timers import Appointments


class HangKeeper:
    """Looks after the actors of one system that are not in nodes. Any thread may call."""

    def __init__(self, clock: Clock, timers: Appointments, events: EventLog) -> None:
        self._clock = clock
        self._timers = timers
        self._events = events
        self._watch = HangWatch()
        self._lock = threading.Lock()
        self._is_looking = False
        self._known: set[tuple[str, int]] = set()
        self.maintenance = Maintenance()
        self._spared: set[tuple[str, int]] = set()
        self._spared_by = self.maintenance.paths

    def add(self, cell: ActorCell, hang_after_s: float) -> None:
        """Watch an actor from now on."""
        with self._lock:
            self._watch.add(cell, hang_after_s)
            if self._is_looking:
                return
            self._is_looking = True
        self._look_later()

    def _look_later(self) -> None:
        with self._lock:
            interval_s = self._watch.interval_s
            if interval_s == math.inf:
                self._is_looking = False
                return
        self._timers.call_later(interval_s, self._look)

    def _look(self) -> None:
        try:
            hung = self._watch.look(self._clock.monotonic())
            if self._spared_by is not self.maintenance.paths:
                # What was spared is found again, if it still hangs.
                self._spared_by = self.maintenance.paths
                self._known -= self._spared
                self._spared.clear()
            still = {(actor.path, actor.incarnation) for _, actor in hung}
            for cell, actor in hung:
                if (actor.path, actor.incarnation) not in self._known:
                    self._on_hung(cell, actor)
            self._known = still
        finally:
            self._look_later()

    def _on_hung(self, cell: ActorCell, actor: HungActor) -> None:
        is_maintained = self.maintenance.covers(actor.path)
        stack = stack_of(_thread_of(cell)) if actor.where == "handler" else None
        why = actor.why()
        self._events.publish("node.hung", actor.path, why=why, actor=actor.path, maintenance=is_maintained)
        if stack is not None:
            self._events.publish("node.stacks_dumped", actor.path, stack=stack)
        if is_maintained:
            self._spared.add((actor.path, actor.incarnation))
            return
        if cell.incarnation != actor.incarnation or cell.state != "running":
            return
        if actor.where == "handler" and not actor.held_up_by:
            cell.set_state("hung")
            ended = ExitSnapshot("hung", at=timestamp(self._clock.wall()), error=why, stack=stack)
            cell.report(ChildHung(cell.path, actor.incarnation, ended))
        elif isinstance(cell.dispatcher, SharedDispatcher):
            cell.dispatcher.lose(None)


def _thread_of(cell: ActorCell) -> int | None:
    if isinstance(cell.dispatcher, AsyncDispatcher):
        return cell.dispatcher.thread
    return cell.guard.thread if isinstance(cell, GuardedCell) else None
