"""The supervisor's machine: order of starting and stopping, one life at a time, exact intensity."""

import pytest

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

    assert machine.stop(0.0) == [fx.End("c", 1)]
    assert machine.stop(0.0) == []
    assert machine.exited("c", 1, NORMAL, 0.0, 0.0)[1:] == [fx.End("b", 1)]
    assert machine.exited("b", 1, NORMAL, 0.0, 0.0)[1:] == [fx.End("a", 1)]
    assert machine.exited("a", 1, NORMAL, 0.0, 0.0)[1:] == [fx.ReportStopped()]


def test_a_stop_in_the_middle_of_the_start_stops_what_is_up_and_starts_nothing_more():
    machine = SupervisorMachine(spec("a", "b", "c"))
    machine.start()
    machine.ready("a", 1, 0.0)

    assert machine.stop(0.0) == [fx.End("b", 1)]
    assert machine.ready("b", 1, 0.0) == []
    assert machine.exited("b", 1, NORMAL, 0.0, 0.0)[1:] == [fx.End("a", 1)]


def test_a_child_that_fails_while_the_supervisor_stops_is_not_restarted():
    machine = running("a", "b")
    machine.stop(0.0)

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
    assert machine.due("a", incarnation, 0.0) == []
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

    assert machine.start_child("a", 0.0) == [fx.Cancel("a"), fx.Begin("a", 3)]
    assert machine.due("a", 2, 0.0) == []


@pytest.mark.parametrize("verb", ["stop", "remove"])
def test_a_stop_cancels_a_restart_that_is_not_due_yet(verb):
    machine = running("a", backoff=Backoff(min=1, max=1))
    machine.exited("a", 1, FAILED, 0.0, 0.0)
    machine.ready("a", 2, 0.0)
    machine.exited("a", 2, FAILED, 0.0, 0.0)

    if verb == "stop":
        assert machine.stop(0.0) == [fx.Cancel("a"), fx.ReportStopped()]
    else:
        assert machine.remove("a", 0.0) == [fx.Cancel("a"), fx.Discard("a")]
    assert machine.due("a", 2, 0.0) == []


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
    assert machine.start_child("a", 0.0) == [fx.Begin("a", 2)]


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
    machine.start_child("a", 0.0)
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


def test_a_child_that_crashes_after_it_was_up_holds_up_neither_its_siblings_nor_the_start():
    machine = SupervisorMachine(spec("a", "b", intensity=9, backoff=Backoff(min=60, max=60, jitter=0)))
    machine.start()
    for _ in range(2):
        machine.ready("a", machine.children["a"].incarnation, 0.0)
        machine.exited("a", machine.children["a"].incarnation, FAILED, 0.0, 0.0)
    assert phases(machine) == {"a": "restarting", "b": "starting"}

    assert machine.ready("b", 1, 0.0) == [fx.Note("b", "started", 1), fx.ReportReady()]


def test_ten_thousand_children_stop_in_a_few_looks_at_each():
    machine = SupervisorMachine(SupervisorSpec("s", (ChildSpec("t", "m:C"),), strategy="dynamic"))
    machine.start()
    ids = [f"c{number}" for number in range(10_000)]
    for id_ in ids:
        machine.add(ChildSpec(id_, "m:C"), 1, id_)
        machine.ready(id_, 1, 0.0)
    looks = []
    leaves = machine._procession._leaves
    machine._procession._leaves = lambda id_: looks.append(id_) or leaves(id_)

    machine.stop(0.0)
    for id_ in ids:
        machine.exited(id_, 1, NORMAL, 0.0, 0.0)

    assert machine.phase == "stopped"
    assert len(looks) < 3 * len(ids)


def test_a_child_that_is_added_and_does_not_start_is_gone_again_and_nothing_else_happens():
    machine = running("a")

    assert machine.add(ChildSpec("b", "m:C"), 7, "b") == [fx.Begin("b", 7)]
    assert machine.exited("b", 7, NOT_STARTED, 0.0, 0.0) == [fx.Note("b", "exited", 7), fx.Discard("b")]
    assert phases(machine) == {"a": "running"}


def test_a_removed_child_is_stopped_and_gone():
    machine = running("a", "b")

    assert machine.remove("a", 0.0) == [fx.End("a", 1)]
    assert machine.remove("a", 0.0) == []
    assert machine.exited("a", 1, NORMAL, 0.0, 0.0) == [fx.Note("a", "exited", 1), fx.Discard("a")]
    assert phases(machine) == {"b": "running"}


def test_a_transient_child_that_left_stays_until_it_is_restarted_and_a_temporary_one_is_gone():
    transient, temporary = running("a", restart="transient"), running("a", restart="temporary")

    assert transient.exited("a", 1, NORMAL, 0.0, 0.0) == [fx.Note("a", "exited", 1), fx.Stopped("a")]
    assert transient.start_child("a", 0.0) == [fx.Begin("a", 2)]
    assert temporary.exited("a", 1, FAILED, 0.0, 0.0) == [fx.Note("a", "exited", 1), fx.Discard("a")]


@pytest.mark.parametrize("event", ["ready", "exited", "due"])
def test_what_nobody_knows_of_changes_nothing(event):
    machine = running("a")
    arguments = {"ready": (0.0,), "exited": (FAILED, 0.0, 0.0), "due": (0.0,)}[event]

    assert getattr(machine, event)("nobody", 1, *arguments) == []
