"""What is allowed in a tree and probably not meant is named; what is meant is not."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime import Backoff, ChildSpec, RestartLimit, SupervisorSpec
from actors.runtime.supervision import strategy
from actors.runtime.supervision.lint import warnings_of
from actors.runtime.supervision.spec import RestartType, Strategy
from actors.tree import symphony_tree

ACTOR = "shop.actors:Till"
QUICK = Backoff(min=0.0)
SLOW = Backoff(min=1.0, max=1.0, jitter=0.0)


def worker(name="w", **fields):
    return ChildSpec(name, ACTOR, **fields)


def found(spec):
    return [(warning.path, warning.rule) for warning in warnings_of(spec)]


def tree(*children, **fields):
    return SupervisorSpec("root", children, **fields)


def test_symphony_s_own_tree_is_clean():
    assert warnings_of(symphony_tree(state_dir="/state", xi_command=["xi"])) == ()


def test_the_defaults_are_clean_on_two_levels():
    assert found(tree(SupervisorSpec("sup", [worker()]), worker("other", process=True))) == []


def test_a_finite_shutdown_of_a_supervisor_in_the_same_process_is_named():
    assert found(tree(SupervisorSpec("sup", [worker()], shutdown=2.0))) == [("/sup", "supervisor-shutdown-finite")]
    assert found(tree(SupervisorSpec("sup", [worker()], shutdown=2.0, process=True))) == []


@pytest.mark.parametrize("field", [{"heartbeat_timeout": 6.0, "process": True}, {"hang_after": 5.0}])
def test_a_hang_that_is_noticed_too_late_to_heal_in_time_is_named(field):
    assert found(tree(worker(**field))) == [("/w", "hang-noticed-late")]


def test_a_heartbeat_timeout_of_what_has_no_process_says_nothing():
    assert found(tree(worker(heartbeat_timeout=60.0))) == []


def test_a_limit_that_back_off_keeps_out_of_reach_is_named():
    # Ten restarts with a second between each take longer than the five seconds in which they count.
    assert found(tree(worker(backoff=SLOW), intensity=10)) == [("/w", "limit-out-of-reach")]
    assert found(tree(worker(backoff=SLOW), intensity=10, period=60.0)) == []
    assert found(tree(worker(backoff=SLOW, limit=RestartLimit(10, 5.0)), intensity=1)) == [("/w", "limit-out-of-reach")]
    assert found(tree(worker(backoff=SLOW, restart="temporary"), intensity=10)) == []


def test_an_escalation_that_the_window_above_cannot_see_is_named():
    """A child supervisor that needs eight seconds to give up never does so four times in five."""
    below = SupervisorSpec("sup", [worker(backoff=SLOW)], intensity=9, period=60.0)

    assert ("/sup", "escalation-unseen") in found(tree(below, intensity=3, period=5.0))
    assert ("/sup", "escalation-unseen") not in found(tree(below, intensity=3, period=120.0))


def test_a_child_that_parks_has_no_escalation_to_be_seen():
    below = SupervisorSpec("sup", [worker(backoff=SLOW)], intensity=9, period=60.0, on_exhausted="park")

    assert found(tree(below, intensity=3, period=5.0)) == []


def test_limits_that_multiply_are_named_at_the_root():
    below = SupervisorSpec("sup", [worker(backoff=QUICK)], intensity=10, backoff=QUICK)
    (warning,) = warnings_of(tree(below, intensity=10))

    assert (warning.path, warning.rule) == ("/", "limits-multiply")
    assert "121 times" in warning.text
    assert found(tree(below, intensity=10, on_exhausted="park")) == []


@pytest.mark.parametrize(("strategy", "expected"), [("one_for_all", True), ("rest_for_one", True), ("one_for_one", False)])
def test_a_group_that_takes_longer_to_stop_than_a_failure_may_to_heal_is_named(strategy, expected):
    spec = tree(worker("a"), worker("b", shutdown=3.0), worker("c", shutdown=2.5), strategy=strategy)

    assert (("/", "group-stops-slowly") in found(spec)) is expected


def test_a_group_whose_children_stop_in_one_layer_is_not():
    spec = tree(worker("a"), worker("b", shutdown=3.0, layer=1), worker("c", shutdown=2.5, layer=1), strategy="one_for_all")

    assert found(spec) == []


def test_a_warning_says_path_rule_and_reason():
    (warning,) = warnings_of(tree(SupervisorSpec("sup", [worker()], shutdown=2.0)))

    assert str(warning).startswith("/sup: supervisor-shutdown-finite: shutdown is 2.0: ")


BACKOFFS = st.builds(
    lambda least, more, factor, jitter: Backoff(min=least, max=least + more, factor=factor, jitter=jitter),
    st.floats(0, 5),
    st.floats(0, 5),
    st.floats(1, 1e6),
    st.floats(0, 1),
)
INTENSITIES = st.integers(0, 10**9)
PERIODS = st.floats(0.01, 1e6)
SHUTDOWNS = st.one_of(st.floats(0, 100), st.sampled_from(["kill", "infinity"]))
WORKERS = st.fixed_dictionaries({"backoff": BACKOFFS, "restart": st.sampled_from(get_args(RestartType)), "shutdown": SHUTDOWNS})


@given(st.lists(WORKERS, min_size=1, max_size=4), INTENSITIES, PERIODS, st.sampled_from(get_args(Strategy)))
def test_any_tree_can_be_looked_at(workers, intensity, period, kind):
    children = [worker(f"w{number}", **fields) for number, fields in enumerate(workers[: 1 if kind == "dynamic" else None])]
    below = SupervisorSpec("sup", children, strategy=kind, intensity=intensity, period=period)

    for warning in warnings_of(tree(below, worker("last"), intensity=intensity, period=period)):
        assert warning.path.startswith("/")
        assert warning.text


@settings(max_examples=200)
@given(st.floats(0, 3), st.floats(0, 5), st.floats(1, 4), st.integers(0, 30), st.floats(0.1, 60))
def test_a_limit_is_out_of_reach_exactly_where_a_crash_loop_never_passes_it(least, more, factor, intensity, period):
    """Held against the strategy itself: without jitter, what the rule says is no average but a fact."""
    child = worker(backoff=Backoff(min=least, max=least + more, factor=factor, jitter=0.0))
    spec = tree(child, intensity=intensity, period=period)
    now, past = 0.0, strategy.History((), (), 0, 0.0)
    verdict: strategy.Verdict = strategy.Restart(0.0)
    for _ in range(4 * intensity + 40):
        verdict, past = strategy.after_exit(spec, child, "failed", past, now, 0.0)
        if not isinstance(verdict, strategy.Restart):
            break
        now += verdict.delay_s

    assert (("/w", "limit-out-of-reach") in found(spec)) is isinstance(verdict, strategy.Restart)
