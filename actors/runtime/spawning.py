"""Spawning: how a thread outside of the tree adds a child to its root, and is back when that runs.

A `shared` actor begins on the spawner's thread, which also does what the root has to do about it, as long as the root has nothing
else to do: to hand the order to the root's thread and to wait for it would be two changes of thread, each ten times as much as
the order itself. A supervisor does nothing that belongs to a thread, and the flag of its cell sees to it that one thread at a
time runs it. It is free while the actor's own code runs.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

from . import turns
from .actor import Actor, ActorFactory, ClassFactory
from .address import is_name
from .cell import ActorCell
from .cell_spec import CellKind
from .dispatch.dispatcher import DispatcherKind
from .errors import ActorRuntimeError, NoSuchActorError, StartError, UsageError
from .future import Future
from .ref import ActorRef
from .signals import ChildReady
from .supervision.orders import AddChild, StartChild
from .supervision.spec import AnySpec, Backoff, ChildSpec, RestartType, Shutdown, SupervisorSpec
from .supervision.supervisor import SupervisorActor
from .waiting import refuse_on_event_loop

MARGIN_S = 30.0
"""How long after its own bound a supervisor may take to give up on a child that does not start."""

NO_KWARGS: Mapping[str, Any] = MappingProxyType({})


class SpawnOptions(TypedDict, total=False):
    """What `spawn` takes beside the class: the fields of `ChildSpec`."""

    process: bool
    restart: RestartType
    shutdown: Shutdown
    start_timeout: float
    backoff: Backoff
    dispatcher: DispatcherKind | None
    hang_after: float | None
    heartbeat_timeout: float | None


class Plain(NamedTuple):
    """What all actors of a class share that are spawned without options: to check a spec takes its time.

    `bare` makes one without arguments.
    """

    spec: ChildSpec
    kind: CellKind
    bare: ClassFactory


class Spawner:
    """Adds children to `root`. Any thread may call, but no actor's. `kind_of` gives what cells of a class share."""

    def __init__(self, root: ActorCell, kind_of: Callable[[type[Actor], DispatcherKind], CellKind]) -> None:
        self._root = root
        self._kind_of = kind_of
        self._plain: dict[type[Actor], Plain] = {}

    def spawn(
        self,
        actor: type[Actor] | AnySpec,
        name: str | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        options: SpawnOptions,
    ) -> ActorRef:
        """Start a child and give its ref once it runs. Raises what prevented that."""
        refuse_on_event_loop()
        plain = self._plain.get(actor) if isinstance(actor, type) and not options else None
        if plain is not None and name is not None and is_name(name):
            spec, kind, bare = plain
        else:
            if isinstance(actor, ChildSpec | SupervisorSpec):
                return self._order(actor.id, actor, None)
            if not isinstance(actor, type):
                raise UsageError(f"spawn({actor!r}): give an actor's class, or a ChildSpec or SupervisorSpec")
            if name is None:
                raise UsageError('give the actor a name: system.spawn(Counter, name="counter")')
            if options.get("process"):
                return self._order(name, ChildSpec(name, actor, args, dict(kwargs), **options), None)
            spec = ChildSpec(name, actor, **options)
            kind = self._kind_of(actor, spec.dispatcher or actor.dispatcher)
            bare = ClassFactory(actor, (), NO_KWARGS)
            if not options:
                self._plain[actor] = Plain(spec, kind, bare)
        factory = ClassFactory(kind.behaviour, args, kwargs) if args or kwargs else bare
        # An actor that is watched for hangs is made in one place only, and begins where its later turns are run.
        if kind.runs_anywhere and spec.hang_after is None and (cell := self._adopted(name, spec, kind, factory)) is not None:
            return self._begin(cell, name, spec)
        return self._order(name, spec, factory)

    def _order(self, name: str, spec: AnySpec, factory: ActorFactory | None) -> ActorRef:
        """Have the root's own thread start a child."""
        done: Future[ActorRef] = Future()
        self._root.signal(AddChild(name, spec, factory, done))
        # The supervisor gives up after the spec's own bound, and says so.
        return done.get(spec.start_timeout + MARGIN_S)

    def _adopted(self, name: str, spec: ChildSpec, kind: CellKind, factory: ActorFactory) -> ActorCell | None:
        """Have the root take on a child, on this thread; None where the root has other things to do."""
        root = self._root
        if not root.begin_turn():
            return None
        try:
            supervisor: Any = root.actor
            # By its class: what is a Pykka actor is asked in a roundabout way whether it is an instance.
            if root.signals or supervisor.__class__ is not SupervisorActor:
                return None
            return supervisor.adopt_here(name, spec, kind, factory)
        finally:
            root.end_turn()

    def _begin(self, cell: ActorCell, name: str, spec: ChildSpec) -> ActorRef:
        """Begin the child's first life on this thread, and give its ref once the root knows how that went."""
        began = cell.now()
        try:
            error = turns.start_here(cell)
            if error is None and cell.now() - began > spec.start_timeout:
                error = StartError(f"{cell.path} did not start: not ready within {spec.start_timeout} s")
                turns.fail_here(cell, error)
            # Before the cell has its first ordinary turn, so that no later report overtakes this one.
            if error is not None or not self._root_hears(cell, name):
                self._wait_until_heard(cell, name, spec, error)
        finally:
            cell.end_turn()
        if error is not None:
            raise error
        return cell.ref

    def _root_hears(self, cell: ActorCell, name: str) -> bool:
        """Let the root hear on this thread that a child runs; False where it has other things to do."""
        root = self._root
        if not root.begin_turn():
            return False
        try:
            supervisor: Any = root.actor
            if root.signals or supervisor.__class__ is not SupervisorActor:
                return False
            try:
                supervisor.started_here(name, cell.incarnation)
            except BaseException as error:  # whatever a supervisor raises is its own failure, as in its own turn
                turns.fail_here(root, error)
        finally:
            root.end_turn()
        return True

    def _wait_until_heard(self, cell: ActorCell, name: str, spec: ChildSpec, error: BaseException | None) -> None:
        # Signals are handled in order: by the time the last is answered, the root has dealt with what came before.
        done: Future[ActorRef] = Future()
        if error is None:
            self._root.signal(ChildReady(cell.path, cell.incarnation))
        self._root.signal(StartChild(name, done))
        try:
            done.get(spec.start_timeout + MARGIN_S)
        except ActorRuntimeError as why:
            # One that did not start is gone by then, or the root is, and what prevented the start is what the spawner hears.
            if error is None and not isinstance(why, NoSuchActorError):
                raise
