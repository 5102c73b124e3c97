"""A plan of faults: the same for a seed, spread over kinds and targets, and never more than the tree's limits bear."""

import itertools
from collections import Counter as Counted

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.chaos.faults import KINDS, RULES
from actors.runtime.chaos.plan import HEAL_S, KERNEL_HEAL_S, SLACK_S, Pace, PlanError, plan_faults
from actors.runtime.chaos.targets import Counter, Target

GENEROUS = 1000
ON_NODES = tuple(kind for kind, rule in RULES.items() if rule.aims_at == "node")


def node(path, *, allowed=GENEROUS, period_s=60.0, kinds=ON_NODES, noticed_s=0.0, shared=()):
    own = Counter(f"{path} is parked after more than {allowed}", allowed, period_s)
    return Target(path, path, kinds, (own, *shared), (own, *shared), dict.fromkeys(kinds, noticed_s))


def pace(every_s=1.0, for_s=30.0, seed=1, kinds=KINDS):
    return Pace(every_s, for_s, seed, tuple(kinds))


NODES = (node("/a"), node("/b"), node("/c"))


def test_a_seed_gives_the_same_faults_again_and_another_seed_gives_others():
    assert plan_faults(NODES, pace()) == plan_faults(NODES, pace())
    assert plan_faults(NODES, pace(seed=1)) != plan_faults(NODES, pace(seed=2))


def test_every_kind_comes_once_before_any_comes_twice():
    kinds = ("kill", "stop", "segfault", "batch", "forkserver")
    plan = plan_faults(NODES, pace(every_s=2.0, for_s=20.0, kinds=kinds))

    assert sorted(planned.kind for planned in plan[:5]) == sorted(kinds)
    assert set(Counted(planned.kind for planned in plan).values()) == {2}


def test_the_faults_are_spread_over_the_targets():
    plan = plan_faults(NODES, pace(kinds=("kill",)))

    assert set(Counted(path for planned in plan for path in planned.paths).values()) == {10}


def test_a_batch_hits_several_at_once_and_is_left_out_where_there_is_one_node():
    plan = plan_faults(NODES, pace(every_s=2.0, kinds=("batch",)))
    alone = plan_faults(NODES[:1], pace(every_s=2.0, kinds=("batch", "kill")))

    assert all(2 <= len(planned.paths) <= 3 for planned in plan)
    assert {planned.kind for planned in alone} == {"kill"}


def test_a_rate_that_a_limit_cannot_bear_is_refused_with_the_limit_and_a_pace_that_is_borne():
    with pytest.raises(PlanError, match=r"/a is parked after more than 3; use --every [\d.]+") as refused:
        plan_faults([node("/a", allowed=3)], pace(every_s=2.0, for_s=60.0, kinds=("kill",)))

    advised = float(str(refused.value).partition("--every ")[2].partition(",")[0])
    assert plan_faults([node("/a", allowed=3)], pace(every_s=advised, for_s=60.0, kinds=("kill",)))


def test_a_limit_that_several_share_is_used_up_by_all_of_them():
    shared = Counter("/ fails after more than 4", 4, 60.0)
    targets = [node(path, shared=(shared,)) for path in ("/a", "/b", "/c")]

    with pytest.raises(PlanError, match="/ fails after more than 4"):
        plan_faults(targets, pace(every_s=3.0, kinds=("kill",)))


def test_a_batch_counts_as_many_times_as_it_hits_for_a_limit_that_its_nodes_share():
    shared = Counter("/ fails after more than 2", 2, 60.0)
    targets = [node(path, shared=(shared,)) for path in ("/a", "/b", "/c")]
    [first] = plan_faults(targets, pace(every_s=3.0, for_s=3.0, kinds=("batch",)))

    assert len(first.paths) == 2


def test_a_pace_that_leaves_no_time_to_heal_is_refused():
    with pytest.raises(PlanError, match="can have healed from the last"):
        plan_faults([node("/a", noticed_s=3.0)], pace(every_s=0.5, kinds=("stop",)))


def test_nothing_to_hit_is_refused():
    with pytest.raises(PlanError, match="no kind of fault has a target"):
        plan_faults((), pace(kinds=("kill",)))


def test_the_kernel_is_killed_no_more_often_than_its_warden_bears():
    plan = plan_faults(NODES, pace(every_s=3.0, for_s=120.0, kinds=("kill", "kernel")))
    deaths = [planned.at_s for planned in plan if planned.kind == "kernel"]

    assert deaths
    assert all(sum(at <= other < at + 60.0 + SLACK_S for other in deaths) <= 3 for at in deaths)
    assert all(planned.at_s >= at + KERNEL_HEAL_S for at in deaths for planned in plan if planned.at_s > at)


@given(
    nodes=st.integers(1, 5),
    allowed=st.integers(1, 10),
    period_s=st.sampled_from((5.0, 30.0, 60.0)),
    every_s=st.floats(0.5, 20.0),
    noticed_s=st.sampled_from((0.0, 3.0)),
    seed=st.integers(0, 1000),
)
def test_no_plan_passes_a_limit_or_hits_what_cannot_have_healed(nodes, allowed, period_s, every_s, noticed_s, seed):
    targets = {f"/n{n}": node(f"/n{n}", allowed=allowed, period_s=period_s, noticed_s=noticed_s) for n in range(nodes)}
    try:
        plan = plan_faults(tuple(targets.values()), pace(every_s, 60.0, seed))
    except PlanError:
        return

    assert plan
    hits = {path: [planned.at_s for planned in plan if path in planned.paths] for path in targets}
    for times in hits.values():
        assert all(sum(at <= other < at + period_s for other in times) <= allowed for at in times)
        assert all(later - at >= noticed_s + HEAL_S - 0.01 for at, later in itertools.pairwise(times))
