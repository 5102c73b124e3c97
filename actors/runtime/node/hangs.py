"""Hangs: what becomes of a node that is not heard any more, or that says of itself that an actor of its hangs.

It is reported, its stacks are dumped, and then it is killed, so that its supervisor restarts it: a Python thread cannot be ended
otherwise. A node or actor under maintenance (somebody has a debugger on it, say) is reported and left alone. Who is silent is the
verdict of `supervision.liveness`, which the host's watcher thread asks at each tick; the dump is another thread's, because the
watcher must not wait for anybody. That is one thread for all, which is there before anything hangs: when a node does, it may be
too late for another one, and the actors of an event loop that is held up hang by the thousand.
"""

import contextlib
import signal
from functools import partial
from typing import NamedTuple, Protocol

from ..clock import Clock, timestamp
from ..events import EventLog
from ..run_directory import RunDirectory
from ..snapshot import ExitSnapshot
from ..supervision.hung_actor import HungActor
from ..supervision.liveness import Liveness
from ..supervision.maintenance import Maintenance
from . import stacks
from .condemner import Case, Condemner

PAUSED_S = 0.5
"""Lost time below this is a busy machine and no event."""


class Suspect(Protocol):
    """One life of a node, as far as its hangs go."""

    @property
    def pid(self) -> int | None:
        """Its process, None where that is gone."""
        ...

    def send_signal(self, number: signal.Signals) -> None:
        """Send its process a signal; none where that is gone."""
        ...

    def on_hung(self) -> None:
        """Show that it hangs."""
        ...

    def condemn(self, ended: ExitSnapshot) -> None:
        """Kill it, and tell its end as this."""
        ...


class _Key(NamedTuple):
    path: str
    incarnation: int


class Hangs:
    """Looks after the nodes of one host. Only the watcher's thread calls, but for `close`. `maintenance` may be another's."""

    def __init__(self, run_dir: RunDirectory, clock: Clock, events: EventLog) -> None:
        self._run_dir = run_dir
        self._clock = clock
        self._events = events
        self._liveness = Liveness()
        self._suspects: dict[_Key, Suspect] = {}
        self._hung: dict[_Key, set[str]] = {}
        self._condemned: set[_Key] = set()
        self._condemner = Condemner()
        self.maintenance = Maintenance()
        self._spared: set[tuple[_Key, str | None]] = set()
        self._spared_by = self.maintenance.paths

    def watch(self, path: str, incarnation: int, suspect: Suspect, timeout_s: float | None) -> None:
        """Listen for beats of a life that is ready; with None, only for what it says of its actors."""
        key = _Key(path, incarnation)
        self._suspects[key] = suspect
        self._hung[key] = set()
        if timeout_s is not None:
            self._liveness.watch(key, timeout_s, self._clock.monotonic())

    def forget(self, path: str, incarnation: int) -> None:
        """Expect nothing more of a life: it is about to leave, or has left."""
        key = _Key(path, incarnation)
        self._suspects.pop(key, None)
        self._hung.pop(key, None)
        self._condemned.discard(key)
        self._liveness.forget(key)

    def close(self) -> None:
        """End the thread that takes stacks; those that hang now are not missed."""
        self._condemner.close()

    def remove_files(self, path: str, incarnation: int) -> None:
        """Remove what a life that has ended has left."""
        with contextlib.suppress(OSError):
            self._run_dir.stacks_of(path, incarnation).unlink(missing_ok=True)

    def on_beat(self, path: str, incarnation: int, hung: list[HungActor]) -> None:
        """Hear a life, and which of its actors hang: each is acted upon once for as long as it hangs."""
        key = _Key(path, incarnation)
        if key not in self._suspects:
            return
        self._liveness.beat(key, self._clock.monotonic())
        self._look_again_after_maintenance()
        known, self._hung[key] = self._hung[key], {actor.path for actor in hung}
        news = [actor for actor in hung if actor.path not in known]
        covers = self.maintenance.covers
        for is_maintained in (False, True):
            if alike := [actor for actor in news if covers(actor.path) is is_maintained]:
                # Told once for all of a life: where an event loop is held up, all of its actors hang.
                others = f" (as do {len(alike) - 1} more of its actors)" if len(alike) > 1 else ""
                self._on_hung(key, alike[0].why() + others, [actor.path for actor in alike])

    def look(self, now: float) -> float | None:
        """Tick, where it is time; gives the seconds until the next tick, None where nobody is watched."""
        self._look_again_after_maintenance()
        tick = self._liveness.tick(now)
        if tick.lost_s >= PAUSED_S:
            self._events.publish("supervisor.paused", "/", lost_s=round(tick.lost_s, 3))
        for silence in tick.silent:
            if isinstance(silence.key, _Key):
                self._on_hung(silence.key, f"{silence.key.path} has not been heard for {silence.for_s:.1f} s", [])
        return self._liveness.due_in(now)

    def _on_hung(self, key: _Key, why: str, actors: list[str]) -> None:
        """Deal with a life because of these actors of its, or because of itself where there are none."""
        if key in self._condemned:
            return
        suspect, actor = self._suspects[key], actors[0] if actors else None
        is_maintained = self.maintenance.covers(actor or key.path)
        pid = suspect.pid
        if pid is not None and actor is None:
            stopped = stacks.state_of(pid) in stacks.STOPPED
            why += ": its process is stopped" if stopped else ": something holds the interpreter's lock, or no time is left"
        self._events.publish("node.hung", key.path, why=why, actor=actor, pid=pid, maintenance=is_maintained)
        if is_maintained:
            self._spared.update((key, path) for path in actors or (None,))
        else:
            self._condemned.add(key)
            suspect.on_hung()
        if pid is None:
            # It is gone already.
            return
        file = self._run_dir.stacks_of(key.path, key.incarnation)
        dump = partial(stacks.dump, pid, file, suspect.send_signal)
        self._condemner.put(
            Case(dump, partial(self._tell, key, pid), None if is_maintained else partial(self._end, suspect, why))
        )

    def _look_again_after_maintenance(self) -> None:
        """Let what was spared be found again, if it still hangs, once somebody has changed what is under maintenance."""
        if self._spared_by is self.maintenance.paths:
            return
        self._spared_by = self.maintenance.paths
        for key, actor in self._spared:
            if actor is None:
                self._liveness.tell_again(key)
            else:
                self._hung.get(key, set()).discard(actor)
        self._spared.clear()

    def _tell(self, key: _Key, pid: int, dumped: stacks.Dump) -> None:
        self._events.publish("node.stacks_dumped", key.path, pid=pid, stack=dumped.text, problem=dumped.problem)

    def _end(self, suspect: Suspect, why: str, dumped: stacks.Dump) -> None:
        at = timestamp(self._clock.wall())
        error = why if dumped.problem is None else f"{why} (no stacks: {dumped.problem})"
        suspect.condemn(ExitSnapshot("hung", signal="SIGKILL", at=at, error=error, stack=dumped.text))
