"""The fixed rules answer the same question the same way, and say why."""

from math import inf, nan

import pytest

from symphony.domain.conducting import DecisionContext, Option
from symphony.domain.conductor_rules import FixedRules
from symphony.domain.errors import InvalidRequestError


def context(question, *options, **more):
    return DecisionContext("d", question, options, **more)


@pytest.mark.parametrize(
    ("options", "chosen", "rule", "rationale"),
    [
        ([Option("b")], "b", "only_option", '"b" is next: it is the only step that is ready.'),
        ([Option("b", 2.0), Option("a", 1.5)], "a", "lowest_cost", '"a" is next: its cost 1.5 is the lowest of 2.'),
        (
            [Option("c", 2.0), Option("b", 1.0), Option("a", 1.0)],
            "b",
            "first_given",
            '"b" is next: 2 steps cost 1, the least, and it is the first of them.',
        ),
    ],
)
def test_the_next_step_is_the_cheapest_and_among_equals_the_first(options, chosen, rule, rationale):
    decision = FixedRules().decide(context("next_step", *options))

    assert (decision.id, decision.chosen, decision.confidence) == ("d", chosen, 1.0)
    assert (decision.rule, decision.rationale) == (rule, rationale)


@pytest.mark.parametrize(
    ("options", "chosen", "rationale"),
    [
        (["retry", "halt"], "retry", 'Retry: step "s" failed at try 2, and another try is offered.'),
        (["halt", "retry"], "retry", 'Retry: step "s" failed at try 2, and another try is offered.'),
        (["halt"], "halt", 'Halt: step "s" failed at try 2, and no further try is offered.'),
    ],
)
def test_after_a_failure_it_is_tried_again_as_long_as_that_is_offered(options, chosen, rationale):
    decision = FixedRules().decide(context("after_failure", *map(Option, options), step="s", attempt=2))

    assert (decision.chosen, decision.rationale) == (chosen, rationale)


@pytest.mark.parametrize(
    ("asked", "problems"),
    [
        (context("lunch", Option("a")), ('question: "lunch" is not one of next_step, after_failure',)),
        (context("next_step"), ("options: there are none to choose from",)),
        (context("next_step", Option("a"), Option("a")), ("options: two have one name, in a, a",)),
        (
            context("next_step", Option("a", nan), Option("b", -inf)),
            ("options.a.cost: must be a finite number, not nan", "options.b.cost: must be a finite number, not -inf"),
        ),
        (context("after_failure", Option("pray")), ('options: "pray" is not one of retry, halt',)),
    ],
)
def test_every_problem_of_a_context_is_listed(asked, problems):
    with pytest.raises(InvalidRequestError) as caught:
        FixedRules().decide(asked)

    assert caught.value.problems == problems


def test_the_policy_says_its_name_version_and_rules():
    policy = FixedRules().policy()

    assert (policy.name, policy.version, len(policy.rules)) == ("fixed-rules", 1, 2)
