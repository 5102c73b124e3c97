"""The supervisor's machine: order of starting and stopping, one life at a time, exact intensity, against a model."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.runtime import Backoff, ChildSpec, SupervisorSpec
from actors.runtime.snapshot import ExitSnapshot
from actors.runtime.supervision import effects as fx
from actors.runtime.supervision.machine import SupervisorMachine

FAILED, NORMAL, NOT_STARTED = ExitSnapshot("failed"), ExitSnapshot("normal"), ExitSnapshot("start_failed")
AT_ONCE = Backoff(min=0, max=0)


def spec(*ids, restart="permanent", backoff=AT_ONCE, **fields):
    children = tuple(ChildSpec(id_, "m:C", restart=restart, backoff=backoff) for id_ in ids)
    return SupervisorSpec("s", children, **fields)


def running(*ids, **fields):
    machine = SupervisorMachine(spec(*ids, **fields))
    machine.start()
    for id_ in ids:
        machine.ready(id_, 1, now=0.0)
    assert machine.phase == "running"
    return machine


def phases(machine):
    return {id_: child.phase for id_, child in machine.children.items()}


def test_children_start_one_after_the_other_and_then_the_supervisor_is_ready():
    machine = SupervisorMachine(spec("a", "b"))

    assert machine.start() == [fx.Begin("a", 1)]
    assert machine.ready("a", 1, 0.0) == [fx.Note("a", "started", 1), fx.Begin("b", 1)]
    assert machine.ready("b", 1, 0.0) == [fx.Note("b", "started", 1), fx.ReportReady()]


def test_a_supervisor_without_children_is_ready_at_once():
    assert SupervisorMachine(spec()).start() == [fx.ReportReady()]


def test_a_child_that_does_not_start_stops_those_before_it_in_reverse():
    machine = SupervisorMachine(spec("a", "b", "c", "d"))
    machine.start()
    machine.ready("a", 1, 0.0)
    machine.ready("b", 1, 0.0)

    assert machine.exited("c", 1, NOT_STARTED, 0.0, 0.0) == [fx.Note("c", "exited", 1), fx.End("b", 1)]
    assert machine.exited("b", 1, NORMAL, 0.0, 0.0) == [fx.Note("b", "exited", 1), fx.End("a", 1)]
    assert machine.exited("a", 1, NORMAL, 0.0, 0.0) == [fx.Note("a", "exited", 1), fx.ReportStartFailed("c", NOT_STARTED)]
    assert machine.phase == "stopped"


def test_children_stop_in_reverse_one_at_a_time():
    machine = running("a", "b", "c")

    assert machine.stop() == [fx.End("c", 1)]
    assert machine.stop() == []
    assert machine.exited("c", 1, NORMAL, 0.0, 0.0)[1:] == [fx.End("b", 1)]
    assert machine.exited("b", 1, NORMAL, 0.0, 0.0)[1:] == [fx.End("a", 1)]
    assert machine.exited("a", 1, NORMAL, 0.0, 0.0)[1:] == [fx.ReportStopped()]


def test_a_stop_in_the_middle_of_the_start_stops_what_is_up_and_starts_nothing_more():
    machine = SupervisorMachine(spec("a", "b", "c"))
    machine.start()
    machine.ready("a", 1, 0.0)

    assert machine.stop() == [fx.End("b", 1)]
    assert machine.ready("b", 1, 0.0) == []
    assert machine.exited("b", 1, NORMAL, 0.0, 0.0)[1:] == [fx.End("a", 1)]


def test_a_child_that_fails_while_the_supervisor_stops_is_not_restarted():
    machine = running("a", "b")
    machine.stop()

    assert machine.exited("a", 1, FAILED, 0.0, 0.0) == [fx.Note("a", "exited", 1)]
    assert machine.exited("b", 1, NORMAL, 0.0, 0.0)[1:] == [fx.ReportStopped()]


def test_a_failed_child_gets_a_new_incarnation():
    machine = running("a")

    assert machine.exited("a", 1, FAILED, 0.0, 0.0) == [fx.Note("a", "exited", 1), fx.Begin("a", 2)]
    assert machine.ready("a", 2, 0.0) == [fx.Note("a", "restarted", 2)]


@pytest.mark.parametrize("incarnation", [0, 1, 3])
def test_what_another_life_does_changes_nothing(incarnation):
    machine = running("a")
    machine.exited("a", 1, FAILED, 0.0, 0.0)
    machine.ready("a", 2, 0.0)

    assert machine.exited("a", incarnation, FAILED, 0.0, 0.0) == []
    assert machine.ready("a", incarnation, 0.0) == []
    assert machine.due("a", incarnation) == []
    assert phases(machine) == {"a": "running"}


def test_an_exit_that_arrives_twice_restarts_once():
    machine = running("a", backoff=Backoff(min=1, max=1))
    machine.exited("a", 1, FAILED, 0.0, 0.0)
    machine.ready("a", 2, 0.0)

    assert machine.exited("a", 2, FAILED, 0.0, 0.0)[1:] == [fx.Schedule("a", 2, 1.0)]
    assert machine.exited("a", 2, FAILED, 0.0, 0.0) == []


def test_a_restart_waits_until_it_is_due_and_a_verb_may_hurry_it():
    machine = running("a", backoff=Backoff(min=1, max=1))
    machine.exited("a", 1, FAILED, 0.0, 0.0)
    machine.ready("a", 2, 0.0)
    machine.exited("a", 2, FAILED, 0.0, 0.0)

    assert machine.restart("a") == [fx.Begin("a", 3)]
    assert machine.due("a", 2) == []


@pytest.mark.parametrize("verb", ["stop", "remove"])
def test_a_stop_cancels_a_restart_that_is_not_due_yet(verb):
    machine = running("a", backoff=Backoff(min=1, max=1))
    machine.exited("a", 1, FAILED, 0.0, 0.0)
    machine.ready("a", 2, 0.0)
    machine.exited("a", 2, FAILED, 0.0, 0.0)

    if verb == "stop":
        assert machine.stop() == [fx.ReportStopped()]
    else:
        assert machine.remove("a") == [fx.Discard("a")]
    assert machine.due("a", 2) == []


def test_too_many_restarts_stop_the_siblings_in_reverse_and_fail_the_supervisor():
    machine = running("a", "b", "c", intensity=1)
    machine.exited("b", 1, FAILED, 0.0, 0.0)
    machine.ready("b", 2, 0.0)

    assert machine.exited("b", 2, FAILED, 1.0, 0.0) == [fx.Note("b", "exited", 2), fx.Escalate("b", 2), fx.End("c", 1)]
    assert machine.exited("c", 1, NORMAL, 1.0, 0.0)[1:] == [fx.End("a", 1)]
    assert machine.exited("a", 1, NORMAL, 1.0, 0.0)[1:] == [fx.ReportFailed("b", FAILED)]


def test_too_many_restarts_park_the_child_where_the_spec_says_so():
    machine = running("a", "b", intensity=0, on_exhausted="park")

    assert machine.exited("a", 1, FAILED, 0.0, 0.0) == [fx.Note("a", "exited", 1), fx.Parked("a", 1)]
    assert phases(machine) == {"a": "parked", "b": "running"}
    assert machine.restart("a") == [fx.Begin("a", 2)]


def test_one_bad_child_does_not_park_a_good_sibling_on_its_first_failure():
    """Parking is about one child, so it counts that child's restarts; escalation is about all of them."""
    machine = running("bad", "good", intensity=2, on_exhausted="park")
    for incarnation in (1, 2):
        machine.exited("bad", incarnation, FAILED, 0.0, 0.0)
        machine.ready("bad", incarnation + 1, 0.0)

    assert machine.exited("good", 1, FAILED, 0.0, 0.0)[1:] == [fx.Begin("good", 2)]
    assert machine.exited("bad", 3, FAILED, 0.0, 0.0)[1:] == [fx.Parked("bad", 3)]


def test_a_parked_child_that_is_restarted_has_a_clean_record():
    machine = running("a", intensity=1, on_exhausted="park")
    machine.exited("a", 1, FAILED, 0.0, 0.0)
    machine.ready("a", 2, 0.0)
    machine.exited("a", 2, FAILED, 0.0, 0.0)
    machine.restart("a")
    machine.ready("a", 3, 0.0)

    assert machine.exited("a", 3, FAILED, 0.0, 0.0)[1:] == [fx.Begin("a", 4)]


def test_a_restart_that_fails_to_start_counts_as_one_more_failure():
    machine = running("a", intensity=2, on_exhausted="park")
    machine.exited("a", 1, FAILED, 0.0, 0.0)

    assert machine.exited("a", 2, NOT_STARTED, 0.0, 0.0)[1:] == [fx.Begin("a", 3)]
    assert machine.exited("a", 3, NOT_STARTED, 0.0, 0.0)[1:] == [fx.Parked("a", 3)]


def test_a_sibling_that_fails_during_the_start_is_restarted_and_the_order_kept():
    machine = SupervisorMachine(spec("a", "b", "c"))
    machine.start()
    machine.ready("a", 1, 0.0)

    assert machine.exited("a", 1, FAILED, 0.0, 0.0)[1:] == [fx.Begin("a", 2)]
    assert machine.ready("a", 2, 0.0) == [fx.Note("a", "restarted", 2)]
    assert machine.ready("b", 1, 0.0)[1:] == [fx.Begin("c", 1)]
    assert machine.ready("c", 1, 0.0)[1:] == [fx.ReportReady()]


def test_a_supervisor_is_not_ready_while_an_earlier_child_is_being_restarted():
    machine = SupervisorMachine(spec("a", "b"))
    machine.start()
    machine.ready("a", 1, 0.0)
    machine.exited("a", 1, FAILED, 0.0, 0.0)

    assert machine.ready("b", 1, 0.0) == [fx.Note("b", "started", 1)]
    assert machine.ready("a", 2, 0.0)[1:] == [fx.ReportReady()]


def test_the_start_goes_on_when_an_earlier_child_is_parked_instead():
    machine = SupervisorMachine(spec("a", "b", "c", intensity=1, on_exhausted="park"))
    machine.start()
    machine.ready("a", 1, 0.0)
    machine.exited("a", 1, FAILED, 0.0, 0.0)
    machine.ready("b", 1, 0.0)

    assert machine.exited("a", 2, FAILED, 0.0, 0.0)[1:] == [fx.Parked("a", 2), fx.Begin("c", 1)]


def test_a_child_that_is_added_and_does_not_start_is_gone_again_and_nothing_else_happens():
    machine = running("a")

    assert machine.add(ChildSpec("b", "m:C"), 7, "b") == [fx.Begin("b", 7)]
    assert machine.exited("b", 7, NOT_STARTED, 0.0, 0.0) == [fx.Note("b", "exited", 7), fx.Discard("b")]
    assert phases(machine) == {"a": "running"}


def test_a_removed_child_is_stopped_and_gone():
    machine = running("a", "b")

    assert machine.remove("a") == [fx.End("a", 1)]
    assert machine.remove("a") == []
    assert machine.exited("a", 1, NORMAL, 0.0, 0.0) == [fx.Note("a", "exited", 1), fx.Discard("a")]
    assert phases(machine) == {"b": "running"}


def test_a_transient_child_that_left_stays_until_it_is_restarted_and_a_temporary_one_is_gone():
    transient, temporary = running("a", restart="transient"), running("a", restart="temporary")

    assert transient.exited("a", 1, NORMAL, 0.0, 0.0) == [fx.Note("a", "exited", 1)]
    assert transient.restart("a") == [fx.Begin("a", 2)]
    assert temporary.exited("a", 1, FAILED, 0.0, 0.0) == [fx.Note("a", "exited", 1), fx.Discard("a")]


@pytest.mark.parametrize("event", ["ready", "exited", "due"])
def test_what_nobody_knows_of_changes_nothing(event):
    machine = running("a")
    arguments = {"ready": (0.0,), "exited": (FAILED, 0.0, 0.0), "due": ()}[event]

    assert getattr(machine, event)("nobody", 1, *arguments) == []


IDS = ["a", "b", "c"]


class SupervisorModel(RuleBasedStateMachine):
    """Drives a machine as the runtime does, and keeps by itself what must be true of any supervisor."""

    @initialize(
        kinds=st.lists(st.sampled_from(["permanent", "transient", "temporary"]), min_size=3, max_size=3),
        count=st.integers(0, 3),
        intensity=st.integers(0, 3),
        on_exhausted=st.sampled_from(["escalate", "park"]),
        delay=st.sampled_from([0, 1]),
    )
    def build(self, kinds, count, intensity, on_exhausted, delay):
        backoff = Backoff(min=delay, max=delay, jitter=0)
        children = tuple(
            ChildSpec(id_, "m:C", restart=kind, backoff=backoff) for id_, kind in zip(IDS[:count], kinds, strict=False)
        )
        self.spec = SupervisorSpec("s", children, intensity=intensity, period=5.0, on_exhausted=on_exhausted)
        self.machine = SupervisorMachine(self.spec)
        self.now = 0.0
        self.alive, self.ending, self.last = {}, set(), {}
        self.order = [child.id for child in children]
        self.first_ready, self.stopped, self.said = [], [], []
        self.counted = {}
        self.do(self.machine.start())

    def do(self, todo):
        for effect in todo:
            match effect:
                case fx.Begin(id_, incarnation):
                    assert id_ not in self.alive, "one life at a time"
                    assert incarnation > self.last.get(id_, 0), "incarnations grow"
                    assert not self.said, "nothing starts after the last word"
                    assert self.machine.phase in ("starting", "running")
                    if self.machine.phase == "starting" and incarnation == 1:
                        assert self.first_ready == self.order[: self.order.index(id_)], "each starts when those before it have"
                    self.alive[id_] = self.last[id_] = incarnation
                case fx.End(id_, incarnation):
                    assert self.alive[id_] == incarnation
                    self.ending.add(id_)
                    if self.machine.phase == "stopping":
                        later = self.order[self.order.index(id_) + 1 :]
                        assert not [other for other in later if other in self.alive], "stopped in reverse"
                case fx.Discard(id_):
                    assert id_ not in self.alive
                    self.order.remove(id_)
                    self.first_ready = [known for known in self.first_ready if known != id_]
                case fx.ReportStopped() | fx.ReportStartFailed() | fx.ReportFailed():
                    assert not self.alive, "the last word comes when every child has ended"
                    assert not self.said
                    self.said.append(effect)
                case _:
                    pass
        self.effects = todo

    @property
    def living(self):
        return sorted(self.alive)

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def becomes_ready(self, data):
        id_ = data.draw(st.sampled_from(self.living))
        if id_ in self.order and id_ not in self.first_ready:
            self.first_ready = [known for known in self.order if known in {*self.first_ready, id_}]
        self.do(self.machine.ready(id_, self.alive[id_], self.now))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), reason=st.sampled_from(["failed", "normal", "shutdown", "killed", "start_failed"]))
    def exits(self, data, reason):
        id_ = data.draw(st.sampled_from(self.living))
        incarnation = self.alive.pop(id_)
        child = self.machine.children[id_]
        was_judged = child.was_ready and id_ not in self.ending and self.machine.phase != "stopping"
        self.ending.discard(id_)
        kind = child.spec.restart
        restarts = kind == "permanent" or (kind == "transient" and reason not in ("normal", "shutdown"))
        whose = id_ if self.spec.on_exhausted == "park" else "all"
        window = [at for at in self.counted.get(whose, []) if at >= self.now - 5.0]

        self.do(self.machine.exited(id_, incarnation, ExitSnapshot(reason), self.now, 0.0))

        if was_judged and restarts:
            self.counted[whose] = [*window, self.now]
            gave_up = any(isinstance(effect, fx.Parked | fx.Escalate) for effect in self.effects)
            assert gave_up == (len(window) + 1 > self.spec.intensity), "intensity is exact"
        assert self.machine.exited(id_, incarnation, ExitSnapshot(reason), self.now, 0.0) == [], "an exit counts once"

    @rule(seconds=st.sampled_from([0.5, 2.5, 5.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(data=st.data())
    def a_restart_is_due(self, data):
        waiting = [id_ for id_, child in self.machine.children.items() if child.phase == "restarting"]
        if waiting:
            id_ = data.draw(st.sampled_from(waiting))
            self.do(self.machine.due(id_, self.machine.children[id_].incarnation))

    @rule(id_=st.sampled_from(IDS), incarnation=st.integers(0, 3))
    def something_old_arrives(self, id_, incarnation):
        if incarnation != self.alive.get(id_) and incarnation < self.last.get(id_, 0):
            assert self.machine.exited(id_, incarnation, FAILED, self.now, 0.0) == []
            assert self.machine.ready(id_, incarnation, self.now) == []
            assert self.machine.due(id_, incarnation) == []

    @rule(id_=st.sampled_from(IDS), verb=st.sampled_from(["remove", "restart"]))
    def a_verb(self, id_, verb):
        child = self.machine.children.get(id_)
        if verb == "restart" and child is not None and child.phase in ("parked", "stopped", "restarting"):
            self.counted.pop(id_, None)
        self.do(getattr(self.machine, verb)(id_))

    @rule(id_=st.sampled_from(IDS), kind=st.sampled_from(["permanent", "transient", "temporary"]))
    def a_child_is_added(self, id_, kind):
        if id_ in self.machine.children:
            return
        first = self.last.get(id_, 0) + 1
        if self.machine.phase == "running":
            self.order.append(id_)
            self.counted.pop(id_, None)
        self.do(self.machine.add(ChildSpec(id_, "m:C", restart=kind, backoff=AT_ONCE), first, id_))

    @precondition(lambda self: self.machine.phase == "running")
    @rule(chance=st.integers(0, 4))
    def it_is_stopped(self, chance):
        if chance == 0:
            self.do(self.machine.stop())

    @invariant()
    def holds(self):
        if not hasattr(self, "machine"):
            return
        self.machine.check_invariants()
        shown = {id_ for id_, child in self.machine.children.items() if child.phase in ("starting", "running", "stopping")}
        assert shown == set(self.alive)
        assert (self.machine.phase == "stopped") == bool(self.said)
        if self.machine.phase == "running":
            stuck = [child for child in self.machine.children.values() if child.phase == "waiting"]
            assert not stuck, "whoever says ready has started everybody"
        if self.machine.phase in ("starting", "stopping"):
            moving = [c.phase for c in self.machine.children.values() if c.phase in ("starting", "stopping", "restarting")]
            assert moving, "somebody is due to report, so it goes on"


TestSupervisorModel = SupervisorModel.TestCase
TestSupervisorModel.settings = settings(max_examples=200, stateful_step_count=30)
