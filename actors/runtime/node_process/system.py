"""NodeSystem: the part of the tree that runs in a node: the actor at the node's top and everything below it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from .. import signals
from ..address import ActorPath, name_of, parent_of, parse_path
from ..assembly import assemble
from ..chaos.faults import InsideKind
from ..clock import Clock, SystemClock, timestamp
from ..errors import ActorRuntimeError, SpecError
from ..event import Event
from ..exits import describe
from ..flight.recorder import FlightRecorder
from ..future import Future
from ..hang_watch import HangWatch
from ..imports import load
from ..link import Link
from ..node import words
from ..ref import ActorRef
from ..ref_wire import ref_codec
from ..snapshot import ActorSnapshot, ExitSnapshot
from ..supervision.difference import Difference
from ..supervision.orders import Reload, RestartChild
from ..supervision.spec import AnySpec, SupervisorSpec, decode_spec
from ..transport.base import NodeAddress
from ..transport.zeromq import ZeromqTransport
from .fault_injection import inject


class SetupContext(NamedTuple):
    """What a node's `setup` may use to build the parts that its actors need.

    `listen` calls back with every event of this node's actors, on their threads, until what it returns is called. `publish`
    publishes one: its type, the path it is about, and fields.
    """

    path: ActorPath
    run_dir: str
    clock: Clock
    ref: Callable[[str], ActorRef]
    listen: Callable[[Callable[[Event], None]], Callable[[], None]]
    publish: Callable[..., Event]


class NodeSystem:
    """One node's system. `begin` it once; it reports readiness and its end through the callbacks, on its own threads."""

    def __init__(
        self,
        boot: words.Boot,
        spec: AnySpec,
        *,
        on_event: Callable[[Event], None],
        on_exit: Callable[[ExitSnapshot], None],
        hangs: HangWatch,
        recorder: FlightRecorder | None = None,
    ) -> None:
        path = parse_path(boot.path)
        self._boot = boot
        self._on_exit = on_exit
        self._on_ready: Callable[[ActorSnapshot], None] | None = None
        self._parts = assemble(boot.system, boot.path, SystemClock())
        household = self._parts.household
        household.hangs = hangs
        if recorder is not None:
            household.flight = recorder
            self._parts.events.listen(recorder.on_event)
        self._parts.events.listen(on_event)
        household.take_over(boot.lives, boot.ended)
        codec = ref_codec(self._parts.ref)
        identity = f"{boot.path}#{boot.incarnation}"
        self._link = Link(self._parts.local(path, self._on_link_failed), codec, identity, boot.endpoint, ZeromqTransport)
        self._parts.delivery.link = self._link
        household.parts = self._build_parts(spec, path)
        self._top = household.new_cell(path, spec, None, self._report)
        self._top.last_exit = boot.ended

    def begin(self, on_ready: Callable[[ActorSnapshot], None]) -> None:
        """Start the actor at the node's top; `on_ready` is given its first snapshot."""
        self._on_ready = on_ready
        self._top.start(self._boot.incarnation)

    def begin_stop(self) -> None:
        """Stop in order; `on_exit` follows."""
        self._top.stop()

    def reload(self, spec: bytes) -> None:
        """Let the supervisor at the node's top become what this spec says; an event tells what keeps it from that."""
        done: Future[Difference] = Future()
        done.add_done_callback(self._reloaded)
        self._top.reload(Reload(cast("SupervisorSpec", decode_spec(spec)), done))

    def _reloaded(self, done: "Future[Difference]") -> None:
        error = done.error()
        if error is not None:
            self._parts.events.publish("supervisor.reload_failed", self._top.path, error=describe(error))

    def start_again(self, path: str) -> None:
        """Let the supervisor of the actor at `path` start that again; an event tells what keeps it from that."""

        def tell(done: "Future[ActorRef]") -> None:
            error = done.error()
            if error is not None:
                self._parts.events.publish("actor.start_again_failed", path, error=describe(error))

        done: Future[ActorRef] = Future()
        done.add_done_callback(tell)
        try:
            child = parse_path(path)
            self._parts.registry.find(parent_of(child)).signal(RestartChild(name_of(child), done))
        except ActorRuntimeError as error:
            done.set_error(error)

    def close(self) -> None:
        """Account for what waits in the mailboxes, let the last answers leave, and close the link."""
        for cell in self._parts.registry.cells():
            cell.close(cell.state)
        self._link.close()

    def top_snapshot(self) -> ActorSnapshot:
        """Give the node's part of the tree."""
        return self._top.snapshot()

    def inject_fault(self, path: str, kind: InsideKind) -> None:
        """Have an actor of this node commit a fault. What prevents it is an event: nobody waits for an answer."""
        try:
            inject(self._parts.registry.find(path), kind)
        except ActorRuntimeError as error:
            self._parts.events.publish("fault.refused", path, kind=kind, reason=str(error))

    def set_routes(self, nodes: list[str], addresses: list[NodeAddress]) -> None:
        """Take from the kernel where the other nodes are."""
        self._link.set_routes([ActorPath(node) for node in nodes], addresses)

    def _on_link_failed(self, reason: str) -> None:
        at = timestamp(self._parts.clock.wall())
        self._on_exit(ExitSnapshot("failed", at=at, error=f"the link to other processes failed: {reason}"))

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
        parts = self._parts
        context = SetupContext(path, self._boot.run_dir, parts.clock, parts.ref, parts.events.listen, parts.events.publish)
        built = load(spec.setup)(context, **spec.setup_args)
        if not isinstance(built, Mapping):
            raise SpecError(f"{spec.id!r}: setup: {spec.setup} must return a mapping from names to parts")
        return built
