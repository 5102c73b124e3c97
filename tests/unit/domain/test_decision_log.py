"""A context is decided once."""

import pytest

from symphony.domain.conducting import Decision, DecisionContext, Option
from symphony.domain.decision_log import DecisionLog
from symphony.domain.errors import ConflictError, InvalidRequestError, NotFoundError

CONTEXT = DecisionContext("d", "next_step", (Option("a"),))
OTHER = DecisionContext("d", "next_step", (Option("b"),))
DECISION = Decision("d", "a", 1.0, "rule", "why")


@pytest.fixture
def log():
    log = DecisionLog()
    log.record(CONTEXT, DECISION)
    return log


def test_a_context_that_was_decided_has_its_decision(log):
    assert log.decision_for(CONTEXT) == DECISION
    assert DecisionLog().decision_for(CONTEXT) is None


def test_an_id_used_for_another_context_is_refused(log):
    with pytest.raises(ConflictError, match="made for another context"):
        log.decision_for(OTHER)


def test_a_second_decision_for_one_context_is_refused(log):
    with pytest.raises(ConflictError, match="has been made"):
        log.record(CONTEXT, DECISION)


def test_the_last_word_on_a_decision_counts(log):
    assert log.reward_of("d") is None
    log.reward("d", 0.0)
    log.reward("d", 1.0)
    assert log.reward_of("d") == 1.0


@pytest.mark.parametrize("reward", [-0.1, 1.1, float("nan")])
def test_a_reward_outside_0_to_1_is_refused(log, reward):
    with pytest.raises(InvalidRequestError, match="must be from 0 to 1"):
        log.reward("d", reward)


def test_a_reward_for_no_decision_is_refused(log):
    with pytest.raises(NotFoundError, match='no decision has the id "x"'):
        log.reward("x", 1.0)
