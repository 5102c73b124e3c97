"""The plan of a stop is a bound that is known before the stop begins."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime import ChildSpec, SupervisorSpec
from actors.runtime.supervision.shutdown_plan import KILL_S, StopStep, shutdown_plan

ACTOR = "shop.actors:Till"


def worker(name, shutdown=1.0, **fields):
    return ChildSpec(name, ACTOR, shutdown=shutdown, **fields)


def test_children_stop_in_reverse_order_one_after_the_other():
    plan = shutdown_plan(SupervisorSpec("root", [worker("a", 1.0), worker("b", 2.0)]))

    assert plan.steps == (StopStep(("/b",), 2.0), StopStep(("/a",), 1.0))
    assert plan.bound_s == 3.0
    assert str(plan) == "at most 3.0 s"


def test_neighbours_of_one_layer_stop_together():
    plan = shutdown_plan(SupervisorSpec("root", [worker("a", 1.0), worker("b", 2.0, layer=1), worker("c", 3.0, layer=1)]))

    assert plan.steps == (StopStep(("/b", "/c"), 3.0), StopStep(("/a",), 1.0))


def test_what_is_killed_has_the_time_that_a_kill_takes():
    assert shutdown_plan(SupervisorSpec("root", [worker("a", "kill")])).bound_s == KILL_S


def test_an_infinite_shutdown_makes_it_unbounded_unless_a_finite_one_is_above_it():
    below = SupervisorSpec("below", [worker("a", "infinity")])
    bounded = SupervisorSpec("below", [worker("a", "infinity")], process=True, shutdown=4.0)

    assert shutdown_plan(SupervisorSpec("root", [below])).bound_s is None
    assert "as long as it takes" in str(shutdown_plan(SupervisorSpec("root", [below])))
    assert shutdown_plan(SupervisorSpec("root", [bounded])).bound_s == 4.0


def test_a_supervisor_takes_as_long_as_what_is_below_it():
    below = SupervisorSpec("below", [worker("a", 1.0), worker("b", 2.0)])

    assert shutdown_plan(SupervisorSpec("root", [below])).steps == (StopStep(("/below",), 3.0),)


def test_a_node_has_its_own_bound_for_its_process_to_end():
    node = SupervisorSpec("node", [worker("a", 1.0)], process=True, shutdown=5.0)

    assert shutdown_plan(SupervisorSpec("root", [node])).bound_s == 5.0


def test_all_children_of_a_dynamic_supervisor_stop_together():
    pool = SupervisorSpec("pool", [worker("template", 2.0)], strategy="dynamic")

    assert shutdown_plan(SupervisorSpec("root", [pool])).bound_s == 2.0


def test_a_tree_without_children_stops_at_once():
    assert shutdown_plan(SupervisorSpec("root")).bound_s == 0.0


SHUTDOWNS = st.one_of(st.floats(0, 100), st.just("kill"), st.just("infinity"))


@given(
    st.lists(st.tuples(SHUTDOWNS, st.integers(1, 3)), max_size=6).map(
        lambda children: sorted(children, key=lambda child: child[1])
    )
)
def test_every_child_is_in_one_step_and_none_takes_longer_than_the_whole(children):
    spec = SupervisorSpec("root", [worker(f"c{number}", how, layer=layer) for number, (how, layer) in enumerate(children)])
    plan = shutdown_plan(spec)

    named = [path for step in plan.steps for path in step.paths]
    assert sorted(named) == sorted(f"/c{number}" for number in range(len(children)))
    seconds = [math.inf if step.bound_s is None else step.bound_s for step in plan.steps]
    assert (math.inf if plan.bound_s is None else plan.bound_s) == pytest.approx(math.fsum(seconds), abs=0.01)
