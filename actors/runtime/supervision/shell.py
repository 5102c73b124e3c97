"""Shell: carries out what a supervisor's machine decides, on its children's handles, and never waits.

Starting, stopping and killing a child only begins here; how it went comes back to the supervisor as a signal. Every wait has an
alarm: `start_timeout` for readiness, `shutdown` for stopping.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import structs

from ..actor import ActorFactory
from ..address import ActorPath, child_path
from ..clock import seconds_of
from ..errors import StartError, TerminatedError
from ..exits import describe
from ..future import Future
from ..snapshot import ActorSnapshot
from . import effects
from .alarms import Alarm, Due, Overdue
from .child import Child, ChildPhase
from .children import ChildHandle
from .difference import Difference
from .handle import SupervisorHandle
from .machine import SupervisorMachine
from .orders import Reload
from .promises import Promises
from .spec import AnySpec, SupervisorSpec
from .surroundings import Household, SupervisorCell

KILL_WAIT_S = 1.0
"""How long a child that is killed may take to be gone before it is given up."""


class Shell:
    """The children of one supervisor as they really are. Only the supervisor's own turn calls.

    `detected_at` is when a life was found to have ended, in monotonic seconds, until the next is running.
    """

    def __init__(self, machine: SupervisorMachine, cell: SupervisorCell, household: Household) -> None:
        self._machine = machine
        self._cell = cell
        self._household = household
        self.handles: dict[str, ChildHandle] = {}
        self.promises = Promises()
        self.detected_at: dict[str, float] = {}
        self.as_seen_below = SupervisorHandle(cell.signal)
        self._alarms: dict[str, Alarm] = {}
        self._retry_at: dict[str, float] = {}
        self._made_from: dict[str, AnySpec] = {}

    def path_of(self, name: str) -> ActorPath:
        """Give a child's path."""
        return child_path(self._cell.path, name)

    def snapshots(self) -> Iterator[ActorSnapshot]:
        """Give every child, in start order, and when those that wait for their restart are tried again. Any thread may call."""
        for name, handle in list(self.handles.items()):
            snapshot, due = handle.snapshot(), self._retry_at.get(name)
            if due is not None:
                next_try_s = round(max(0.0, due - self._household.clock.monotonic()), 3)
                snapshot = structs.replace(snapshot, next_try_s=next_try_s)
            yield snapshot

    def phase_of(self, name: str) -> ChildPhase | None:
        """Give a child's phase, or None where it is gone."""
        child = self._machine.children.get(name)
        return None if child is None else child.phase

    def carry_out(self, to_do: Iterable[effects.Effect]) -> None:
        """Carry out what the machine wants done, in order."""
        for effect in to_do:
            match effect:
                case effects.Note(name, what, incarnation):
                    self._note(name, what, incarnation)
                case effects.Begin(name, incarnation):
                    self._begin(self._machine.children[name], incarnation)
                case effects.End(name, incarnation):
                    self._end(self._machine.children[name], incarnation)
                case effects.Schedule():
                    self._schedule(effect)
                case effects.Cancel(name):
                    self._disarm(name)
                case effects.Discard() | effects.Stopped() | effects.Parked():
                    self._let_rest(effect)
                case effects.Adjust(name, spec):
                    self._adjust(name, spec)
                case _:
                    self._report(effect)

    def adopt(self, name: str, spec: AnySpec, factory: ActorFactory | None) -> ChildHandle:
        """Make a child's handle. Raises where it cannot be made."""
        path = self.path_of(name)
        handle = self._household.new_child(path, spec, factory, self.as_seen_below)
        self.handles[name] = handle
        self._made_from[name] = spec
        if name in self._machine.children:
            self._machine.children[name].incarnation = self._household.first_incarnation(path) - 1
        return handle

    def give_up_all(self) -> None:
        """Give up every child, so that none outlives its supervisor, which has failed."""
        for name, handle in list(self.handles.items()):
            if self.phase_of(name) in ("starting", "running", "stopping"):
                handle.abandon("its supervisor has failed")
        self._release_all()

    def _schedule(self, effect: effects.Schedule) -> None:
        self.handles[effect.child].set_state("restarting")
        self._arm(effect.child, effect.delay_s, Due(effect.child, effect.incarnation))
        self._publish("actor.restart_scheduled", effect.child, delay_s=round(effect.delay_s, 3))

    def _let_rest(self, effect: effects.Discard | effects.Stopped | effects.Parked) -> None:
        """Let a child be that has no next life, for now or for ever, and tell whoever waited for that, or for another."""
        name = effect.child
        self._disarm(name)
        match effect:
            case effects.Parked(restarts=restarts):
                self.handles[name].set_state("parked")
                self._publish("actor.parked", name, restarts=restarts)
            case effects.Stopped():
                self.handles[name].set_state("stopped")
            case effects.Discard():
                self._discard(name)
        what = type(effect).__name__.lower()
        why = StartError(f"{self.path_of(name)} was {what} before it was running")
        self.promises.ended(name)
        for future in self.promises.take_started(name):
            future.set_error(why)

    def _report(self, effect: effects.Effect) -> None:
        match effect:
            case effects.Escalate(name, restarts):
                self._cell.publish("supervisor.escalated", child=str(self.path_of(name)), restarts=restarts)
            case effects.ShutDown(name):
                self._cell.publish("supervisor.shut_down", child=str(self.path_of(name)))
            case effects.ReportReady():
                self._cell.ready()
            case effects.ReportStopped():
                self._release_all()
                self._cell.finish()
            case effects.ReportStartFailed(name, ended) | effects.ReportFailed(name, ended):
                how = "did not start" if isinstance(effect, effects.ReportStartFailed) else "used up its restarts"
                self._cell.fail(StartError(f"{self.path_of(name)} {how}: {ended.error or ended.reason}"))
            case _:
                raise TypeError(f"a supervisor cannot do {type(effect).__name__}")

    def _note(self, name: str, what: str, incarnation: int) -> None:
        if name in self._alarms:
            self._disarm(name)
        handle = self.handles[name]
        ended, ready_ms = handle.last_exit, None
        if what == "exited":
            fields = {} if ended is None else {"reason": ended.reason, "signal": ended.signal, "error": ended.error}
            self._publish("actor.exited", name, incarnation=incarnation, **fields)
            return
        if name in self.detected_at:
            ready_ms = round((self._household.clock.monotonic() - self.detected_at.pop(name)) * 1000, 3)
        elif ended is not None and ended.ready_ms is None:
            # The last life ended in an earlier process of this node, whose parent has said when.
            ready_ms = round((self._household.clock.wall() - seconds_of(ended.at)) * 1000, 3)
        if ended is not None and ready_ms is not None:
            handle.last_exit = structs.replace(ended, ready_ms=ready_ms)
        self._household.events.record(f"actor.{what}", handle.path, {"incarnation": incarnation, "ready_ms": ready_ms})
        if self.promises.waits_for_start(name):
            self.promises.started(name, self._household.ref(handle.path))

    def _begin(self, child: Child, incarnation: int) -> None:
        name = child.id
        if self._made_from.get(name, child.spec) is not child.spec:
            self._remake(child)
        self.handles[name] = self._household.handle_for_next_life(self.handles[name], child.spec)
        # Whoever waited for its end has it, even if somebody wants it back meanwhile.
        self.promises.ended(name)
        self._arm(name, child.spec.start_timeout, Overdue(name, incarnation))
        self.handles[name].start(incarnation)

    def _remake(self, child: Child) -> None:
        """Take another handle for a child whose spec has changed."""
        before = self.handles[child.id]
        before.release()
        self._household.forget_child(before.path)
        incarnation = child.incarnation
        self.adopt(child.id, child.spec, None).last_exit = before.last_exit
        child.incarnation = incarnation

    def _adjust(self, name: str, spec: SupervisorSpec) -> None:
        done: Future[Difference] = Future()

        def report(done: Future[Difference]) -> None:
            error = done.error()
            if error is not None:
                self._household.events.publish("supervisor.reload_failed", path, error=describe(error))

        path = self.handles[name].path
        done.add_done_callback(report)
        self.handles[name].reload(Reload(spec, done))

    def _end(self, child: Child, incarnation: int) -> None:
        name = child.id
        if child.spec.shutdown == "kill":
            self._arm(name, KILL_WAIT_S, Overdue(name, incarnation))
            self.handles[name].kill("its shutdown is `kill`")
            return
        self._disarm(name)
        if child.spec.shutdown != "infinity":
            self._arm(name, child.spec.shutdown, Overdue(name, incarnation))
        self.handles[name].stop(again=child.after_end == "waiting")

    def _discard(self, name: str) -> None:
        self._release(name)
        path = self.path_of(name)
        self._household.forget_child(path)
        del self.handles[name]
        self._household.events.publish("actor.removed", path)
        self.detected_at.pop(name, None)
        self._made_from.pop(name, None)

    def _release(self, name: str) -> None:
        self._disarm(name)
        self.handles[name].release("parked" if self.phase_of(name) == "parked" else "stopped")

    def _release_all(self) -> None:
        """Let go of every child, and answer whoever still waits: nothing more will happen here."""
        for name in list(self.handles):
            self._release(name)
        self.promises.settle_all(TerminatedError(f"{self._cell.path} ended before that child was running"))

    def _arm(self, name: str, delay_s: float, signal: object) -> None:
        if name in self._alarms:
            self._disarm(name)
        alarm = self._alarms[name] = Alarm(self._cell.signal, signal)
        due = self._household.clock.monotonic() + delay_s
        if isinstance(signal, Due):
            self._retry_at[name] = due
        self._household.timers.expect(alarm, due, delay_s)

    def _disarm(self, name: str) -> None:
        alarm = self._alarms.pop(name, None)
        if alarm is not None:
            alarm.is_over = True
            self._retry_at.pop(name, None)

    def _publish(self, type_: str, name: str, **fields: Any) -> None:
        self._household.events.publish(type_, self.handles[name].path, **fields)
