"""A plan explains each artifact, and never removes what is pinned or referenced."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.artifact import Artifact
from symphony.domain.errors import InvalidRequestError
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.stale_manager import GivePlan, PlanRetention, StaleManager, referenced_by
from symphony.domain.retention import RetentionLine
from symphony.domain.workflow import Run, StepStatus
from tests.support.workflows import workflow


def artifact(id_, used_at=0.0, *, size=1, pinned=False):
    return Artifact(f"sha256:{id_}", "text/plain", size, 0.0, used_at, pinned=pinned)


def plan_of(*artifacts, max_age_s=10.0, now=100.0, referenced=()):
    manager = StaleManager()
    given, announced = manager.handle(PlanRetention(artifacts, frozenset(referenced), max_age_s), now)
    manager.check_invariants()
    assert isinstance(given, GivePlan)
    assert announced == Announce("retention.planned", f"{len(artifacts)} artifacts")
    return given.plan


def test_each_artifact_has_one_line_that_explains_it_oldest_first():
    plan = plan_of(
        artifact("new", 95.0),
        artifact("old", 10.0, size=7),
        artifact("pinned", 5.0, pinned=True),
        artifact("used", 20.0),
        referenced=["sha256:used"],
    )

    assert plan.lines == (
        RetentionLine("sha256:pinned", keep=True, age_s=95.0, reason="Kept: it is pinned."),
        RetentionLine(
            "sha256:old", keep=False, age_s=90.0, reason="To be removed: last used 90 s ago; 10 s without use are allowed."
        ),
        RetentionLine("sha256:used", keep=True, age_s=80.0, reason="Kept: a run that is not over refers to it."),
        RetentionLine("sha256:new", keep=True, age_s=5.0, reason="Kept: last used 5 s ago, which is less than 10 s."),
    )
    assert (plan.freed, plan.max_age_s) == (7, 10.0)


@pytest.mark.parametrize(("age_s", "keep"), [(9.999, True), (10.0, False), (10.001, False)])
def test_the_boundary_belongs_to_removal(age_s, keep):
    assert plan_of(artifact("a", 0.0), now=age_s).lines[0].keep is keep


def test_an_age_of_zero_keeps_only_what_is_pinned_or_referenced():
    plan = plan_of(artifact("a", 100.0), artifact("b", pinned=True), artifact("c"), max_age_s=0.0, referenced=["sha256:c"])

    assert {line.artifact for line in plan.lines if line.keep} == {"sha256:b", "sha256:c"}


def test_an_artifact_used_in_the_future_has_the_age_zero():
    assert plan_of(artifact("a", 200.0)).lines[0].age_s == 0.0


def test_no_age_is_too_long():
    assert plan_of(artifact("a"), max_age_s=inf).lines[0].keep


@pytest.mark.parametrize("max_age_s", [-1.0, -inf, nan])
def test_an_age_that_is_none_is_refused(max_age_s):
    with pytest.raises(InvalidRequestError, match="max_age_s: must be 0 or more seconds"):
        StaleManager().handle(PlanRetention((), frozenset(), max_age_s), 0.0)


def test_a_live_run_refers_to_what_its_inputs_and_outputs_name():
    def run(state, name):
        status = StepStatus("a", "done", 1, {"deep": [{"x": f"sha256:{name}-out"}, 5]})
        return Run(name, workflow({"a": []}), {"in": f"sha256:{name}-in", "n": 1}, state, (status,), 0.0)

    assert referenced_by([run("running", "live"), run("done", "over"), run("failed", "lost")]) == {
        "sha256:live-in",
        "sha256:live-out",
    }


ARTIFACTS = st.lists(
    st.builds(artifact, st.sampled_from("abcdefgh"), st.floats(0, 200), size=st.integers(0, 9), pinned=st.booleans()),
    unique_by=lambda artifact: artifact.id,
)


@given(artifacts=ARTIFACTS, max_age_s=st.floats(0, 200), referenced=st.sets(st.sampled_from("abcdefgh")))
def test_what_is_freed_is_what_is_removed_and_nothing_held_is(artifacts, max_age_s, referenced):
    held = {f"sha256:{id_}" for id_ in referenced} | {artifact.id for artifact in artifacts if artifact.pinned}

    plan = plan_of(*artifacts, max_age_s=max_age_s, referenced=[f"sha256:{id_}" for id_ in referenced])

    removed = {line.artifact for line in plan.lines if not line.keep}
    assert not removed & held
    assert plan.freed == sum(artifact.size for artifact in artifacts if artifact.id in removed)
    assert all(max(0.0, 100.0 - artifact.used_at) >= max_age_s for artifact in artifacts if artifact.id in removed)
