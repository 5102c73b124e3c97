"""Groups, layers and limits: who ends and begins with whom, in which order, and what counts."""

import pytest

from actors.runtime import RestartLimit
from actors.runtime.supervision import effects as fx
from tests.support.driven_machine import KILLED, NORMAL, NOT_STARTED, SLOWLY, Driven, child, running, supervisor


def test_one_for_all_ends_the_others_in_reverse_and_starts_all_in_order():
    driven = running(supervisor("one_for_all", child("a"), child("b"), child("c")))

    driven.exit("b")
    assert driven.log == ["-c"]
    driven.exit("c", NORMAL)
    assert driven.log == ["-c", "-a"]
    driven.exit("a", NORMAL)
    assert driven.log == ["-c", "-a", "+a"]
    driven.ready("a", "b", "c")

    assert driven.log == ["-c", "-a", "+a", "+b", "+c"]
    assert set(driven.phases().values()) == {"running"}


def test_rest_for_one_leaves_those_before_alone():
    driven = running(supervisor("rest_for_one", child("a"), child("b"), child("c")))

    driven.exit("b")
    driven.exit("c", NORMAL)
    driven.ready("b", "c")

    assert driven.log == ["-c", "+b", "+c"]
    assert driven.machine.children["a"].incarnation == 1


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_several_that_crash_during_a_group_restart_are_one_restart(strategy):
    driven = running(supervisor(strategy, child("a"), child("b"), child("c"), intensity=1, period=5.0))

    driven.exit("a")
    driven.exit("b", KILLED)
    driven.exit("c", KILLED)
    driven.ready("a", "b", "c")

    assert set(driven.phases().values()) == {"running"}
    assert [one.incarnation for one in driven.machine.children.values()] == [2, 2, 2]


def test_a_crash_of_one_that_is_back_already_begins_the_group_anew():
    driven = running(supervisor("one_for_all", child("a"), child("b")))
    driven.exit("b")
    driven.exit("a", NORMAL)
    driven.ready("a")

    driven.exit("a")
    driven.exit("b", NORMAL)
    driven.ready("a", "b")

    assert driven.log == ["-a", "+a", "+b", "-b", "+a", "+b"]


def test_a_group_restart_goes_on_from_the_child_that_did_not_start():
    driven = running(supervisor("one_for_all", child("a"), child("b", backoff=SLOWLY), child("c")))
    driven.exit("a")
    driven.exit("c", NORMAL)
    driven.exit("b", NORMAL)
    driven.ready("a")

    driven.exit("b", NOT_STARTED)
    driven.exit("b", NOT_STARTED)
    assert driven.phases() == {"a": "running", "b": "restarting", "c": "waiting"}
    driven.do(driven.machine.due("b", driven.machine.children["b"].incarnation, 1.0))
    driven.ready("b", "c")

    assert driven.log == ["-c", "-b", "+a", "+b", "+b", "+b", "+c"]


def test_the_group_waits_for_the_back_off_of_the_one_that_fell():
    driven = running(supervisor("one_for_all", child("a"), child("b", backoff=SLOWLY)))
    driven.exit("b")
    driven.exit("a", NORMAL)
    driven.ready("a", "b")

    driven.exit("b")
    driven.exit("a", NORMAL)
    assert driven.phases() == {"a": "waiting", "b": "restarting"}
    driven.do(driven.machine.due("b", driven.machine.children["b"].incarnation, 1.0))

    assert driven.phases() == {"a": "starting", "b": "waiting"}


def test_a_temporary_sibling_is_gone_and_a_finished_transient_one_is_back_after_a_group_restart():
    spec = supervisor("one_for_all", child("a"), child("t", restart="temporary"), child("f", restart="transient"))
    driven = running(spec)
    driven.exit("f", NORMAL)

    driven.exit("a")
    driven.exit("t", NORMAL)
    driven.ready("a", "f")

    assert driven.phases() == {"a": "running", "f": "running"}


def test_what_was_stopped_by_order_stays_stopped_when_its_group_is_restarted():
    driven = running(supervisor("one_for_all", child("a"), child("b"), child("c")))
    driven.order("stop_child", "b")
    driven.exit("b", NORMAL)

    driven.exit("a")
    driven.exit("c", NORMAL)
    driven.ready("a", "c")

    assert driven.phases() == {"a": "running", "b": "stopped", "c": "running"}
    driven.order("start_child", "b")
    assert driven.phases()["b"] == "starting"


def test_an_order_to_stop_in_the_middle_of_a_group_restart_counts():
    driven = running(supervisor("one_for_all", child("a"), child("b")))
    driven.exit("b")

    driven.order("stop_child", "a")
    driven.exit("a", NORMAL)

    assert driven.phases() == {"a": "stopped", "b": "starting"}


def test_a_group_that_parks_stays_down_together_and_is_started_together():
    driven = running(supervisor("rest_for_one", child("a"), child("b"), child("c"), intensity=0, on_exhausted="park"))
    driven.exit("b")
    driven.exit("c", NORMAL)
    assert driven.phases() == {"a": "running", "b": "parked", "c": "parked"}

    driven.order("start_child", "b")
    driven.ready("b", "c")

    assert set(driven.phases().values()) == {"running"}


def test_time_spent_stopping_does_not_empty_the_window():
    driven = running(supervisor("one_for_all", child("a"), child("b"), intensity=1, period=5.0))
    driven.exit("a")
    driven.now = 6.0
    driven.exit("b", NORMAL)
    driven.ready("a", "b")

    driven.exit("a")

    assert fx.Escalate("a", 2) in driven.effects


def test_neighbours_of_one_layer_start_together_and_stop_together():
    driven = Driven(supervisor("one_for_one", child("a"), child("b", layer=1), child("c", layer=1), child("d")))
    driven.ready("a")
    assert driven.log == ["+a", "+b", "+c"]
    driven.ready("c", "b", "d")
    driven.log.clear()

    driven.order("stop")
    driven.exit("d", NORMAL)
    assert driven.log == ["-d", "-b", "-c"]
    driven.exit("c", NORMAL)
    driven.exit("b", NORMAL)
    driven.exit("a", NORMAL)

    assert driven.log == ["-d", "-b", "-c", "-a"]
    assert driven.effects[-1] == fx.ReportStopped()


def test_a_first_start_that_fails_in_a_layer_stops_its_neighbours_and_those_before():
    driven = Driven(supervisor("one_for_one", child("a"), child("b", layer=1), child("c", layer=1)))
    driven.ready("a")

    driven.exit("b", NOT_STARTED)
    driven.exit("c", NORMAL)
    driven.exit("a", NORMAL)

    assert driven.log == ["+a", "+b", "+c", "-c", "-a"]
    assert driven.effects[-1] == fx.ReportStartFailed("b", NOT_STARTED)


def test_a_child_that_is_killed_in_the_very_first_start_has_one_more_try():
    driven = Driven(supervisor("one_for_one", child("a"), child("b")))
    driven.exit("a", KILLED)
    assert driven.log == ["+a", "+a"]

    driven.exit("a", KILLED)

    assert driven.effects[-1] == fx.ReportStartFailed("a", KILLED)


@pytest.mark.parametrize(("then", "effect"), [("park", fx.Parked("a", 2)), ("escalate", fx.Escalate("a", 2))])
def test_a_childs_own_limit_comes_before_its_supervisors(then, effect):
    limit = RestartLimit(1, 5.0, then)
    driven = running(supervisor("one_for_one", child("a", limit=limit), child("b")))

    driven.exit("a")
    driven.ready("a")
    driven.exit("a")

    assert effect in driven.effects


@pytest.mark.parametrize(("rule", "stops"), [("never", False), ("any_significant", True), ("all_significant", False)])
def test_a_significant_child_that_ends_by_itself_may_end_its_supervisor(rule, stops):
    children = [child(id_, restart="transient", significant=True) for id_ in ("a", "b")]
    driven = running(supervisor("one_for_one", *children, auto_shutdown=rule))

    driven.exit("a", NORMAL)

    assert (fx.ShutDown("a") in driven.effects) == stops
    assert (driven.machine.phase == "stopping") == stops


def test_the_last_significant_child_ends_a_supervisor_that_waits_for_all():
    children = [child("x"), *(child(id_, restart="temporary", significant=True) for id_ in ("a", "b"))]
    driven = running(supervisor("one_for_one", *children, auto_shutdown="all_significant"))
    driven.exit("a", NORMAL)

    driven.exit("b")
    driven.exit("x", NORMAL)

    assert driven.effects[-1] == fx.ReportStopped()


def test_a_significant_child_that_is_stopped_by_order_ends_nobody():
    significant = child("a", restart="transient", significant=True)
    driven = running(supervisor("one_for_one", significant, auto_shutdown="any_significant"))

    driven.order("stop_child", "a")
    driven.exit("a", NORMAL)

    assert driven.machine.phase == "running"


def test_a_significant_child_that_finishes_before_its_siblings_are_up_does_not_fail_the_start():
    children = [child("a", restart="transient", significant=True), child("b")]
    driven = Driven(supervisor("one_for_one", *children, auto_shutdown="any_significant"))
    driven.ready("a")
    driven.exit("a", NORMAL)

    driven.ready("b")

    assert driven.effects == [fx.Note("b", "started", 1), fx.ReportReady(), fx.ShutDown("a"), fx.End("b", 1)]


def test_a_child_that_its_own_limit_has_parked_does_not_count_against_its_supervisor():
    bad = child("bad", limit=RestartLimit(2, 60.0, "park"))
    driven = running(supervisor("one_for_one", bad, child("good"), intensity=3, period=60.0))
    for _ in range(2):
        driven.exit("bad")
        driven.ready("bad")
    assert fx.Parked("bad", 3) in driven.exit("bad")

    driven.exit("good")

    assert driven.phases() == {"bad": "parked", "good": "starting"}


def test_a_significant_child_that_was_started_again_by_then_ends_nobody():
    children = [child("a", restart="transient", significant=True), child("b")]
    driven = Driven(supervisor("one_for_one", *children, auto_shutdown="any_significant"))
    driven.ready("a")
    driven.exit("a", NORMAL)
    driven.order("start_child", "a")

    driven.ready("a", "b")

    assert driven.machine.phase == "running"
