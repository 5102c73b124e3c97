"""Assembly: the parts of the runtime that every system has, made once and handed to who needs them."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from .address import ROOT, ActorPath, parse_path
from .clock import Clock
from .dead_letters import DeadLetters
from .delivery import Delivery
from .dispatch.dispatcher import DispatcherSource
from .dispatch.dispatchers import Dispatchers
from .errors import UsageError
from .events import EventLog
from .groups import Groups
from .household import Household
from .link import LocalActor
from .node.child import NodeSurroundings
from .node.host import NodeHost
from .ref import ActorRef
from .registry import Registry
from .supervision.handle import SupervisorHandle
from .timers import Appointments, Timers
from .watch import Watches


class LinkedSystem:
    """What a link needs of its system."""

    def __init__(self, parts: "Assembly", path: ActorPath, on_link_failed: Callable[[str], None]) -> None:
        self.on_link_failed = on_link_failed
        self.clock = parts.clock
        self.timers = parts.timers
        self.events = parts.events
        self.dead_letters = parts.dead_letters
        self.path = path
        self._delivery = parts.delivery

    def local_actor(self, path: str) -> LocalActor:
        """Give the actor at `path` in this process. Raises `NoSuchActorError`."""
        return self._delivery.local_actor(path)


class Assembly(NamedTuple):
    """The parts of one system."""

    clock: Clock
    events: EventLog
    dead_letters: DeadLetters
    timers: Appointments
    dispatchers: DispatcherSource
    registry: Registry
    delivery: Delivery
    household: Household
    watches: Watches
    groups: Groups

    def ref(self, path: str) -> ActorRef:
        """Give a ref to the actor at `path`, whether or not one lives there. Raises `InvalidPathError`."""
        return ActorRef(self.delivery, parse_path(path))

    def supervisor_of(self, path: ActorPath) -> SupervisorHandle:
        """Give the way to the children of the supervisor at `path`. Raises `NoSuchActorError` or `UsageError`."""
        cell = self.registry.find(path)
        if not cell.kind.is_supervisor:
            raise UsageError(f"{path} is no supervisor of this process")
        return SupervisorHandle(cell.signal)

    def local(self, path: ActorPath, on_link_failed: Callable[[str], None]) -> LinkedSystem:
        """Give what a link of the node at `path` needs; `on_link_failed` hears why it can reach no other process any more."""
        return LinkedSystem(self, path, on_link_failed)

    def close(self) -> None:
        """Stop every mailbox, timer and thread of the system. What is stuck in a handler is left behind."""
        self.timers.close()
        self.watches.close()
        for cell in self.registry.cells():
            cell.release()
        self.dispatchers.close()
        if self.delivery.link is not None:
            self.delivery.link.close()


def assemble(
    name: str,
    node: ActorPath | str,
    clock: Clock,
    host: Callable[[], tuple[NodeHost, NodeSurroundings]] | None = None,
    *,
    life_of_node: Callable[[ActorPath], int | None] = lambda _: None,
    timers: Appointments | None = None,
    dispatchers: DispatcherSource | None = None,
) -> Assembly:
    """Make the parts of a system called `name` whose events and snapshots say `node`; `host` is for one that may have nodes.

    `life_of_node` gives the number of the life of a node that is up. `timers` and `dispatchers` are for a system that has no
    threads of its own.
    """
    events = EventLog(clock, node)
    dead_letters = DeadLetters(clock, events)
    timers = timers or Timers(clock)
    registry = Registry()
    delivery = Delivery(registry)

    def on_starved(threads: int, waiting: int, grown: bool) -> None:
        within = ROOT if host is not None else node
        events.publish("dispatcher.starved", within, dispatcher="shared", threads=threads, waiting=waiting, grown=grown)

    dispatchers = dispatchers or Dispatchers(name, on_starved)

    def life_at(path: ActorPath) -> int | None:
        life = registry.life_at(path)
        return life_of_node(path) if life is None else life

    watches = Watches(events, dead_letters, life_at, node=node, within=ROOT if host is not None else parse_path(node))
    groups = Groups(events)
    household = Household(
        clock=clock,
        events=events,
        dead_letters=dead_letters,
        timers=timers,
        watches=watches,
        groups=groups,
        dispatchers=dispatchers,
        registry=registry,
        node=node,
        make_ref=partial(ActorRef, delivery),
        host=host,
    )
    events.listen(household.remember_life)
    return Assembly(clock, events, dead_letters, timers, dispatchers, registry, delivery, household, watches, groups)
