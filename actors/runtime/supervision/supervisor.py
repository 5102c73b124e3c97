"""SupervisorActor: turns signals into events of its machine, and has its shell carry out what that decides.

Nothing here waits: what happens to a child comes back as a signal. So the supervisor takes every order while a child starts,
stops or backs off, and a second exit is folded into what is going on.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from msgspec import structs

from .. import signals
from ..actor import Actor, ActorFactory
from ..address import ROOT, ActorPath, name_of
from ..cell import ActorCell
from ..cell_spec import CellKind
from ..clock import timestamp
from ..dispatch.dispatcher import DispatcherKind
from ..errors import NameTakenError, NoSuchActorError, SpecError, StartError, TerminatedError
from ..snapshot import ActorSnapshot, ExitSnapshot
from .alarms import Due, Overdue
from .machine import SupervisorMachine
from .orders import ORDERS, AddChild, Order, Probe, Reload, RemoveChild, RestartChild, StartChild, StartLike, StopChild
from .shell import Shell
from .spec import ChildSpec, SupervisorSpec
from .surroundings import Household, SupervisorCell


class SupervisorActor(Actor):
    """Starts, restarts and stops its children. `cell` and `household` are the runtime's."""

    dispatcher: ClassVar[DispatcherKind] = "pinned"

    def __init__(self, spec: SupervisorSpec, cell: SupervisorCell, household: Household) -> None:
        super().__init__()
        self._cell = cell
        self._household = household
        self._path_prefix = cell.path if cell.path == ROOT else f"{cell.path}/"
        again = spec.on_exhausted == "park" and household.goes_on(cell.path)
        self._machine = SupervisorMachine(spec, again=again)
        self._shell = Shell(self._machine, cell, household)
        self._numbered = 0

    def on_start(self) -> None:
        """Make every child's handle, then begin with the first child."""
        for child in self._machine.children.values():
            self._shell.adopt(child.id, child.spec, None)
        self._shell.carry_out(self._machine.start())

    def on_failure(self, *_: object) -> None:
        """Give up what is left, so that no child outlives its supervisor."""
        self._shell.give_up_all()

    def child_snapshots(self) -> Iterator[ActorSnapshot]:
        """Give every child, in start order. Any thread may call."""
        yield from self._shell.snapshots()

    def on_signal(self, signal: object) -> None:
        """Turn a signal into an event of the machine."""
        now = self._household.clock.monotonic()
        match signal:
            case signals.ChildReady(path, incarnation):
                self._shell.carry_out(self._machine.ready(name_of(path), incarnation, now))
            case signals.ChildExited(path, incarnation, ended, error):
                self._on_exit(name_of(path), incarnation, ended, now, error)
            case signals.ChildHung(path, incarnation, ended):
                self._on_hung(name_of(path), incarnation, ended, now)
            case signals.Stop():
                self._shell.carry_out(self._machine.stop(now))
            case Due(child, incarnation):
                self._shell.carry_out(self._machine.due(child, incarnation, now))
            case Overdue(child, incarnation):
                self._on_overdue(child, incarnation, now)
            case _ if isinstance(signal, ORDERS):
                self._on_order(signal, now)
            case _:
                raise TypeError(f"a supervisor does not know {type(signal).__name__}")

    def _on_exit(self, name: str, incarnation: int, ended: ExitSnapshot, now: float, error: BaseException | None = None) -> None:
        child = self._machine.children.get(name)
        if child is None or child.incarnation != incarnation or name not in self._shell.handles:
            return
        self._shell.detected_at[name] = now
        self._shell.handles[name].last_exit = ended
        why = StartError(f"{self._shell.path_of(name)} did not start: {ended.error or ended.reason}")
        # Taken before, told after: whoever hears that it did not start finds no trace of it.
        hear = self._shell.promises.take_started(name)
        self._shell.carry_out(self._machine.exited(name, incarnation, ended, now, self._household.random.random()))
        has_another = self._shell.phase_of(name) not in ("stopped", "parked", None)
        for future in hear:
            if has_another:
                self._shell.promises.when_started(name, future)
            else:
                future.set_error(error or why)

    def _on_overdue(self, name: str, incarnation: int, now: float) -> None:
        child = self._machine.children.get(name)
        if child is None or child.incarnation != incarnation or child.phase not in ("starting", "stopping"):
            return
        starting = child.phase == "starting"
        why = f"not ready within {child.spec.start_timeout} s" if starting else f"not stopped within {child.spec.shutdown} s"
        if starting and (step := self._shell.handles[name].last_step):
            why += f"; the last step of its process was: {step}"
        self._shell.handles[name].abandon(why)
        at = timestamp(self._household.clock.wall())
        ended = ExitSnapshot("start_timeout" if starting else "killed", at=at, error=why)
        self._on_exit(name, incarnation, ended, now)

    def _on_hung(self, name: str, incarnation: int, ended: ExitSnapshot, now: float) -> None:
        child = self._machine.children.get(name)
        if child is None or child.incarnation != incarnation or not child.is_alive:
            return
        self._shell.handles[name].abandon(ended.error or "it hangs")
        self._on_exit(name, incarnation, ended, now)

    def _on_order(self, order: Order, now: float) -> None:
        try:
            self._take(order, now)
        except Exception as error:  # an order that cannot be carried out is its sender's failure, not the supervisor's
            order.done.set_error(error)

    def _take(self, order: Order, now: float) -> None:
        match order:
            case AddChild():
                if self._machine.spec.strategy == "dynamic":
                    raise SpecError(f"{self._cell.path} is dynamic: its children are started by its template (`start_like`)")
                self._add(order)
            case StartLike(name, args, kwargs, done):
                self._add(AddChild(*self._like_template(name, args, kwargs), None, done))
            case Reload():
                self._reload(order, now)
            case Probe():
                order.done.set_result(None)
            case _:
                self._check_known(order.name)
                self._order_child(order, now)

    def _order_child(self, order: RemoveChild | StopChild | StartChild | RestartChild, now: float) -> None:
        name, machine = order.name, self._machine
        phase = self._shell.phase_of(name)
        match order:
            case RemoveChild():
                self._shell.promises.when_ended(name, order.done)
                self._shell.carry_out(machine.remove(name, now))
            case StopChild():
                self._shell.promises.when_ended(name, order.done)
                self._shell.carry_out(machine.stop_child(name, now))
            case _ if phase == "stopping" and machine.children[name].after_end == "gone":
                raise TerminatedError(f"{self._shell.path_of(name)} is being removed")
            case StartChild() if phase == "running":
                order.done.set_result(self._household.ref(self._shell.path_of(name)))
            case StartChild():
                self._shell.promises.when_started(name, order.done)
                self._shell.carry_out(machine.start_child(name, now))
            case RestartChild():
                self._shell.promises.when_started(name, order.done)
                self._shell.carry_out(machine.restart_child(name, now))

    def _like_template(self, name: str | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[str, ChildSpec]:
        template = self._machine.spec.children[0] if self._machine.spec.strategy == "dynamic" else None
        if not isinstance(template, ChildSpec):
            raise SpecError(f"{self._cell.path} has no template for further actors: only a dynamic supervisor has")
        while name is None or name in self._machine.children:
            if name is not None:
                raise NameTakenError(f"{self._shell.path_of(name)} is taken")
            self._numbered += 1
            numbered = f"{template.id}-{self._numbered}"
            name = None if numbered in self._machine.children else numbered
        given = structs.replace(template, id=name, args=(*template.args, *args), kwargs={**template.kwargs, **kwargs})
        return name, given

    def _reload(self, order: Reload, now: float) -> None:
        old, new, path = self._machine.spec, order.spec, self._cell.path
        self._check_takes_orders()
        if old.id != new.id:
            raise SpecError(f"{path}: id: {new.id!r}: a reload keeps the name")
        if "dynamic" in (old.strategy, new.strategy) and old.strategy != new.strategy:
            raise SpecError(f"{path}: strategy: {new.strategy!r}: a supervisor becomes dynamic, or ends to be, by a restart only")
        difference = self._machine.difference_to(new)
        specs = {child.id: child for child in new.children}
        for name in (*difference.added, *difference.changed):
            self._household.check_child(specs[name])
        lives: dict[str, int] = {}
        for name in difference.added:
            handle = self._shell.adopt(name, specs[name], None)
            lives[name] = self._household.first_incarnation(handle.path) - 1
        to_do = self._machine.reload(new, now, lives)
        self._cell.show_limits(new.strategy, new.intensity, float(new.period))
        self._shell.carry_out(to_do)
        order.done.set_result(difference)

    def _add(self, order: AddChild) -> None:
        self._check_free(order.name)
        handle = self._shell.adopt(order.name, order.spec, order.factory)
        self._shell.promises.when_started(order.name, order.done)
        first = self._household.first_incarnation(handle.path)
        self._shell.carry_out(self._machine.add(order.spec, first, order.name))

    def adopt_here(self, name: str, spec: ChildSpec, kind: CellKind, factory: ActorFactory) -> ActorCell | None:
        """Take on a `shared` child that the caller begins, on its own thread, and give its cell. Raises what forbids it.

        None where the strategy has a say in when a child begins.

        As an `AddChild`, for a thread that has the flag of this supervisor's cell, and without an alarm for the start: `spec`'s
        bound is the caller's business. `name` has been found to be one.
        """
        if name in self._machine.children or self._machine.phase != "running":
            self._check_free(name)
        if self._machine.spec.strategy != "one_for_one":
            return None
        path = ActorPath(self._path_prefix + name)
        cell = self._household.new_shared_cell(path, kind, factory, self._shell.as_seen_below)
        self._shell.handles[name] = cell
        cell.begun = self._household.first_incarnation(path)
        self._machine.add(spec, cell.begun, name)
        return cell

    def started_here(self, name: str, incarnation: int) -> None:
        """Hear that such a child is running, on the thread that began it and has the flag again."""
        self._shell.carry_out(self._machine.ready(name, incarnation, self._household.clock.monotonic()))

    def _check_free(self, name: str) -> None:
        if name in self._machine.children:
            raise NameTakenError(f"{self._shell.path_of(name)} is taken")
        if self._machine.phase != "running":
            raise StartError(f"{self._cell.path} is {self._machine.phase}: it takes no children")

    def _check_known(self, name: str) -> None:
        if name not in self._machine.children:
            raise NoSuchActorError(f"there is no {name!r} below {self._cell.path}")
        self._check_takes_orders()

    def _check_takes_orders(self) -> None:
        if self._machine.phase not in ("starting", "running"):
            raise StartError(f"{self._cell.path} is {self._machine.phase}: its children cannot be changed")
