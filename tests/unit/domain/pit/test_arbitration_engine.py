"""One claim wins, by a rule that is named, whatever order the claims came in."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.claim import Claim
from symphony.domain.errors import InvalidRequestError
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.arbitration_engine import Arbitrate, ArbitrationEngine, GiveRuling


def claim(id_, priority=1, claimed_at=0.0, deadline=None, resource="gpu"):
    return Claim(id_, f"user-{id_}", resource, priority, claimed_at, deadline)


def ruling_on(*claims, now=1.0):
    engine = ArbitrationEngine()
    given, announced = engine.handle(Arbitrate(claims), now)
    engine.check_invariants()
    assert isinstance(given, GiveRuling)
    assert announced == Announce("claim.granted", given.ruling.winner)
    return given.ruling


@pytest.mark.parametrize(
    ("claims", "order", "rule", "sentence"),
    [
        ([claim("a")], ["a"], "only_claim", 'user-a gets "gpu" (claim a): nobody else claims it.'),
        (
            [claim("a", 1), claim("b", 5)],
            ["b", "a"],
            "priority",
            'user-b gets "gpu" (claim b): its priority 5 is higher than the 1 of user-a (claim a).',
        ),
        (
            [claim("a"), claim("b", deadline=9.0), claim("c", deadline=3.5)],
            ["c", "b", "a"],
            "deadline",
            'user-c gets "gpu" (claim c): at equal priority its deadline, in 2.500 s, is earlier than that of user-b (claim b).',
        ),
        (
            [claim("a", claimed_at=0.5), claim("b", claimed_at=0.25)],
            ["b", "a"],
            "claimed_earlier",
            'user-b gets "gpu" (claim b): at equal priority and deadline it was claimed 0.250 s before user-a (claim a).',
        ),
        (
            [claim("b"), claim("a")],
            ["a", "b"],
            "id",
            'user-a gets "gpu" (claim a): all else is equal with user-b (claim b), and its id comes first.',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else None,
)
def test_the_first_rule_that_sets_the_winner_apart_decides(claims, order, rule, sentence):
    ruling = ruling_on(*claims)

    assert [ruling.winner, *ruling.waiting] == order
    assert (ruling.resource, ruling.rule, ruling.rationale) == ("gpu", rule, sentence)


def test_priority_stands_over_deadline():
    assert ruling_on(claim("a", 2), claim("b", 1, deadline=0.0)).winner == "a"


@pytest.mark.parametrize(
    ("claims", "problems"),
    [
        ([], ("claims: there are none",)),
        (
            [claim("a"), claim("a"), claim("b", resource="cpu")],
            ("claims: they are on different resources: cpu, gpu", 'claims: 2 have the id "a"'),
        ),
        (
            [claim("a", claimed_at=nan), claim("b", deadline=inf)],
            (
                "claims.a.claimed_at: must be a finite number, not nan",
                "claims.b.deadline: must be a finite number or left out, not inf",
            ),
        ),
    ],
    ids=["none", "mixed", "not finite"],
)
def test_every_problem_of_the_claims_is_listed(claims, problems):
    with pytest.raises(InvalidRequestError) as caught:
        ArbitrationEngine().handle(Arbitrate(tuple(claims)), 0.0)

    assert caught.value.problems == problems


CLAIMS = st.lists(
    st.builds(
        claim,
        st.sampled_from("abcdefgh"),
        st.integers(0, 2),
        st.sampled_from([0.0, 1.0]),
        st.none() | st.sampled_from([2.0, 3.0]),
    ),
    min_size=1,
    unique_by=lambda claim: claim.id,
)


@given(claims=CLAIMS, data=st.data())
def test_the_ruling_does_not_depend_on_the_order_of_the_claims(claims, data):
    assert ruling_on(*claims) == ruling_on(*data.draw(st.permutations(claims)))


@given(claims=CLAIMS)
def test_everybody_wins_or_waits_and_nobody_waits_for_a_lower_priority(claims):
    ruling = ruling_on(*claims)
    priorities = {claim.id: claim.priority for claim in claims}
    order = [ruling.winner, *ruling.waiting]

    assert sorted(order) == sorted(priorities)
    assert [priorities[id_] for id_ in order] == sorted(priorities.values(), reverse=True)
