"""SupervisorMachine: a supervisor's state, moved by events, answering with effects; no threads, clock or I/O.

    child:  waiting ─► starting ─► running ─► stopping ─► stopped
                          │  ▲        │
                          ▼  │        ▼
                        restarting ◄──┘ ─► parked            (and gone, when forgotten)

    supervisor:  starting ─► running ─► stopping ─► stopped

At first, children start one after the other, each when the one before is ready; one that fails stops those before it, in
reverse, and the supervisor's start with its reason. (One that was added later and fails its first start is gone again, and
nothing else happens.) A child that fails while later ones start is restarted, and the start goes on once it is back or parked.

Afterwards each exit is judged by `strategy`: by the restarts of all children where the supervisor escalates, by the child's own
where it parks, so that one bad child parks no good one. Children stop in reverse order. An exit that arrives twice, or belongs
to an earlier life, changes nothing.
"""

from typing import Literal

from msgspec import Struct

from ..snapshot import ExitSnapshot
from . import strategy
from .effects import (
    Begin,
    Discard,
    Effect,
    End,
    Escalate,
    Note,
    Parked,
    ReportFailed,
    ReportReady,
    ReportStartFailed,
    ReportStopped,
    Schedule,
)
from .spec import AnySpec, SupervisorSpec

ChildPhase = Literal["waiting", "starting", "running", "restarting", "stopping", "stopped", "parked"]
Phase = Literal["starting", "running", "stopping", "stopped"]

_ALIVE: tuple[ChildPhase, ...] = ("starting", "running", "stopping")


class Child(Struct, gc=False):
    """What the machine remembers of one child. `failures` are those in a row; `restarts` are those that count for parking it.

    Many children may share one spec, which is why a child has its own id. One can be of 100,000, so the garbage collector does
    not look at it; nothing in it can lead back to it.
    """

    id: str
    spec: AnySpec
    phase: ChildPhase = "waiting"
    incarnation: int = 0
    failures: int = 0
    restarts: tuple[float, ...] = ()
    ready_at: float | None = None
    was_ready: bool = False


class SupervisorMachine:
    """The pure half of a supervisor. Give it events by the methods; carry out what they return, in order.

    `again` is for one that takes the place of another whose process was killed: its children have been running before, so a start
    that fails is one more failure of theirs and not of the supervisor's own start, and the next child does not wait for it.
    """

    def __init__(self, spec: SupervisorSpec, *, again: bool = False) -> None:
        self.spec = spec
        self.phase: Phase = "starting"
        self.children: dict[str, Child] = {child.id: Child(child.id, child, was_ready=again) for child in spec.children}
        self._waits_for: tuple[ChildPhase, ...] = ("starting",) if again else ("starting", "restarting")
        self.restarts: tuple[float, ...] = ()
        self._last_word: Effect = ReportStopped()
        self._to_stop: list[str] = []

    def start(self) -> list[Effect]:
        """Begin with the first child."""
        return self._start_next()

    def ready(self, child_id: str, incarnation: int, now: float) -> list[Effect]:
        """A child is running."""
        child = self.children.get(child_id)
        if child is None or child.incarnation != incarnation or child.phase != "starting":
            return []
        child.phase = "running"
        child.ready_at = now
        effects: list[Effect] = [Note(child_id, "restarted" if child.was_ready else "started", child.incarnation)]
        child.was_ready = True
        return [*effects, *self._start_next()] if self.phase == "starting" else effects

    def exited(self, child_id: str, incarnation: int, ended: ExitSnapshot, now: float, chance: float) -> list[Effect]:
        """A child's life has ended; `chance` is in [0, 1)."""
        child = self.children.get(child_id)
        if child is None or child.incarnation != incarnation or child.phase not in _ALIVE:
            return []
        was, child.phase = child.phase, "stopped"
        effects: list[Effect] = [Note(child_id, "exited", incarnation)]
        if self.phase == "stopping":
            return [*effects, *self._stop_next()]
        if was == "stopping":
            del self.children[child_id]
            return [*effects, Discard(child_id)]
        if not child.was_ready:
            return [*effects, *self._start_failed(child_id, ended)]
        effects += self._judge(child, ended, now, chance)
        return [*effects, *self._start_next()] if self.phase == "starting" else effects

    def due(self, child_id: str, incarnation: int) -> list[Effect]:
        """A restart's delay is over."""
        child = self.children.get(child_id)
        if child is None or child.phase != "restarting" or child.incarnation != incarnation or self.phase == "stopping":
            return []
        return [self._begin(child)]

    def stop(self) -> list[Effect]:
        """Stop every child, the last one first, and then the supervisor."""
        if self.phase in ("stopping", "stopped"):
            return []
        self.phase = "stopping"
        for child in self.children.values():
            if child.phase in ("waiting", "restarting"):
                child.phase = "stopped"
        # Those that were being removed when the stop began are waited for first.
        self._to_stop = sorted(self.children, key=lambda child_id: self.children[child_id].phase == "stopping")
        return self._stop_next()

    def add(self, spec: AnySpec, incarnation: int, child_id: str) -> list[Effect]:
        """Start a further child, its first life being `incarnation`. The caller has made sure that its id is free."""
        if self.phase != "running":
            return []
        self.children[child_id] = Child(child_id, spec, "starting", incarnation)
        return [Begin(child_id, incarnation)]

    def remove(self, child_id: str) -> list[Effect]:
        """Stop a child and forget it."""
        child = self.children.get(child_id)
        if child is None or self.phase != "running":
            return []
        if child.phase in ("starting", "running"):
            child.phase = "stopping"
            return [End(child_id, child.incarnation)]
        if child.phase != "stopping":
            del self.children[child_id]
            return [Discard(child_id)]
        return []

    def restart(self, child_id: str) -> list[Effect]:
        """Start a child that is parked, stopped or waits for its restart, at once and with a clean record."""
        child = self.children.get(child_id)
        if child is None or self.phase != "running" or child.phase not in ("parked", "stopped", "restarting"):
            return []
        child.failures = 0
        child.restarts = ()
        return [self._begin(child)]

    def check_invariants(self) -> None:
        """Raise `AssertionError` where the state contradicts itself."""
        starting = [child for child in self.children.values() if child.phase == "starting" and not child.was_ready]
        assert self.phase != "starting" or len(starting) <= 1, "children start one after the other"  # noqa: S101
        if self.phase == "stopped":
            phases = {child.phase for child in self.children.values()}
            assert phases <= {"stopped", "parked"}, "a stopped supervisor has no child"  # noqa: S101
        if self.phase == "stopping":
            # One after the other, but for those that were being removed when the stop began.
            stopping = any(child.phase == "stopping" for child in self.children.values())
            assert stopping, "a supervisor that stops waits for a child"  # noqa: S101
        assert all(c.ready_at is None or c.was_ready for c in self.children.values())  # noqa: S101

    def _start_failed(self, child_id: str, ended: ExitSnapshot) -> list[Effect]:
        if self.phase == "running":
            del self.children[child_id]
            return [Discard(child_id)]
        self._last_word = ReportStartFailed(child_id, ended)
        return self.stop()

    def _judge(self, child: Child, ended: ExitSnapshot, now: float, chance: float) -> list[Effect]:
        ran_for = 0.0 if child.ready_at is None else now - child.ready_at
        child.ready_at = None
        parks = self.spec.on_exhausted == "park"
        past = strategy.History(child.restarts if parks else self.restarts, child.failures, ran_for)
        verdict, history = strategy.after_exit(self.spec, child.spec, ended.reason, past, now, chance)
        child.failures = history.failures_in_a_row
        if parks:
            child.restarts = history.restarts
        else:
            self.restarts = history.restarts
        match verdict:
            case strategy.Restart(delay_s):
                child.phase = "restarting"
                return [Schedule(child.id, child.incarnation, delay_s)] if delay_s > 0 else [self._begin(child)]
            case strategy.Leave():
                return []
            case strategy.Forget():
                del self.children[child.id]
                return [Discard(child.id)]
            case strategy.Exhausted(count) if parks:
                child.phase = "parked"
                return [Parked(child.id, count)]
            case strategy.Exhausted(count):
                self._last_word = ReportFailed(child.id, ended)
                return [Escalate(child.id, count), *self.stop()]

    def _begin(self, child: Child) -> Begin:
        child.incarnation += 1
        child.phase = "starting"
        return Begin(child.id, child.incarnation)

    def _start_next(self) -> list[Effect]:
        if any(child.phase in self._waits_for for child in self.children.values()):
            return []
        waiting = next((child for child in self.children.values() if child.phase == "waiting"), None)
        if waiting is not None:
            return [self._begin(waiting)]
        self.phase = "running"
        return [ReportReady()]

    def _stop_next(self) -> list[Effect]:
        while self._to_stop:
            child = self.children.get(self._to_stop[-1])
            if child is not None and child.phase == "stopping":
                return []
            if child is not None and child.phase in ("starting", "running"):
                child.phase = "stopping"
                return [End(child.id, child.incarnation)]
            self._to_stop.pop()
        self.phase = "stopped"
        return [self._last_word]
