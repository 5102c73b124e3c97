"""ActorSystem: a tree of actors, from Python. Its root lives in this process; children may have processes of their own.

Nothing is global, so several systems live in one process.
"""

import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

import msgspec

from . import signals
from .actor import Actor
from .address import ROOT, ActorPath, parse_path
from .assembly import assemble
from .clock import Clock, SystemClock, timestamp
from .dead_letters import DeadLetters
from .dispatch.dispatcher import DispatcherSource
from .errors import StartError, UsageError
from .events import EventLog
from .flight.files import name_life
from .future import Future
from .groups import Groups
from .hang_keeper import HangKeeper
from .kernel_records import NODE as KERNEL
from .kernel_records import KernelRecords
from .link import Link
from .log_writer import LogWriter
from .node import words
from .node.child import NodeSurroundings, lives_below
from .node.host import NodeHost
from .origin import origins_of
from .ref import ActorRef
from .ref_wire import ref_codec
from .run_directory import RunDirectory
from .snapshot import ExitSnapshot, TreeSnapshot
from .spawning import NO_KWARGS, Spawner, SpawnOptions
from .supervision.handle import SupervisorHandle
from .supervision.spec import AnySpec, SupervisorSpec
from .threading_actor import Entered, enter, leave
from .timers import Appointments
from .transport.base import NodeAddress
from .transport.zeromq import ZeromqTransport
from .waiting import refuse_on_event_loop

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
OWN_PACKAGES = ("actors",)


class ActorSystem:
    """A running tree. Use it as a context manager, or `stop` it; it owns threads, processes and a run directory.

    `root` says what to start below `/`; more is added by `spawn`. `run_dir` is where nodes find each other: a temporary folder
    where none is given. `packages` must come from the same files in every process. `search_path` are folders that its nodes
    import from, after all others; a change holds for those that start from then on. `timers` and `dispatchers` are for a system
    without threads, as `actors.runtime.testing` has one. `spares` processes are kept ready for nodes to begin in. `records`,
    `node_main` (what a node's process runs) and `adopts_orphans` are for a kernel, a process of its own. Within its `with` block,
    `ThreadingActor.start` starts actors in it. Any thread may call any method, but an actor must not call `spawn`, `remove`,
    `restart` and `stop`, which wait.
    """

    def __init__(
        self,
        name: str = "system",
        root: SupervisorSpec | None = None,
        *,
        clock: Clock | None = None,
        run_dir: RunDirectory | None = None,
        packages: Sequence[str] = OWN_PACKAGES,
        preload: Sequence[str] = (),
        search_path: Sequence[str] = (),
        timers: Appointments | None = None,
        dispatchers: DispatcherSource | None = None,
        records: KernelRecords | None = None,
        node_main: str | None = None,
        spares: int = 0,
        adopts_orphans: bool = False,
    ) -> None:
        self.name = name
        clock = clock or SystemClock()
        self._parts = assemble(
            name, "kernel", clock, self._node_host, life_of_node=self._life_of_node, timers=timers, dispatchers=dispatchers
        )
        self._packages = packages
        self._preload = preload
        self._node_main = node_main
        self._spares = spares
        self._adopts_orphans = adopts_orphans
        self.search_path: Sequence[str] = search_path
        self._logs = LogWriter() if records is None else records.logs
        self._logs.on_lost = self._on_log_lost
        self._owns_logs = records is None
        if records is not None and records.recorder is not None:
            self._parts.household.flight = records.recorder
            self._parts.events.listen(records.recorder.on_event)
        self._run_dir = run_dir
        self._temporary: Path | None = None
        self._host: NodeHost | None = None
        self._lock = threading.Lock()
        self._started: Future[None] = Future()
        self._ended: Future[ExitSnapshot] = Future()
        self._stopping = False
        self._closed = False
        self._is_running = False
        self._entered_before: Entered | None = None
        self._hangs = self._parts.household.hangs = HangKeeper(clock, self._parts.timers, self._parts.events)
        spec = root or SupervisorSpec("root", on_exhausted="park")
        self._root = self._parts.household.new_cell(ROOT, spec, None, self._report)
        self._spawner = Spawner(self._root, self._parts.household.kind_of)

    @property
    def events(self) -> EventLog:
        """What happens in the whole tree."""
        return self._parts.events

    @property
    def dead_letters(self) -> DeadLetters:
        """Messages of this process that could not be handled."""
        return self._parts.dead_letters

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        return self._parts.clock

    @property
    def lives(self) -> dict[str, int]:
        """The last incarnation of each path, from which the next is counted."""
        return self._parts.household.lives

    def take_over(self, lives: Mapping[str, int], ended: ExitSnapshot | None) -> None:
        """Go on counting where another process left off, which ended so. Before `begin`."""
        self._parts.household.take_over(lives, ended)
        if ROOT in lives:
            self._root.last_exit = ended

    @property
    def ended(self) -> Future[ExitSnapshot]:
        """Resolves when the root has ended, by being stopped or by failing."""
        return self._ended

    def begin(self) -> Future[None]:
        """Start the root and what its spec names; the future resolves when all of it is running."""
        with self._lock:
            if self._root.incarnation == 0 and not self._stopping:
                self._root.start(self._parts.household.first_incarnation(ROOT))
        return self._started

    def ref(self, path: str) -> ActorRef:
        """Give a ref to the actor at `path`, whether or not one lives there. Raises `InvalidPathError`."""
        return self._parts.ref(path)

    def ask_encoded(self, path: ActorPath, tag: str, body: msgspec.Raw, timeout: float) -> Future[msgspec.Raw]:
        """Ask an actor of a node with a message that is encoded already: how the control socket passes questions on."""
        return self._parts.delivery.ask_encoded(path, tag, body, timeout)

    def spawn(
        self,
        actor: type[Actor] | AnySpec,
        *,
        name: str | None = None,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[SpawnOptions],
    ) -> ActorRef:
        """Start an actor (or a whole spec) below `/` and give its ref once it is running.

        Raises what its `on_start` raised; `NameTakenError`, `SpecError`, or `StartError` where it did not become ready. With
        `process=True` it gets a process of its own, and `args` and `kwargs` must be plain data. Otherwise they may be anything.
        """
        self._wait_for_start()
        return self._spawner.spawn(actor, name, args, kwargs or NO_KWARGS, options)

    def remove(self, name: str) -> None:
        """Stop a child of `/` and forget it; returns once it is gone. Raises `NoSuchActorError`."""
        refuse_on_event_loop()
        self.supervisor.remove(name).get(STOP_TIMEOUT_S)

    def restart(self, name: str) -> ActorRef:
        """Stop a child of `/` and start it again, or start one that is parked or stopped, with a clean record.

        Raises `NoSuchActorError`. What else may be done with the children of `/` is `supervisor`'s.
        """
        refuse_on_event_loop()
        return self.supervisor.restart(name).get(START_TIMEOUT_S)

    @property
    def supervisor(self) -> SupervisorHandle:
        """The way to the supervisor of `/`'s children: to add, stop, start, restart, remove and reload them without waiting."""
        return SupervisorHandle(self._root.signal)

    def supervisor_of(self, path: str) -> SupervisorHandle:
        """Give the way to the children of the supervisor at `path`. Raises `NoSuchActorError` or `UsageError`."""
        return self._parts.supervisor_of(parse_path(path))

    def find(self, pattern: str) -> tuple[ActorRef, ...]:
        """Give refs to the actors of this process whose paths match: `*` is one name, `**` any number, `?` one character.

        In the order in which they were added. Raises `InvalidPathError`.
        """
        return self._parts.household.find(pattern)

    @property
    def groups(self) -> Groups:
        """Named groups of actors, and topics."""
        return self._parts.groups

    def watch(self, target: ActorRef, watcher: ActorRef) -> None:
        """Have `watcher` told `Terminated(path, incarnation, reason)` of each life of `target` that ends, until `unwatch`.

        Where nobody lives at the path, it is told so at once, with incarnation 0.
        """
        self._parts.watches.watch(target.path, watcher)

    def unwatch(self, target: ActorRef, watcher: ActorRef) -> None:
        """Have `watcher` told of `target` no longer."""
        self._parts.watches.unwatch(target.path, watcher.path)

    def snapshot(self) -> TreeSnapshot:
        """Give the whole tree. Nodes have 0.3 s to answer; of one that does not, the last known state is given."""
        if self._host is not None:
            self._host.refresh()
        return TreeSnapshot(system=self.name, node="kernel", at=timestamp(self.clock.wall()), root=self._root.snapshot())

    def probe_nodes(self, on_answer: Callable[[], None]) -> None:
        """Have `on_answer` called by the thread that watches the nodes, which never does where it hangs; at once without one."""
        if self._host is None:
            on_answer()
        else:
            self._host.probe(on_answer)

    def supervisor_at(self, path: str) -> SupervisorHandle:
        """The way to a supervisor of this process. Raises `NoSuchActorError` and `InvalidPathError`."""
        return SupervisorHandle(self._parts.registry.find(parse_path(path)).signal)

    def set_maintenance(self, path: str, *, on: bool) -> None:
        """Only report what hangs at `path` and below, and leave it alone, until this is off again. Raises `InvalidPathError`.

        A process that hangs as a whole, so that nobody knows which of its actors it is, is left alone where it is the node itself
        that is at `path` or below.
        """
        self._hangs.maintenance.set(parse_path(path), on=on)

    def kill_node(self, path: str) -> None:
        """Kill the process of the node at `path`; its supervisor restarts it."""
        if self._host is not None:
            self._host.kill(path)

    def kill_nodes(self) -> None:
        """Kill every node's process. For a kernel that has no time left."""
        if self._host is not None:
            self._host.kill_all()

    def tell_node(self, node: str, word: words.ToNode) -> None:
        """Say a word to a node's process, which it may never hear."""
        if self._host is not None:
            self._host.send(node, word)

    def hurry_nodes(self) -> None:
        """Tell every node to leave at once, with its last words, and without waiting for its actors."""
        if self._host is not None:
            self._host.hurry_all()

    def begin_stop(self) -> Future[ExitSnapshot]:
        """Stop everything in reverse order; the future resolves when the root has ended."""
        with self._lock:
            self._stopping = True
            never_began = self._root.incarnation == 0
        if never_began:
            self._ended.set_result(ExitSnapshot("shutdown", at=timestamp(self.clock.wall())))
        else:
            self._root.stop()
        return self._ended

    def stop(self, timeout: float = STOP_TIMEOUT_S) -> None:
        """Stop everything in reverse order, kill what has not stopped within `timeout` seconds, and free what is owned."""
        refuse_on_event_loop()
        try:
            self.begin_stop().get(timeout)
        finally:
            self.close()

    def close(self) -> None:
        """Free threads, processes and the temporary run directory, without waiting for actors."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._host is not None:
            self._host.close()
        self._parts.close()
        if self._owns_logs:
            self._logs.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
        # The first counts: where the root has ended in its own way, that stands.
        self._ended.set_result(ExitSnapshot("killed", at=timestamp(self.clock.wall()), error="the system was closed"))

    def __enter__(self) -> Self:
        try:
            self._wait_for_start()
        except BaseException:  # whatever it was, there will be no `__exit__` to free what is owned
            self.close()
            raise
        self._entered_before = enter(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        leave(self._entered_before)
        self.stop()

    def boot_of(self, path: ActorPath, incarnation: int, spec: bytes, ended: ExitSnapshot | None) -> words.Boot:
        """Give the boot message for a life of the node at `path`."""
        run_dir = self._own_run_dir()
        return words.Boot(
            system=self.name,
            path=path,
            incarnation=incarnation,
            spec=spec,
            run_dir=str(run_dir.path),
            flight=name_life(run_dir.flight, run_dir.log_of(path).stem, self.clock.wall(), incarnation),
            endpoint=run_dir.endpoint(path, incarnation),
            origins=origins_of(self._packages),
            lives=lives_below(self.lives, path),
            ended=ended,
            search_path=list(self.search_path),
        )

    def _wait_for_start(self) -> None:
        if self._is_running and not self._stopping and not self._closed:
            return
        if self._closed or self._stopping:
            raise UsageError(f"the system {self.name!r} has been stopped")
        self.begin().get(START_TIMEOUT_S)
        self._is_running = True

    def _report(self, report: signals.ChildReport) -> None:
        match report:
            case signals.ChildReady(incarnation=incarnation):
                self.events.publish("actor.started", ROOT, incarnation=incarnation)
                self._started.set_result(None)
            case signals.ChildExited(exit=ended, error=error):
                self._started.set_error(error or StartError(f"the root ended: {ended.error or ended.reason}"))
                self._ended.set_result(ended)

    def _on_log_lost(self, node: str, count: int) -> None:
        self.events.publish("log.dropped", ROOT if node == KERNEL else node, count=count)

    def _own_run_dir(self) -> RunDirectory:
        with self._lock:
            if self._run_dir is None:
                self._temporary = Path(tempfile.mkdtemp(prefix="actors-"))
                self._run_dir = RunDirectory(self._temporary)
                self._run_dir.sweep()
            return self._run_dir

    def _node_host(self) -> tuple[NodeHost, NodeSurroundings]:
        run_dir = self._own_run_dir()
        with self._lock:
            if self._host is None:
                self._host = self._new_host(run_dir)
            return self._host, self

    def _life_of_node(self, path: ActorPath) -> int | None:
        life = None if self._host is None else self._host.life_of(path)
        return life.address.incarnation if life is not None and life.is_ready else None

    def _on_link_failed(self, reason: str) -> None:
        self._root.fail(StartError(f"the link to the nodes failed: {reason}"))

    def _new_host(self, run_dir: RunDirectory) -> NodeHost:
        parts = self._parts
        host = NodeHost(
            run_dir,
            parts.clock,
            parts.events,
            origins_of(self._packages),
            self._preload,
            self._logs,
            node_main=self._node_main,
            spares=self._spares,
            adopts_orphans=self._adopts_orphans,
        )
        incarnation = self._root.incarnation
        endpoint = run_dir.endpoint("/", incarnation)
        link = Link(parts.local(ROOT, self._on_link_failed), ref_codec(parts.ref), f"/#{incarnation}", endpoint, ZeromqTransport)
        host.own_address = NodeAddress(ROOT, incarnation, endpoint)
        host.on_routes = link.set_routes
        host.on_failed = lambda reason: self._root.fail(StartError(f"the nodes are watched no more: {reason}"))
        host.hangs.maintenance = self._hangs.maintenance
        parts.delivery.link = link
        return host
