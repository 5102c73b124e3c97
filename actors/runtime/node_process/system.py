"""NodeSystem: the part of the tree that runs in a node: the actor at the node's top and everything below it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .. import signals
from ..address import ActorPath, parse_path
from ..assembly import Assembly, assemble
from ..clock import Clock, SystemClock
from ..errors import SpecError
from ..events import Event
from ..imports import load
from ..link import Link, LocalActor
from ..ref import ActorRef
from ..ref_wire import ref_codec
from ..snapshot import ActorSnapshot, ExitSnapshot
from ..supervision.children import LocalChild
from ..supervision.spec import AnySpec
from ..transport.base import NodeAddress
from ..transport.zeromq import ZeromqTransport
from . import words


class SetupContext(NamedTuple):
    """What a node's `setup` may use to build the parts that its actors need."""

    path: ActorPath
    run_dir: str
    clock: Clock
    ref: Callable[[str], ActorRef]


class NodeLocal:
    """What the link of a node needs of its system."""

    def __init__(self, parts: Assembly, path: ActorPath) -> None:
        self.clock = parts.clock
        self.timers = parts.timers
        self.events = parts.events
        self.dead_letters = parts.dead_letters
        self.path = path
        self._delivery = parts.delivery

    def local_actor(self, path: str) -> LocalActor:
        """Give the actor at `path` in this process. Raises `NoSuchActorError`."""
        return self._delivery.local_actor(path)


class NodeSystem:
    """One node's system. `begin` it once; it reports readiness and its end through the callbacks, on its own threads."""

    def __init__(
        self,
        boot: words.Boot,
        spec: AnySpec,
        *,
        on_event: Callable[[Event], None],
        on_exit: Callable[[ExitSnapshot], None],
    ) -> None:
        path = parse_path(boot.path)
        self._boot = boot
        self._on_exit = on_exit
        self._on_ready: Callable[[ActorSnapshot], None] | None = None
        self._parts = assemble(boot.system, boot.path, SystemClock())
        self._parts.events.listen(on_event)
        household = self._parts.household
        household.lives, household.ended = boot.lives, boot.ended
        codec = ref_codec(self._parts.ref)
        identity = f"{boot.path}#{boot.incarnation}"
        self._link = Link(NodeLocal(self._parts, path), codec, identity, boot.endpoint, ZeromqTransport)
        self._parts.delivery.link = self._link
        household.parts = self._build_parts(spec, path)
        self._top = LocalChild(household.new_cell(path, spec, None, self._report))
        self._top.last_exit = boot.ended

    def begin(self, on_ready: Callable[[ActorSnapshot], None]) -> None:
        """Start the actor at the node's top; `on_ready` is given its first snapshot."""
        self._on_ready = on_ready
        self._top.begin(self._boot.incarnation)

    def begin_stop(self) -> None:
        """Stop in order; `on_exit` follows."""
        self._top.end()

    def close(self) -> None:
        """Let the last answers leave, and close the link."""
        self._link.close()

    def top_snapshot(self) -> ActorSnapshot:
        """Give the node's part of the tree."""
        return self._top.snapshot()

    def set_routes(self, nodes: list[str], addresses: list[NodeAddress]) -> None:
        """Take from the kernel where the other nodes are."""
        self._link.set_routes([ActorPath(node) for node in nodes], addresses)

    def _report(self, report: signals.ChildReport) -> None:
        match report:
            case signals.ChildReady() if self._on_ready is not None:
                self._on_ready(self._top.snapshot())
            case signals.ChildExited(exit=ended):
                self._on_exit(ended)
            case _:
                pass

    def _build_parts(self, spec: AnySpec, path: ActorPath) -> Mapping[str, object]:
        if spec.setup is None:
            return {}
        context = SetupContext(path, self._boot.run_dir, self._parts.clock, self._parts.ref)
        built = load(spec.setup)(context, **spec.setup_args)
        if not isinstance(built, Mapping):
            raise SpecError(f"{spec.id!r}: setup: {spec.setup} must return a mapping from names to parts")
        return built
