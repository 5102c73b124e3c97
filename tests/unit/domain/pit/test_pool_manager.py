"""Models move by the table only, and no capacity is promised twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.errors import ConflictError, NotFoundError, SymphonyError
from symphony.domain.model import Lease, ModelSpec
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.pool_manager import (
    TRANSITIONS,
    AcquireModel,
    CoolIdleModels,
    CoolModel,
    GrantLease,
    ModelCooled,
    ModelFailed,
    ModelWarmed,
    PoolManager,
    RefuseLease,
    RegisterModel,
    ReleaseModel,
    WarmModel,
)

SPEC = ModelSpec("m", "1", leases=2)


@pytest.fixture
def pool():
    pool = PoolManager()
    pool.handle(RegisterModel(SPEC), 0.0)
    return pool


def drive(pool, state):
    """Bring the model `m` into `state`, by events only."""
    path = {
        "cold": [],
        "warming": [AcquireModel("l1", "m", "h")],
        "failed": [AcquireModel("l1", "m", "h"), ModelFailed("m", "no memory")],
        "active": [AcquireModel("l1", "m", "h"), ModelWarmed("m")],
        "hot": [AcquireModel("l1", "m", "h"), ModelWarmed("m"), ReleaseModel("l1")],
        "cooling": [AcquireModel("l1", "m", "h"), ModelWarmed("m"), ReleaseModel("l1"), CoolIdleModels(0.0)],
    }
    for event in path[state]:
        pool.handle(event, 1.0)
    assert pool.status("m").state == state


def test_a_registered_model_is_cold(pool):
    assert pool.status("m").state == "cold"
    assert pool.handle(RegisterModel(SPEC), 0.0) == []


def test_a_name_taken_by_another_spec_is_refused(pool):
    with pytest.raises(ConflictError, match='the model name "m" is taken by version 1'):
        pool.handle(RegisterModel(ModelSpec("m", "2")), 0.0)


def test_a_cold_model_is_warmed_before_the_lease_is_granted(pool):
    assert pool.handle(AcquireModel("l1", "m", "h"), 1.0) == [WarmModel(SPEC)]
    assert pool.status("m").state == "warming"

    assert pool.handle(ModelWarmed("m"), 2.0) == [
        Announce("model.warmed", "m"),
        GrantLease(Lease("l1", "m", "h", 2.0)),
        Announce("lease.granted", "l1"),
    ]
    assert pool.status("m").state == "active"


def test_a_hot_model_is_leased_at_once(pool):
    drive(pool, "hot")

    effects = pool.handle(AcquireModel("l2", "m", "h"), 3.0)

    assert effects[0] == GrantLease(Lease("l2", "m", "h", 3.0))


def test_leases_asked_for_while_warming_hold_their_place(pool):
    pool.handle(AcquireModel("l1", "m", "h"), 1.0)
    assert pool.handle(AcquireModel("l2", "m", "i"), 1.0) == []

    with pytest.raises(ConflictError, match="serves 2 at once, and all are taken"):
        pool.handle(AcquireModel("l3", "m", "j"), 1.0)

    pool.handle(ModelWarmed("m"), 2.0)
    assert [lease.holder for lease in pool.status("m").leases] == ["h", "i"]


def test_a_model_that_cannot_be_warmed_refuses_who_waited_and_stays_failed(pool):
    pool.handle(AcquireModel("l1", "m", "h"), 1.0)

    assert pool.handle(ModelFailed("m", "no memory"), 2.0) == [RefuseLease("l1", "no memory"), Announce("model.failed", "m")]
    assert (pool.status("m").state, pool.status("m").reason) == ("failed", "no memory")
    with pytest.raises(ConflictError, match="has failed: no memory; register it again"):
        pool.handle(AcquireModel("l2", "m", "h"), 3.0)


def test_a_failed_model_registered_again_is_cold(pool):
    drive(pool, "failed")

    pool.handle(RegisterModel(SPEC), 3.0)

    assert (pool.status("m").state, pool.status("m").reason) == ("cold", "")


def test_the_last_release_makes_a_model_hot(pool):
    drive(pool, "active")
    pool.handle(AcquireModel("l2", "m", "h"), 1.0)

    pool.handle(ReleaseModel("l1"), 2.0)
    assert pool.status("m").state == "active"
    pool.handle(ReleaseModel("l2"), 2.0)
    assert pool.status("m").state == "hot"


def test_a_released_lease_is_unknown(pool):
    drive(pool, "hot")

    with pytest.raises(NotFoundError, match='no lease has the id "l1"'):
        pool.handle(ReleaseModel("l1"), 2.0)


def test_a_lease_given_back_before_it_was_granted_frees_its_place(pool):
    drive(pool, "warming")

    assert pool.handle(ReleaseModel("l1"), 1.0) == [RefuseLease("l1", "it was given back before it was granted")]
    pool.handle(ModelWarmed("m"), 2.0)
    assert pool.status("m").state == "hot"


def test_only_a_model_idle_for_so_long_is_cooled(pool):
    drive(pool, "hot")  # idle since 1.0

    assert pool.handle(CoolIdleModels(5.0), 5.9) == []
    assert pool.handle(CoolIdleModels(5.0), 6.0) == [CoolModel(SPEC)]
    assert pool.handle(ModelCooled("m"), 7.0) == [Announce("model.cooled", "m")]
    assert pool.status("m").state == "cold"


def test_a_model_wanted_while_cooling_is_warmed_again(pool):
    drive(pool, "cooling")
    assert pool.handle(AcquireModel("l2", "m", "h"), 2.0) == []

    assert pool.handle(ModelCooled("m"), 3.0) == [Announce("model.cooled", "m"), WarmModel(SPEC)]
    assert pool.status("m").state == "warming"


@pytest.mark.parametrize("state", sorted(TRANSITIONS))
@pytest.mark.parametrize(
    ("event", "of", "to"),
    [(ModelWarmed("m"), "warming", "hot"), (ModelFailed("m", "x"), "warming", "failed"), (ModelCooled("m"), "cooling", "cold")],
)
def test_an_undeclared_transition_is_refused_with_both_states(pool, state, event, of, to):
    """A report that comes late or twice is undeclared too, even where its state can be reached in another way."""
    drive(pool, state)
    if state == of:
        pool.handle(event, 9.0)
        return

    with pytest.raises(ConflictError, match=f"is {state} and cannot become {to}"):
        pool.handle(event, 9.0)


def test_models_are_sorted_by_name(pool):
    for name in "zax":
        pool.handle(RegisterModel(ModelSpec(name, "1")), 0.0)

    assert [status.spec.name for status in pool.statuses()] == ["a", "m", "x", "z"]


MODELS = st.sampled_from("ab")
LEASES = st.sampled_from(["l1", "l2", "l3"])
EVENTS = st.one_of(
    st.builds(RegisterModel, st.builds(ModelSpec, MODELS, st.just("1"), leases=st.just(2))),
    st.builds(AcquireModel, LEASES, MODELS, st.just("h")),
    st.builds(ReleaseModel, LEASES),
    st.builds(CoolIdleModels, st.sampled_from([0.0, 3.0])),
    st.builds(ModelWarmed, MODELS),
    st.builds(ModelFailed, MODELS, st.just("x")),
    st.builds(ModelCooled, MODELS),
)


STORIES = st.lists(EVENTS, max_size=40)


@given(events=STORIES)
def test_no_sequence_of_events_breaks_an_invariant_and_a_refusal_changes_nothing(events):
    pool = PoolManager()
    pool.handle(RegisterModel(ModelSpec("a", "1", leases=2)), 0.0)
    for now, event in enumerate(events):
        before = pool.statuses()
        try:
            pool.handle(event, float(now))
        except SymphonyError:
            assert pool.statuses() == before
        pool.check_invariants()
        for was in before:
            state = pool.status(was.spec.name).state
            assert is_reachable(was.state, state)


def is_reachable(was, state):
    """One event may take two declared steps, as from warming through hot to active."""
    once = TRANSITIONS[was]
    return state in {was} | once | {then for between in once for then in TRANSITIONS[between]}


@given(events=STORIES)
def test_every_lease_asked_for_is_granted_or_refused_or_still_waits(events):
    pool = PoolManager()
    asked, answered = [], []
    for now, event in enumerate(events):
        try:
            effects = pool.handle(event, float(now))
        except SymphonyError:
            continue
        asked += [event.lease] if isinstance(event, AcquireModel) else []
        answered += [effect.lease.id for effect in effects if isinstance(effect, GrantLease)]
        answered += [effect.lease for effect in effects if isinstance(effect, RefuseLease)]
    waiting = [lease for claims in pool._claims.values() for lease in claims]
    assert sorted(asked) == sorted(answered + waiting)
