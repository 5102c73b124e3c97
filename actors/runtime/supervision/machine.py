"""SupervisorMachine: a supervisor's state, moved by events, answering with effects; no threads, clock or I/O.

    child:  waiting ─► starting ─► running ─► stopping ─► stopped | parked | waiting   (and gone, when forgotten)
               ▲          │           │
               └─ restarting ◄────────┴─► parked

    supervisor:  starting ─► running ─► stopping ─► stopped

What happens in order is a `procession`: layers that end, the last one first, and layers that begin, the first one first, once
nothing is left to end. The first start, a group's restart, a reload and the whole stop are all made of these two. What concerns
one child alone (a restart under `one_for_one`, somebody's order) happens beside it.

At first, a child that fails stops those before it, in reverse, and the supervisor's start with its reason. One whose process was
killed meanwhile has one more try, for it says nothing of the child. Later, a child that no spec names and that fails its first
start is gone again. Under `one_for_one`, a child that has been running holds nobody up, whatever becomes of it.

Afterwards each exit is judged by `strategy`. Under `one_for_all` and `rest_for_one` a child that had been running takes its group
along: they end in reverse order, then start in order, and count as one restart, however many of them crash meanwhile. One that
fails before it is running again has not been relied on by anybody, so only it is tried again, and those after it wait.

Time in which a group is being stopped does not count for the window (`window_clock`). An exit that arrives twice, or belongs to
an earlier life, changes nothing.
"""

from collections.abc import Mapping
from typing import Literal

from ..snapshot import ExitSnapshot
from . import effects as fx
from . import strategy
from .child import AfterEnd, Child
from .difference import Difference, compare
from .procession import Procession
from .reloading import take_on
from .spec import AnySpec, SupervisorSpec
from .window_clock import WindowClock

Phase = Literal["starting", "running", "stopping", "stopped"]


class SupervisorMachine:
    """The pure half of a supervisor. Give it events by the methods; carry out what they return, in order.

    `now` is in monotonic seconds, `chance` in [0, 1). `again` is for one that takes the place of another whose process was
    killed: its children have been running before, so a start that fails is one more failure of theirs and not of the supervisor's
    own start, and the next child does not wait for it.
    """

    def __init__(self, spec: SupervisorSpec, *, again: bool = False) -> None:
        self.spec = spec
        self.phase: Phase = "starting"
        first = () if spec.strategy == "dynamic" else spec.children
        self.children: dict[str, Child] = {child.id: Child(child.id, child, was_ready=again) for child in first}
        self.restarts: tuple[float, ...] = ()
        self._procession = Procession(self.children)
        self._last_word: fx.LastWord = fx.ReportStopped()
        self._clock = WindowClock()
        self._left_early: Child | None = None

    def start(self) -> list[fx.Effect]:
        """Begin with the first layer."""
        return self._proceed(0.0)

    def ready(self, child_id: str, incarnation: int, now: float) -> list[fx.Effect]:
        """A child is running."""
        child = self.children.get(child_id)
        if child is None or child.incarnation != incarnation or child.phase != "starting":
            return []
        child.phase = "running"
        child.ready_at = now
        note = fx.Note(child_id, "restarted" if child.was_ready else "started", incarnation)
        child.was_ready = child.has_come = True
        child.on_trial = False
        return [note, *self._proceed(now)] if self._procession.begins else [note]

    def exited(self, child_id: str, incarnation: int, ended: ExitSnapshot, now: float, chance: float) -> list[fx.Effect]:
        """A child's life has ended."""
        child = self.children.get(child_id)
        if child is None or child.incarnation != incarnation or not child.is_alive:
            return []
        note = fx.Note(child_id, "exited", incarnation)
        if self.phase == "stopping":
            child.phase, child.after_end, child.ready_at = "stopped", None, None
            return [note, *self._proceed(now)]
        if child.after_end is not None:
            return [note, *self._ended_as_told(child), *self._proceed(now)]
        if not child.was_ready and not self._has_another_try(child, ended):
            return [note, *self._start_failed(child, ended, now)]
        child.has_come = child.has_come or child.was_ready
        return [note, *self._judge(child, ended, now, chance), *self._proceed(now)]

    def due(self, child_id: str, incarnation: int, now: float) -> list[fx.Effect]:
        """A restart's delay is over."""
        child = self.children.get(child_id)
        if child is None or child.phase != "restarting" or child.incarnation != incarnation:
            return []
        self._procession.delayed.pop(child_id, None)
        return [*self._begin_again(child), *self._proceed(now)]

    def stop(self, now: float) -> list[fx.Effect]:
        """Stop every child, the last one first, and then the supervisor."""
        if self.phase in ("stopping", "stopped"):
            return []
        self.phase = "stopping"
        cancelled: list[fx.Effect] = [fx.Cancel(child_id) for child_id in self._procession.delayed]
        self._procession.delayed.clear()
        for child in self.children.values():
            if child.is_alive:
                child.after_end = "stopped"
            elif child.phase != "parked":
                child.phase = "stopped"
        self._procession.queue_all_ends(together=self._is_dynamic)
        return [*cancelled, *self._proceed(now)]

    def add(self, spec: AnySpec, incarnation: int, child_id: str) -> list[fx.Effect]:
        """Start a further child, its first life being `incarnation`. The caller has made sure that its id is free.

        Where a group is being restarted, it waits for its turn.
        """
        if self.phase != "running":
            return []
        if self._in_groups and (self._procession.ends or self._procession.begins):
            self.children[child_id] = Child(child_id, spec, "waiting", incarnation - 1)
            self._procession.queue_begins()
            return []
        self.children[child_id] = Child(child_id, spec, "starting", incarnation)
        return [fx.Begin(child_id, incarnation)]

    def remove(self, child_id: str, now: float) -> list[fx.Effect]:
        """Stop a child and forget it."""
        return [*self._end_one(child_id, "gone"), *self._proceed(now)]

    def stop_child(self, child_id: str, now: float) -> list[fx.Effect]:
        """Stop a child, which stays stopped until it is started by order, also when its group is restarted."""
        return [*self._end_one(child_id, "stopped"), *self._proceed(now)]

    def start_child(self, child_id: str, now: float) -> list[fx.Effect]:
        """Start a child that is parked, stopped or waits for its restart, at once and with a clean record.

        One that was parked with its group is started with its group. One that runs or starts is left alone; one that is being
        stopped starts when that is done.
        """
        child = self.children.get(child_id)
        if child is None or self.phase not in ("starting", "running"):
            return []
        effects: list[fx.Effect] = []
        for one in self._parked_with(child):
            if one.is_alive and one.after_end not in ("stopped", "parked"):
                continue
            one.failures, one.restarts, one.by_order = 0, (), False
            if one.is_alive:
                one.after_end = "waiting"
            else:
                effects += [*self._cancel(one), *self._begin_again(one)]
        self._procession.queue_begins()
        return [*effects, *self._proceed(now)]

    def restart_child(self, child_id: str, now: float) -> list[fx.Effect]:
        """Restart a running child, with its group where the strategy has one; start one that does not run. Counts for nothing."""
        child = self.children.get(child_id)
        if child is None or self.phase not in ("starting", "running"):
            return []
        if child.phase not in ("starting", "running"):
            return self.start_child(child_id, now)
        return [*self._end_again([child], now), *self._proceed(now)]

    def reload(self, spec: SupervisorSpec, now: float, lives: Mapping[str, int] | None = None) -> list[fx.Effect]:
        """Become what `spec` says: start what is new, end what is not in it, restart what has changed, leave alone what has not.

        `lives` has the number of the last life of new children that have lived before. A restarted child takes its group along,
        as its strategy says. The caller has made sure that neither the old nor the new spec is `dynamic`, unless both are.
        """
        if self.phase not in ("starting", "running"):
            return []
        difference, specs = self.difference_to(spec), {child.id: child for child in spec.children}
        self.spec = spec
        if self._is_dynamic:
            return []
        effects = [effect for child_id in difference.removed for effect in self._end_one(child_id, "gone")]
        adjusted, changed = take_on(self.children, specs, difference, lives or {})
        effects += adjusted
        effects += self._end_again([child for child in changed if child.is_alive], now)
        for child in changed:
            if child.phase in ("parked", "restarting"):
                effects += self.start_child(child.id, now)
        self._procession.queue_begins()
        return [*effects, *self._proceed(now)]

    def difference_to(self, spec: SupervisorSpec) -> Difference:
        """Tell what `reload` would change.

        By what the children really are: some may have been added or removed since the present spec was written.
        """
        specs = {child.id: child for child in spec.children}
        named = {child.id for child in self.spec.children} | specs.keys()
        return compare({id_: child.spec for id_, child in self.children.items() if id_ in named}, specs)

    def check_invariants(self) -> None:
        """Raise `AssertionError` where the state contradicts itself. For tests."""
        self._procession.check_invariants()
        children = self.children.values()
        alive = [child for child in children if child.is_alive]
        assert all(child.after_end is None or child.is_alive for child in children), "only the living end"  # noqa: S101
        assert all(child.after_end is not None for child in children if child.phase == "stopping"), "an end leads somewhere"  # noqa: S101
        assert all(child.ready_at is None or child.phase in ("running", "stopping") for child in children), "ready is alive"  # noqa: S101
        assert self.phase != "stopped" or not alive, "a stopped supervisor has no child"  # noqa: S101
        if self.phase in ("stopping", "stopped"):
            assert not self._procession.delayed, "who stops restarts nobody"  # noqa: S101
            assert not self._procession.begins, "who stops starts nobody"  # noqa: S101
        assert self.phase != "stopping" or self._procession.ends, "who stops waits for a child"  # noqa: S101

    @property
    def _is_dynamic(self) -> bool:
        return self.spec.strategy == "dynamic"

    @property
    def _in_groups(self) -> bool:
        return self.spec.strategy in ("one_for_all", "rest_for_one")

    def _waits_its_turn(self, child: Child) -> bool:
        """Tell whether a child begins in the order of all, rather than for itself."""
        return self._in_groups or (self.phase == "starting" and not child.has_come)

    def _proceed(self, now: float) -> list[fx.Effect]:
        """End what is to end, then begin what is to begin, as far as the order allows."""
        effects = self._procession.end_next()
        if self._procession.ends or self.phase == "stopped":
            return effects
        self._clock.go_on(now)
        if self.phase == "stopping":
            self.phase = "stopped"
            return [*effects, self._last_word]
        if self._procession.delayed and self.spec.strategy == "one_for_all":
            # The group starts together: it waits for the back-off of the one that fell.
            return effects
        effects += self._procession.begin_next(in_groups=self._in_groups)
        if self.phase == "starting" and not self._procession.begins:
            self.phase = "running"
            effects.append(fx.ReportReady())
            left = self._left_early
            if left is not None and not left.is_alive and left.phase in ("stopped", "waiting"):
                effects = self._shut_down_after(left, effects, now)
        return effects

    def _begin_again(self, child: Child) -> list[fx.Effect]:
        """Begin a dead child, now or in its turn, for which `_proceed` is called."""
        if not self._waits_its_turn(child):
            return [self._procession.begin(child)]
        child.phase = "waiting"
        self._procession.queue_begins()
        return []

    def _cancel(self, child: Child) -> list[fx.Effect]:
        if child.id not in self._procession.delayed:
            return []
        del self._procession.delayed[child.id]
        return [fx.Cancel(child.id)]

    def _end_one(self, child_id: str, then: AfterEnd) -> list[fx.Effect]:
        child = self.children.get(child_id)
        if child is None or self.phase not in ("starting", "running"):
            return []
        child.by_order = True
        if child.is_alive:
            child.after_end = "gone" if child.after_end == "gone" else then
            return [] if child.phase == "stopping" else [self._procession.end(child)]
        effects = self._cancel(child)
        if then == "gone":
            del self.children[child.id]
            effects.append(fx.Discard(child.id))
        else:
            child.phase = "stopped"
            effects.append(fx.Stopped(child.id))
        return effects

    def _ended_as_told(self, child: Child) -> list[fx.Effect]:
        then, child.after_end, child.ready_at = child.after_end, None, None
        match then:
            case "gone":
                del self.children[child.id]
                return [fx.Discard(child.id)]
            case "waiting" if self._in_groups:
                child.phase = "waiting"
                self._procession.look_again()
                return []
            case "waiting":
                return self._begin_again(child)
            case "parked":
                child.phase = "parked"
                return [fx.Parked(child.id, len(child.restarts))]
            case _:
                child.phase = "stopped"
                return [fx.Stopped(child.id)]

    def _has_another_try(self, child: Child, ended: ExitSnapshot) -> bool:
        """Tell whether a child that has never run is restarted as others are."""
        if self.phase == "running":
            return not self._is_dynamic and any(named.id == child.id for named in self.spec.children)
        allowed = self.spec.intensity > 0 and (child.spec.limit is None or child.spec.limit.intensity > 0)
        restarts = strategy.restarts_after(child.spec.restart, ended.reason)
        return ended.reason == "killed" and restarts and allowed and child.failures == 0

    def _start_failed(self, child: Child, ended: ExitSnapshot, now: float) -> list[fx.Effect]:
        if self.phase == "running":
            del self.children[child.id]
            return [fx.Discard(child.id), *self._proceed(now)]
        child.phase = "stopped"
        self._last_word = fx.ReportStartFailed(child.id, ended)
        return self.stop(now)

    def _judge(self, child: Child, ended: ExitSnapshot, now: float, chance: float) -> list[fx.Effect]:
        was_running, child.phase = child.phase == "running", "stopped"
        ran_for = 0.0 if child.ready_at is None else now - child.ready_at
        child.ready_at = None
        past = strategy.History(self.restarts, child.restarts, child.failures, ran_for)
        verdict, history = strategy.after_exit(
            self.spec, child.spec, ended.reason, past, self._clock.read(now), chance, on_trial=child.on_trial
        )
        self.restarts, child.restarts, child.failures = history.restarts, history.own, history.failures_in_a_row
        match verdict:
            case strategy.Restart(delay_s):
                effects = self._take_along(child, "waiting", now) if was_running else []
                if delay_s == 0:
                    return [*effects, *self._begin_again(child)]
                child.phase = "restarting"
                self._procession.delayed[child.id] = None
                if self._in_groups:
                    self._procession.queue_begins()
                return [*effects, fx.Schedule(child.id, child.incarnation, delay_s)]
            case strategy.Leave():
                return self._shut_down_after(child, [fx.Stopped(child.id)], now)
            case strategy.Forget():
                del self.children[child.id]
                return self._shut_down_after(child, [fx.Discard(child.id)], now)
            case strategy.Exhausted(count, "park"):
                child.phase, child.has_come = "parked", True
                return [fx.Parked(child.id, count), *self._take_along(child, "parked", now)]
            case strategy.Exhausted(count):
                self._last_word = fx.ReportFailed(child.id, ended)
                return [fx.Escalate(child.id, count), *self.stop(now)]

    def _take_along(self, child: Child, then: AfterEnd, now: float) -> list[fx.Effect]:
        """Let the rest of the child's group, if the strategy has groups, end and then be `then`."""
        kind = self.spec.strategy
        if kind not in ("one_for_all", "rest_for_one"):
            return []
        effects: list[fx.Effect] = []
        group = strategy.group_of(kind, self._procession.layers(), child.id)
        for one in self.children.values():
            if one is child or one.id not in group:
                continue
            if one.is_alive:
                # One that somebody has told to end is only waited for.
                one.after_end = one.after_end or ("gone" if one.spec.restart == "temporary" else then)
            elif then == "waiting" and one.phase == "stopped" and not one.by_order:
                one.phase = "waiting"
            elif then == "parked" and one.phase in ("waiting", "restarting", "stopped") and not one.by_order:
                effects += [*self._cancel(one), fx.Parked(one.id, len(one.restarts))]
                one.phase = "parked"
        self._queue_group(now)
        return effects

    def _queue_group(self, now: float) -> None:
        self._procession.queue_ends()
        if self._procession.ends:
            self._clock.stand_still(now)
        self._procession.queue_begins()

    def _end_again(self, children: list[Child], now: float) -> list[fx.Effect]:
        """Let living children end and start again, with their groups where the strategy has them."""
        effects: list[fx.Effect] = []
        for child in children:
            child.after_end = child.after_end or "waiting"
        for child in children:
            effects += self._take_along(child, "waiting", now)
            if not self._in_groups and child.phase != "stopping":
                effects.append(self._procession.end(child))
        self._procession.queue_begins()
        return effects

    def _parked_with(self, child: Child) -> list[Child]:
        """Give the child and, where it is parked with its group or about to be, all of those."""
        if not self._in_groups or "parked" not in (child.phase, child.after_end):
            return [child]
        return [one for one in self.children.values() if "parked" in (one.phase, one.after_end)]

    def _shut_down_after(self, child: Child, effects: list[fx.Effect], now: float) -> list[fx.Effect]:
        """Stop the supervisor if it was this child, which has ended by itself, that it has been there for."""
        if not child.spec.significant or self.spec.auto_shutdown == "never":
            return effects
        if self.phase == "starting":
            # A supervisor that stopped before it was up would have failed to start.
            self._left_early = child
            return effects
        others = (one for one in self.children.values() if one is not child and one.spec.significant)
        if self.spec.auto_shutdown == "all_significant" and any(one.phase not in ("stopped", "parked") for one in others):
            return effects
        return [*effects, fx.ShutDown(child.id), *self.stop(now)]
