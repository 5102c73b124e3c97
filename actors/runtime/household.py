"""Household: what the supervisors of one system share: clock, timers, events, and the making of children from specs."""

import os
import random
from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import structs

from . import signals
from .actor import Actor, ActorContext, ActorFactory, ClassFactory, factory_of
from .address import ActorPath, parse_path
from .cell import ActorCell
from .cell_spec import CellKind
from .clock import Clock
from .dead_letters import DeadLetters
from .dispatch.dispatcher import Dispatcher, DispatcherKind, DispatcherSource, Runnable
from .errors import NotBuiltError, RejectedError, SpecError
from .event import Event
from .events import EventLog
from .flight.recorder import FlightRecorder
from .globs import compile_glob
from .groups import Groups
from .guarded import GuardedCell
from .imports import load_actor
from .node.child import NodeChild, NodeSurroundings
from .node.host import NodeHost
from .ref import ActorRef
from .registry import Registry
from .snapshot import ExitSnapshot
from .succession import successor_of
from .supervision.children import ChildHandle
from .supervision.handle import SupervisorHandle
from .supervision.spec import AnySpec, ChildSpec, SupervisorSpec
from .supervision.supervisor import SupervisorActor
from .timers import Appointments
from .watch import Watches

DEPARTED_KEPT = 10_000
"""Children that are gone whose last life's number is kept, so that it grows should they be added again."""


class HangObserver(Protocol):
    """Who watches actors that have a `hang_after`."""

    def add(self, cell: ActorCell, hang_after_s: float) -> None:
        """Watch an actor until it is released."""
        ...


class Household:
    """What supervisors and cells of one system share. `parts` are what the node's setup has built, by name."""

    def __init__(
        self,
        *,
        clock: Clock,
        events: EventLog,
        dead_letters: DeadLetters,
        timers: Appointments,
        watches: Watches,
        groups: Groups,
        dispatchers: DispatcherSource,
        registry: Registry,
        node: str,
        make_ref: Callable[[ActorPath], ActorRef],
        host: Callable[[], tuple[NodeHost, NodeSurroundings]] | None,
    ) -> None:
        self.clock = clock
        self.events = events
        self.dead_letters = dead_letters
        self.timers = timers
        self.watches = watches
        self.random = random.Random()  # noqa: S311  # jitter, not secrets
        self.node = node
        self.pid = os.getpid()
        self.flight: FlightRecorder | None = None
        self.hangs: HangObserver | None = None
        self.parts: Mapping[str, object] = {}
        self.lives: dict[str, int] = {}
        self.ended: ExitSnapshot | None = None
        self.groups = groups
        self._dispatchers = dispatchers
        self._shared: Dispatcher | None = None
        # The one of the supervisor or actor above all others, which lives as long as the system.
        self._first: Dispatcher | None = None
        self._registry = registry
        self.make_ref = make_ref
        self._host = host
        self._kinds: dict[tuple[type[Actor], DispatcherKind], CellKind] = {}
        self._departed: dict[str, None] = {}
        self._inherited: frozenset[str] = frozenset()
        self._followed: set[str] = set()

    def ref(self, path: str) -> ActorRef:
        """Give a ref to the actor at `path`."""
        return self.make_ref(parse_path(path))

    def find(self, pattern: str) -> tuple[ActorRef, ...]:
        """Give refs to the actors of this process whose paths match, in the order in which they were added.

        `*` is one name, `**` any number, `?` one character. Raises `InvalidPathError`.
        """
        matches = compile_glob(pattern)
        return tuple(cell.ref for cell in self._registry.cells() if matches(cell.path))

    def run_soon(self, runnable: Runnable) -> None:
        """Run something on a thread of the system's, for the garbage collector: nothing is made, and no lock is taken.

        In a system that is closed it is not run any more.
        """
        if self._first is not None:
            self._first.schedule(runnable)

    def goes_on(self, path: ActorPath) -> bool:
        """Tell whether there was a life at `path` in a process that ended before this one."""
        return path in self._inherited

    def take_over(self, lives: Mapping[str, int], ended: ExitSnapshot | None) -> None:
        """Go on counting where another process left off, which ended so. Before anything is started."""
        self.lives.update(lives)
        self.ended = ended
        self._inherited = frozenset(lives) if ended is not None else frozenset()

    def first_incarnation(self, path: ActorPath) -> int:
        """Give the number of the first life here."""
        return self.lives.get(path, 0) + 1

    def remember_life(self, event: Event) -> None:
        """Listen to the events, so that a path's numbers grow also over a child that is removed and added again."""
        if event.type in ("actor.started", "actor.restarted", "actor.exited"):
            incarnation = event.fields.get("incarnation")
            if isinstance(incarnation, int) and incarnation > self.lives.get(event.path, 0):
                self.lives[event.path] = incarnation

    def new_child(
        self,
        path: ActorPath,
        spec: AnySpec,
        factory: ActorFactory | None,
        supervisor: SupervisorHandle,
    ) -> ChildHandle:
        """Make a child's handle and let it be found at `path`; `supervisor` is the way to its supervisor.

        Raises `SpecError` where what the spec names cannot be used.
        """
        if spec.process:
            return self._new_node(path, spec, supervisor.signal)
        return self.new_cell(path, spec, factory, supervisor.signal, supervisor)

    def handle_for_next_life(self, handle: ChildHandle, spec: AnySpec) -> ChildHandle:
        """Give the handle by which a child begins its next life: another one where a life that was given up holds a thread."""
        if not isinstance(handle, ActorCell):
            return handle
        cell = successor_of(handle, self._dispatchers, self._registry)
        if cell is not handle and self.hangs is not None and isinstance(spec, ChildSpec) and spec.hang_after is not None:
            self.hangs.add(cell, spec.hang_after)
        return cell

    def check_child(self, spec: AnySpec) -> None:
        """Raise `SpecError` where what the spec names cannot be used here. What a node needs is found out in the node."""
        if spec.process:
            return
        if isinstance(spec, SupervisorSpec):
            for child in spec.children:
                self.check_child(child)
        else:
            load_actor(spec.actor)
            self._needed(spec)

    def new_cell(
        self,
        path: ActorPath,
        spec: AnySpec,
        factory: ActorFactory | None,
        report: Callable[[signals.ChildReport], None],
        supervisor: SupervisorHandle | None = None,
    ) -> ActorCell:
        """Make an actor's cell in this process, whatever the spec says of nodes, and let it be found at `path`.

        `supervisor` is there where that is in this process too.
        """
        if isinstance(spec, SupervisorSpec):
            cell = self._supervisor_cell(path, spec, report)
            self._registry.add(cell)
            return cell
        # The class in hand, not one of the same name: its path may lead nowhere, or to another by now.
        actor = factory.actor if isinstance(factory, ClassFactory) else load_actor(spec.actor)
        dispatcher = spec.dispatcher or actor.dispatcher
        kind = self.kind_of(actor, dispatcher)
        made = factory or factory_of(actor, spec.args, {**spec.kwargs, **self._needed(spec)})
        on = self._dispatcher_of(dispatcher, path)
        if spec.hang_after is None or self._host is None:
            cell = ActorCell(path, kind, self, made, on, report, supervisor)
        else:
            # In a node, the process is killed for it.
            cell = GuardedCell(path, kind, self, made, on, report, supervisor, self._dispatchers.instead_of)
        if self._inherited:
            self._follow(cell)
        self._registry.add(cell)
        if spec.hang_after is not None and self.hangs is not None:
            self.hangs.add(cell, spec.hang_after)
        return cell

    def new_shared_cell(self, path: ActorPath, kind: CellKind, factory: ActorFactory, supervisor: SupervisorHandle) -> ActorCell:
        """Make a `shared` actor's cell whose first turn the caller runs, and let it be found at `path`."""
        shared = self._shared = self._shared or self._dispatchers.of_kind("shared", path)
        cell = ActorCell(path, kind, self, factory, shared, supervisor.signal, supervisor, scheduled=True)
        if self._inherited:
            self._follow(cell)
        self._registry.add(cell)
        return cell

    def forget_child(self, path: ActorPath) -> None:
        """Let nobody be found at `path`. The number of its last life is kept for a while, for a child that is added again."""
        self._registry.remove(path)
        self.groups.forget(path)
        self._departed[path] = None
        if len(self._departed) > DEPARTED_KEPT:
            gone = next(iter(self._departed))
            del self._departed[gone]
            if not self._registry.has(gone):
                self.lives.pop(gone, None)

    def kind_of(self, actor: type[Actor], dispatcher: DispatcherKind) -> CellKind:
        """Give what all cells of a class and dispatcher share."""
        known = self._kinds.get((actor, dispatcher))
        if known is not None:
            return known
        has_priorities = actor.priority_of.__func__ is not Actor.priority_of.__func__  # type: ignore[attr-defined]  # a classmethod
        kind = self._kinds[actor, dispatcher] = CellKind(
            actor,
            actor.__qualname__,
            actor.mailbox_capacity,
            actor.overflow,
            (RejectedError, *actor.expected_errors),
            actor.ask_failure,
            actor.attempts,
            actor.priority_of if has_priorities else None,
            runs_anywhere=dispatcher == "shared",
            is_async=dispatcher == "async",
            concurrency=actor.concurrency if dispatcher == "async" else 1,
            inline=actor.inline and dispatcher == "shared",
        )
        return kind

    def _supervisor_cell(self, path: ActorPath, spec: SupervisorSpec, report: Callable[[signals.ChildReport], None]) -> ActorCell:
        def make(context: ActorContext) -> Actor:
            made = SupervisorActor(spec, cell, self)
            made.context = context
            return made

        kind = CellKind(
            SupervisorActor,
            "Supervisor",
            is_supervisor=True,
            strategy=spec.strategy,
            intensity=spec.intensity,
            period_s=float(spec.period),
        )
        cell = ActorCell(path, kind, self, make, self._dispatcher_of("pinned", path), report)
        self._follow(cell)
        return cell

    def _dispatcher_of(self, kind: DispatcherKind, path: ActorPath) -> Dispatcher:
        dispatcher = self._dispatchers.of_kind(kind, path)
        self._first = self._first or dispatcher
        return dispatcher

    def _new_node(self, path: ActorPath, spec: AnySpec, report: Callable[[signals.ChildReport], None]) -> NodeChild:
        if self._host is None:
            raise NotBuiltError(f"{path}: a node inside a node is not built yet")
        host, surroundings = self._host()
        child = NodeChild(path, spec, host, surroundings, report)
        self._follow(child)
        return child

    def _needed(self, spec: ChildSpec) -> dict[str, object]:
        missing = [need for need in spec.needs if need not in self.parts]
        if missing:
            have = ", ".join(sorted(self.parts)) or "none"
            raise SpecError(f"child {spec.id!r}: needs: {missing}: the node's setup builds: {have}")
        return {need: self.parts[need] for need in spec.needs}

    def _follow(self, cell: ActorCell | NodeChild) -> None:
        """Say how the life before ended, if that was in a process before this one; only the first life here follows it."""
        if self.goes_on(cell.path) and cell.path not in self._followed:
            self._followed.add(cell.path)
            # The process's stacks are its own story, told once, at the node itself.
            cell.last_exit = None if self.ended is None else structs.replace(self.ended, stack=None)
