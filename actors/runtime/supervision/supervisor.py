"""SupervisorActor: carries out what its machine decides, and never waits.

Starting, stopping and killing a child only begins here; how it went comes back as a signal. So the supervisor answers while a
child starts, stops or backs off, and a second exit is folded into what is going on. Every wait has a timer: `start_timeout` for
readiness, `shutdown` for stopping.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec import structs

from .. import signals
from ..actor import Actor, ActorFactory
from ..address import ROOT, ActorPath, child_path, name_of
from ..cell import ActorCell
from ..cell_spec import CellKind
from ..clock import seconds_of, timestamp
from ..dispatch.dispatcher import DispatcherKind
from ..errors import NameTakenError, NoSuchActorError, StartError, TerminatedError
from ..future import Future
from ..ref import ActorRef
from ..snapshot import ActorSnapshot, ExitSnapshot
from . import effects
from .alarms import Alarm, Due, Overdue
from .children import ChildHandle
from .handle import SupervisorHandle
from .machine import Child, ChildPhase, SupervisorMachine
from .orders import AddChild, RemoveChild, RestartChild
from .spec import AnySpec, ChildSpec, SupervisorSpec
from .surroundings import Household, SupervisorCell

KILL_WAIT_S = 1.0
"""How long a child that is killed may take to be gone before it is given up."""


class SupervisorActor(Actor):
    """Starts, restarts and stops its children. `cell` and `household` are the runtime's."""

    dispatcher: ClassVar[DispatcherKind] = "pinned"

    def __init__(self, spec: SupervisorSpec, cell: SupervisorCell, household: Household) -> None:
        super().__init__()
        self._spec = spec
        self._cell = cell
        self._household = household
        self._as_seen_below = SupervisorHandle(cell.signal)
        self._path_prefix = cell.path if cell.path == ROOT else f"{cell.path}/"
        again = spec.on_exhausted == "park" and household.goes_on(cell.path)
        self._machine = SupervisorMachine(spec, again=again)
        self._handles: dict[str, ChildHandle] = {}
        self._alarms: dict[str, Alarm] = {}
        self._detected_at: dict[str, float] = {}
        self._want_started: dict[str, list[Future[ActorRef]]] = {}
        self._want_gone: dict[str, list[Future[None]]] = {}

    def on_start(self) -> None:
        """Make every child's handle, then begin with the first child."""
        for spec in self._spec.children:
            self._adopt(spec.id, spec, None)
        self._carry_out(self._machine.start())

    def on_failure(self, *_: object) -> None:
        """Give up what is left, so that no child outlives its supervisor."""
        for name, handle in list(self._handles.items()):
            if self._phase_of(name) in ("starting", "running", "stopping"):
                handle.abandon("its supervisor has failed")
            self._release(name)
        self._settle_all()

    def child_snapshots(self) -> Iterator[ActorSnapshot]:
        """Give every child, in start order. Any thread may call."""
        for handle in list(self._handles.values()):
            yield handle.snapshot()

    def on_signal(self, signal: object) -> None:
        """Turn a signal into an event of the machine."""
        now = self._household.clock.monotonic()
        match signal:
            case signals.ChildReady(path, incarnation):
                self._carry_out(self._machine.ready(name_of(path), incarnation, now))
            case signals.ChildExited(path, incarnation, ended, error):
                self._on_exit(name_of(path), incarnation, ended, now, error)
            case signals.Stop():
                self._carry_out(self._machine.stop())
            case Due(child, incarnation):
                self._carry_out(self._machine.due(child, incarnation))
            case Overdue(child, incarnation):
                self._on_overdue(child, incarnation, now)
            case AddChild():
                self._on_add(signal)
            case RemoveChild():
                self._on_remove(signal)
            case RestartChild():
                self._on_restart(signal)
            case _:
                raise TypeError(f"a supervisor does not know {type(signal).__name__}")

    def _on_exit(self, name: str, incarnation: int, ended: ExitSnapshot, now: float, error: BaseException | None = None) -> None:
        child = self._machine.children.get(name)
        if child is None or child.incarnation != incarnation or name not in self._handles:
            return
        self._detected_at[name] = now
        self._handles[name].last_exit = ended
        why = StartError(f"{child_path(self._cell.path, name)} did not start: {ended.error or ended.reason}")
        # Taken before, told after: whoever hears that it did not start finds no trace of it.
        hear = [] if child.was_ready else self._want_started.pop(name, [])
        self._carry_out(self._machine.exited(name, incarnation, ended, now, self._household.random.random()))
        if self._phase_of(name) in ("stopped", "parked", None):
            hear += self._want_started.pop(name, [])
        for future in hear:
            future.set_error(error or why)

    def _on_overdue(self, name: str, incarnation: int, now: float) -> None:
        child = self._machine.children.get(name)
        if child is None or child.incarnation != incarnation or child.phase not in ("starting", "stopping"):
            return
        starting = child.phase == "starting"
        why = f"not ready within {child.spec.start_timeout} s" if starting else f"not stopped within {child.spec.shutdown} s"
        self._handles[name].abandon(why)
        at = timestamp(self._household.clock.wall())
        ended = ExitSnapshot("start_timeout" if starting else "killed", at=at, error=why)
        self._on_exit(name, incarnation, ended, now)

    def _on_add(self, signal: AddChild) -> None:
        name = signal.name
        handle: ChildHandle | None = None
        try:
            self._check_order(name)
            handle = self._adopt(name, signal.spec, signal.factory)
        except Exception as error:  # an order that cannot be carried out is its sender's failure, not the supervisor's
            signal.done.set_error(error)
        if handle is not None:
            self._want_started.setdefault(name, []).append(signal.done)
            first = self._household.first_incarnation(handle.path)
            self._carry_out(self._machine.add(signal.spec, first, name))

    def adopt_here(self, name: str, spec: ChildSpec, kind: CellKind, factory: ActorFactory) -> ActorCell:
        """Take on a `shared` child that the caller begins, on its own thread, and give its cell. Raises what forbids it.

        As an `AddChild`, for a thread that has the flag of this supervisor's cell, and without an alarm for the start: `spec`'s
        bound is the caller's business. `name` has been found to be one.
        """
        if name in self._machine.children or self._machine.phase != "running":
            self._check_order(name)
        path = ActorPath(self._path_prefix + name)
        cell = self._household.new_shared_cell(path, kind, factory, self._as_seen_below)
        self._handles[name] = cell
        cell.begun = self._household.first_incarnation(path)
        self._machine.add(spec, cell.begun, name)
        return cell

    def started_here(self, name: str, incarnation: int) -> None:
        """Hear that such a child is running, on the thread that began it and has the flag again."""
        for effect in self._machine.ready(name, incarnation, self._household.clock.monotonic()):
            self._carry_out_one(effect)

    def _check_order(self, name: str) -> None:
        if name in self._machine.children:
            raise NameTakenError(f"{child_path(self._cell.path, name)} is taken")
        if self._machine.phase != "running":
            raise StartError(f"{self._cell.path} is {self._machine.phase}: it takes no children")

    def _on_remove(self, signal: RemoveChild) -> None:
        if self._is_known(signal):
            self._want_gone.setdefault(signal.name, []).append(signal.done)
            self._carry_out(self._machine.remove(signal.name))

    def _on_restart(self, signal: RestartChild) -> None:
        if not self._is_known(signal):
            return
        path = child_path(self._cell.path, signal.name)
        match self._phase_of(signal.name):
            case "running":
                signal.done.set_result(self._household.ref(path))
            case "stopping":
                signal.done.set_error(TerminatedError(f"{path} is being removed"))
            case _:
                self._want_started.setdefault(signal.name, []).append(signal.done)
                self._carry_out(self._machine.restart(signal.name))

    def _is_known(self, signal: RemoveChild | RestartChild) -> bool:
        if signal.name not in self._machine.children:
            signal.done.set_error(NoSuchActorError(f"there is no {signal.name!r} below {self._cell.path}"))
            return False
        if self._machine.phase != "running":
            signal.done.set_error(StartError(f"{self._cell.path} is {self._machine.phase}: its children cannot be changed"))
            return False
        return True

    def _carry_out(self, to_do: list[effects.Effect]) -> None:
        for effect in to_do:
            self._carry_out_one(effect)

    def _carry_out_one(self, effect: effects.Effect) -> None:
        match effect:
            case effects.Note(name, what, incarnation):
                self._note(name, what, incarnation)
            case effects.Begin(name, incarnation):
                child = self._machine.children[name]
                self._arm(name, child.spec.start_timeout, Overdue(name, incarnation))
                self._handles[name].start(incarnation)
            case effects.End(name, incarnation):
                self._end(self._machine.children[name], incarnation)
            case effects.Schedule(name, incarnation, delay_s):
                self._handles[name].set_state("restarting")
                self._arm(name, delay_s, Due(name, incarnation))
                self._publish("actor.restart_scheduled", name, delay_s=round(delay_s, 3))
            case effects.Discard(name):
                self._discard(name)
            case effects.Parked(name, restarts):
                self._handles[name].set_state("parked")
                self._publish("actor.parked", name, restarts=restarts)
            case effects.Escalate(name, restarts):
                self._cell.publish("supervisor.escalated", child=str(child_path(self._cell.path, name)), restarts=restarts)
            case effects.ReportReady():
                self._cell.ready()
            case effects.ReportStopped():
                for name in list(self._handles):
                    self._release(name)
                self._settle_all()
                self._cell.finish()
            case effects.ReportStartFailed(name, ended) | effects.ReportFailed(name, ended):
                how = "did not start" if isinstance(effect, effects.ReportStartFailed) else "used up its restarts"
                self._cell.fail(StartError(f"{child_path(self._cell.path, name)} {how}: {ended.error or ended.reason}"))

    def _note(self, name: str, what: str, incarnation: int) -> None:
        if name in self._alarms:
            self._disarm(name)
        handle = self._handles[name]
        ended, ready_ms = handle.last_exit, None
        if what == "exited":
            fields = {} if ended is None else {"reason": ended.reason, "signal": ended.signal, "error": ended.error}
            self._publish("actor.exited", name, incarnation=incarnation, **fields)
            return
        if name in self._detected_at:
            ready_ms = round((self._household.clock.monotonic() - self._detected_at.pop(name)) * 1000, 3)
        elif ended is not None and ended.ready_ms is None:
            # The last life ended in an earlier process of this node, whose parent has said when.
            ready_ms = round((self._household.clock.wall() - seconds_of(ended.at)) * 1000, 3)
        if ended is not None and ready_ms is not None:
            handle.last_exit = structs.replace(ended, ready_ms=ready_ms)
        self._household.events.record(f"actor.{what}", handle.path, {"incarnation": incarnation, "ready_ms": ready_ms})
        if name in self._want_started:
            for future in self._want_started.pop(name):
                future.set_result(self._household.ref(handle.path))

    def _end(self, child: Child, incarnation: int) -> None:
        name = child.id
        if child.spec.shutdown == "kill":
            self._arm(name, KILL_WAIT_S, Overdue(name, incarnation))
            self._handles[name].kill("its shutdown is `kill`")
            return
        if child.spec.shutdown != "infinity":
            self._arm(name, child.spec.shutdown, Overdue(name, incarnation))
        self._handles[name].stop()

    def _adopt(self, name: str, spec: AnySpec, factory: ActorFactory | None) -> ChildHandle:
        path = child_path(self._cell.path, name)
        handle = self._household.new_child(path, spec, factory, self._as_seen_below)
        self._handles[name] = handle
        if name in self._machine.children:
            self._machine.children[name].incarnation = self._household.first_incarnation(path) - 1
        return handle

    def _discard(self, name: str) -> None:
        self._release(name)
        path = child_path(self._cell.path, name)
        self._household.forget_child(path)
        del self._handles[name]
        self._household.events.publish("actor.removed", path)
        self._detected_at.pop(name, None)
        for future in self._want_gone.pop(name, ()):
            future.set_result(None)

    def _release(self, name: str) -> None:
        self._disarm(name)
        self._handles[name].release("parked" if self._phase_of(name) == "parked" else "stopped")

    def _phase_of(self, name: str) -> ChildPhase | None:
        child = self._machine.children.get(name)
        return None if child is None else child.phase

    def _settle_all(self) -> None:
        """Answer whoever still waits: nothing more will happen here."""
        for name in list(self._want_started):
            for starting in self._want_started.pop(name):
                starting.set_error(TerminatedError(f"{self._cell.path} ended before {name!r} was running"))
        for name in list(self._want_gone):
            for leaving in self._want_gone.pop(name):
                leaving.set_result(None)

    def _arm(self, name: str, delay_s: float, signal: object) -> None:
        if name in self._alarms:
            self._disarm(name)
        alarm = self._alarms[name] = Alarm(self._cell.signal, signal)
        self._household.timers.expect(alarm, self._household.clock.monotonic() + delay_s, delay_s)

    def _disarm(self, name: str) -> None:
        alarm = self._alarms.pop(name, None)
        if alarm is not None:
            alarm.is_over = True

    def _publish(self, type_: str, name: str, **fields: Any) -> None:
        self._household.events.publish(type_, self._handles[name].path, **fields)
