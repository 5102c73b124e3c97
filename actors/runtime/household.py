"""Household: what the supervisors of one system share: clock, timers, events, and the making of children from specs."""

import os
import random
from collections.abc import Callable, Mapping

from . import signals
from .actor import Actor, ActorContext, ActorFactory, ClassFactory, factory_of
from .address import ActorPath
from .cell import ActorCell
from .cell_spec import CellSpec
from .clock import Clock
from .dead_letters import DeadLetters
from .dispatcher import Dispatchers
from .errors import NotBuiltError, SpecError
from .events import Event, EventLog
from .imports import load_actor
from .node.child import NodeChild, NodeSurroundings
from .node.host import NodeHost
from .ref import ActorRef
from .registry import Entry, Registry
from .snapshot import ExitSnapshot
from .supervision.children import ChildHandle, LocalChild
from .supervision.handle import SupervisorHandle
from .supervision.spec import AnySpec, ChildSpec, SupervisorSpec
from .supervision.supervisor import SupervisorActor
from .timers import Timers


class Household:
    """What supervisors and cells of one system share. `parts` are what the node's setup has built, by name."""

    def __init__(
        self,
        *,
        clock: Clock,
        events: EventLog,
        dead_letters: DeadLetters,
        timers: Timers,
        dispatchers: Dispatchers,
        registry: Registry,
        node: str,
        make_ref: Callable[[str], ActorRef],
        host: Callable[[], tuple[NodeHost, NodeSurroundings]] | None,
    ) -> None:
        self.clock = clock
        self.events = events
        self.dead_letters = dead_letters
        self.timers = timers
        self.random = random.Random()  # noqa: S311  # jitter, not secrets
        self.node = node
        self.pid = os.getpid()
        self.parts: Mapping[str, object] = {}
        self.lives: dict[str, int] = {}
        self.ended: ExitSnapshot | None = None
        self._dispatchers = dispatchers
        self._registry = registry
        self._make_ref = make_ref
        self._host = host
        self._made: set[ActorPath] = set()

    def ref(self, path: str) -> ActorRef:
        """Give a ref to the actor at `path`."""
        return self._make_ref(path)

    def goes_on(self, path: ActorPath) -> bool:
        """Tell whether there was a life at `path` in a process that ended before this one."""
        return self.ended is not None and path in self.lives

    def first_incarnation(self, path: ActorPath) -> int:
        """Give the number of the first life here."""
        return self.lives.get(path, 0) + 1

    def remember_life(self, event: Event) -> None:
        """Listen to the events, so that a path's numbers grow also over a child that is removed and added again."""
        incarnation = event.fields.get("incarnation")
        if event.type in ("actor.started", "actor.restarted") and isinstance(incarnation, int):
            self.lives[event.path] = max(incarnation, self.lives.get(event.path, 0))

    def new_child(
        self, path: ActorPath, spec: AnySpec, factory: ActorFactory | None, signal: Callable[[object], None]
    ) -> ChildHandle:
        """Make a child's handle and let it be found at `path`; `signal` puts a signal into the mailbox of its supervisor.

        Raises `SpecError` where what the spec names cannot be used.
        """
        if spec.process:
            return self._new_node(path, spec, signal)
        return LocalChild(self.new_cell(path, spec, factory, signal, SupervisorHandle(signal)))

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
            self._registry.add(Entry(cell, SupervisorActor))
            return cell
        # The class in hand, not one of the same name: its path may lead nowhere, or to another by now.
        actor = factory.actor if isinstance(factory, ClassFactory) else load_actor(spec.actor)
        kind = spec.dispatcher or actor.dispatcher
        made = factory or factory_of(actor, spec.args, {**spec.kwargs, **self._needed(spec)})
        dispatcher = self._dispatchers.of_kind(kind, path)
        described = CellSpec(path, spec.actor.rpartition(":")[2], actor.mailbox_capacity, is_async=kind == "async")
        cell = ActorCell(described, self, made, dispatcher, report, supervisor)
        self._remember(cell)
        self._registry.add(Entry(cell, actor))
        return cell

    def forget_child(self, path: ActorPath) -> None:
        """Let nobody be found at `path`."""
        self._registry.remove(path)

    def _supervisor_cell(self, path: ActorPath, spec: SupervisorSpec, report: Callable[[signals.ChildReport], None]) -> ActorCell:
        def make(context: ActorContext) -> Actor:
            made = SupervisorActor(spec, cell, self)
            made.context = context
            return made

        described = CellSpec(
            path,
            "Supervisor",
            SupervisorActor.mailbox_capacity,
            is_async=False,
            is_supervisor=True,
            strategy=spec.strategy,
            intensity=spec.intensity,
            period_s=float(spec.period),
        )
        cell = ActorCell(described, self, make, self._dispatchers.of_kind("pinned", path), report)
        self._remember(cell)
        return cell

    def _new_node(self, path: ActorPath, spec: AnySpec, report: Callable[[signals.ChildReport], None]) -> NodeChild:
        if self._host is None:
            raise NotBuiltError(f"{path}: a node inside a node is not built yet")
        host, surroundings = self._host()
        child = NodeChild(path, spec, host, surroundings, report)
        if self._is_successor(path):
            child.last_exit = self.ended
        return child

    def _needed(self, spec: ChildSpec) -> dict[str, object]:
        missing = [need for need in spec.needs if need not in self.parts]
        if missing:
            have = ", ".join(sorted(self.parts)) or "none"
            raise SpecError(f"child {spec.id!r}: needs: {missing}: the node's setup builds: {have}")
        return {need: self.parts[need] for need in spec.needs}

    def _remember(self, cell: ActorCell) -> None:
        if self._is_successor(cell.path):
            cell.last_exit = self.ended

    def _is_successor(self, path: ActorPath) -> bool:
        """Tell whether a life that is about to be made follows one of an earlier process; only the first one does."""
        first, known = path not in self._made, path in self.lives
        self._made.add(path)
        return first and known
