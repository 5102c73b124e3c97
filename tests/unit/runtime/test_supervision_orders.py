"""Orders and reloads, as the machine takes them: what they begin, what they end, and what they leave alone."""

import pytest

from actors.runtime import SupervisorSpec
from actors.runtime.supervision import effects as fx
from tests.support.driven_machine import NORMAL, NOT_STARTED, SLOWLY, child, running, supervisor


def test_an_order_to_restart_takes_the_group_along_and_counts_for_no_limit():
    driven = running(supervisor("rest_for_one", child("a"), child("b"), child("c"), intensity=0))

    driven.order("restart_child", "b")
    driven.exit("c", NORMAL)
    driven.exit("b", NORMAL)
    driven.ready("b", "c")

    assert driven.log == ["-c", "-b", "+b", "+c"]


def test_an_order_to_start_one_that_is_being_stopped_is_carried_out_afterwards():
    driven = running(supervisor("one_for_one", child("a")))
    driven.order("stop_child", "a")

    driven.order("start_child", "a")
    driven.exit("a", NORMAL)

    assert driven.log == ["-a", "+a"]


def test_a_dynamic_supervisor_starts_nobody_by_itself_and_stops_all_together():
    driven = running(supervisor("dynamic", child("template")))
    for id_ in ("a", "b"):
        driven.do(driven.machine.add(child(id_), 1, id_))
    driven.ready("b", "a")
    driven.log.clear()

    driven.order("stop")

    assert driven.log == ["-a", "-b"]


def test_a_child_of_a_dynamic_supervisor_that_has_finished_is_gone():
    driven = running(supervisor("dynamic", child("template", restart="transient")))
    driven.do(driven.machine.add(child("a", restart="transient"), 1, "a"))
    driven.ready("a")

    assert fx.Discard("a") in driven.exit("a", NORMAL)


def test_a_reload_adds_removes_and_restarts_what_differs_and_leaves_the_rest_alone():
    driven = running(supervisor("one_for_one", child("same"), child("gone"), child("changed"), child("ruled")))
    new = supervisor("one_for_one", child("new"), child("same"), child("changed", args=(1,)), child("ruled", shutdown=9.0))

    driven.order("reload", new)
    driven.exit("gone", NORMAL)
    driven.exit("changed", NORMAL)
    driven.ready("new", "changed")

    assert sorted(driven.log) == ["+changed", "+new", "-changed", "-gone"]
    assert list(driven.machine.children) == ["new", "same", "changed", "ruled"]
    assert [one.incarnation for one in driven.machine.children.values()] == [1, 1, 2, 1]
    assert driven.machine.children["ruled"].spec.shutdown == 9.0


def test_a_reload_passes_on_to_a_running_supervisor_what_changes_below_it():
    inner = SupervisorSpec("inner", [child("x")])
    driven = running(supervisor("one_for_one", inner))
    more = SupervisorSpec("inner", [child("x"), child("y")])

    assert driven.order("reload", supervisor("one_for_one", more)) == [fx.Adjust("inner", more)]


def test_a_reload_while_a_child_waits_for_its_restart_takes_the_new_spec_for_it():
    driven = running(supervisor("one_for_one", child("a", backoff=SLOWLY)))
    driven.exit("a")
    driven.ready("a")
    driven.exit("a")
    assert driven.phases() == {"a": "restarting"}

    driven.order("reload", supervisor("one_for_one", child("a", args=(2,))))

    assert driven.phases() == {"a": "starting"}
    assert driven.machine.children["a"].spec.args == (2,)


def test_a_reload_goes_by_what_the_children_are_and_not_by_the_spec_they_once_had():
    driven = running(supervisor("one_for_one"))
    driven.do(driven.machine.add(child("a"), 1, "a"))
    driven.ready("a")

    driven.order("reload", supervisor("one_for_one", child("a", args=(1,))))
    driven.exit("a", NORMAL)

    assert driven.machine.children["a"].spec.args == (1,)
    assert driven.log == ["+a", "-a", "+a"]


def test_a_reload_begins_nobody_that_it_ends():
    driven = running(supervisor("rest_for_one", child("b", backoff=SLOWLY), child("c")))
    for _ in range(2):
        driven.exit("b")
        driven.ready(*(id_ for id_, phase in driven.phases().items() if phase == "starting"))
        if driven.phases()["c"] == "stopping":
            driven.exit("c", NORMAL)
            driven.ready(*(id_ for id_, phase in driven.phases().items() if phase == "starting"))
    assert driven.phases() == {"b": "restarting", "c": "waiting"}
    driven.log.clear()

    driven.order("reload", supervisor("rest_for_one", child("c", args=(1,))))

    assert driven.log == ["+c"]


def test_a_child_that_is_added_while_its_group_is_down_waits_for_its_turn():
    driven = running(supervisor("rest_for_one", child("a"), child("b")))
    driven.exit("a")

    driven.do(driven.machine.add(child("c"), 1, "c"))
    driven.exit("b", NORMAL)
    driven.ready("a", "b", "c")

    assert driven.log == ["-b", "+a", "+b", "+c"]


def test_a_child_that_was_stopped_and_started_again_at_once_is_not_taken_for_stopped():
    driven = running(supervisor("rest_for_one", child("a"), child("b", restart="transient")))
    driven.order("stop_child", "b")
    driven.order("start_child", "b")
    driven.exit("b", NORMAL)
    driven.ready("b")
    driven.exit("b", NORMAL)

    driven.exit("a")
    driven.ready("a")

    assert driven.phases() == {"a": "running", "b": "starting"}


def test_a_child_that_a_reload_adds_and_that_does_not_start_at_once_is_tried_again():
    driven = running(supervisor("one_for_one"))
    driven.order("reload", supervisor("one_for_one", child("a")))

    driven.exit("a", NOT_STARTED)

    assert driven.log == ["+a", "+a"]


def test_a_reload_starts_what_is_new_while_an_unrelated_child_waits_for_its_restart():
    driven = running(supervisor("one_for_one", child("db", backoff=SLOWLY)))
    driven.exit("db")
    driven.ready("db")
    driven.exit("db")
    driven.log.clear()

    driven.order("reload", supervisor("one_for_one", child("db", backoff=SLOWLY), child("new")))

    assert driven.log == ["+new"]


@pytest.mark.parametrize("what", ["added", "changed"])
def test_a_child_that_a_reload_has_spoilt_is_parked_and_ends_nobody_else(what):
    before = [child("good"), *([child("bad")] if what == "changed" else [])]
    driven = running(supervisor("one_for_one", *before, intensity=1))
    driven.order("reload", supervisor("one_for_one", child("good"), child("bad", args=("typo",)), intensity=1))
    if what == "changed":
        driven.exit("bad", NORMAL)

    driven.exit("bad", NOT_STARTED)
    driven.exit("bad", NOT_STARTED)
    driven.exit("good")

    assert driven.phases() == {"good": "starting", "bad": "parked"}


def test_an_order_to_start_one_of_a_group_that_is_being_parked_is_for_all_of_it():
    driven = running(supervisor("one_for_all", child("a"), child("b"), child("c"), intensity=0, on_exhausted="park"))
    driven.exit("b")
    assert driven.phases() == {"a": "running", "b": "parked", "c": "stopping"}

    driven.order("start_child", "b")
    driven.exit("c", NORMAL)
    driven.exit("a", NORMAL)
    driven.ready("a", "b", "c")

    assert set(driven.phases().values()) == {"running"}
