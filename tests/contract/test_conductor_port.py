"""What every adapter of ConductorPort promises."""

import pytest

from symphony.domain.conducting import DecisionContext, Option
from symphony.domain.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError


def next_step(id_, *options):
    return DecisionContext(id_, "next_step", options, run="r", features={"length": 1.5})


async def take(events, count):
    return [await anext(events) for _ in range(count)]


async def test_a_decision_answers_its_context_with_a_reason(conductor):
    decision = await conductor.port.submit_decision(next_step("d", Option("a", 2.0), Option("b", 1.0)))

    assert (decision.id, decision.chosen) == ("d", "b")
    assert 0.0 <= decision.confidence <= 1.0
    assert decision.rule
    assert decision.rationale.endswith(".")


async def test_after_a_failure_retry_is_chosen_while_it_is_offered(conductor):
    offered = DecisionContext("d1", "after_failure", (Option("retry"), Option("halt")), run="r", step="s")
    over = DecisionContext("d2", "after_failure", (Option("halt"),), run="r", step="s", attempt=4)

    assert (await conductor.port.submit_decision(offered)).chosen == "retry"
    assert (await conductor.port.submit_decision(over)).chosen == "halt"


async def test_the_same_context_again_gets_the_same_decision(conductor):
    context = next_step("d", Option("a"), Option("b"))

    assert await conductor.port.submit_decision(context) == await conductor.port.submit_decision(context)


async def test_an_id_used_for_another_context_is_refused(conductor):
    decision = await conductor.port.submit_decision(next_step("d", Option("a")))

    with pytest.raises(ConflictError):
        await conductor.port.submit_decision(next_step("d", Option("b")))
    assert await conductor.port.submit_decision(next_step("d", Option("a"))) == decision


@pytest.mark.parametrize(
    "context",
    [next_step("d"), DecisionContext("d", "lunch", (Option("a"),)), next_step("d", Option("a"), Option("a"))],
    ids=["no options", "unknown question", "one name twice"],
)
async def test_a_context_that_cannot_be_decided_is_refused_and_its_id_stays_free(conductor, context):
    with pytest.raises(InvalidRequestError):
        await conductor.port.submit_decision(context)
    assert (await conductor.port.submit_decision(next_step("d", Option("a")))).chosen == "a"


@pytest.mark.parametrize("reward", [0.0, 0.5, 1.0])
async def test_a_reward_can_be_reported_and_reported_again(conductor, reward):
    await conductor.port.submit_decision(next_step("d", Option("a")))

    await conductor.port.report_reward("d", reward)
    await conductor.port.report_reward("d", 1.0 - reward)


async def test_a_reward_for_no_decision_is_not_found(conductor):
    with pytest.raises(NotFoundError):
        await conductor.port.report_reward("d", 1.0)


@pytest.mark.parametrize("reward", [-0.01, 1.01, float("nan"), float("inf")])
async def test_a_reward_outside_0_to_1_is_refused(conductor, reward):
    await conductor.port.submit_decision(next_step("d", Option("a")))

    with pytest.raises(InvalidRequestError):
        await conductor.port.report_reward("d", reward)


async def test_the_policy_says_its_name_version_and_rules(conductor):
    policy = await conductor.port.policy()

    assert (policy.name, policy.version) == ("fixed-rules", 1)
    assert policy.rules


async def test_each_decision_is_told_once_in_order(conductor):
    events = conductor.port.events()
    decisions = [await conductor.port.submit_decision(next_step(f"d{n}", Option("a"))) for n in range(3)]
    await conductor.port.submit_decision(next_step("d0", Option("a")))
    with pytest.raises(InvalidRequestError):
        await conductor.port.submit_decision(next_step("d9"))
    decisions.append(await conductor.port.submit_decision(next_step("d3", Option("a"))))

    assert await take(events, 4) == decisions


async def test_a_closed_iterator_ends_and_leaves_the_others_alone(conductor):
    closed, other = conductor.port.events(), conductor.port.events()
    await closed.aclose()
    decision = await conductor.port.submit_decision(next_step("d", Option("a")))

    assert await anext(closed, None) is None
    assert await anext(other) == decision


async def test_a_reader_that_falls_behind_is_told_and_harms_nobody(conductor):
    slow = conductor.port.events()
    for n in range(1_100):
        await conductor.port.submit_decision(next_step(f"d{n}", Option("a")))
    with pytest.raises(UnavailableError):
        await take(slow, 1_001)
    assert await anext(slow, None) is None
    assert (await conductor.port.submit_decision(next_step("d", Option("a")))).chosen == "a"
