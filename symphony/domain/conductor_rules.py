"""FixedRules: the Conductor's policy when nothing is learned: the same question always gets the same answer.

| question      | options       | chosen                                               |
|---------------|---------------|------------------------------------------------------|
| next_step     | ready steps   | the one that costs least; among equals the first     |
| after_failure | retry, halt   | retry as long as it is offered, else halt            |

Whether `retry` is offered is not decided here: a step says how often it may be tried again.
"""

from math import isfinite

from symphony.domain.conducting import ConductorPolicy, Decision, DecisionContext
from symphony.domain.errors import InvalidRequestError

NAME = "fixed-rules"
VERSION = 1


class FixedRules:
    """The fixed policy; it has no state."""

    def policy(self) -> ConductorPolicy:
        """Give the policy, as an operator may read it."""
        return ConductorPolicy(
            NAME,
            VERSION,
            (
                "next_step: the option with the lowest cost; among equals, the first as given",
                "after_failure: retry where it is offered, else halt",
            ),
        )

    def decide(self, context: DecisionContext) -> Decision:
        """Decide. Raises `InvalidRequestError` with every problem where the context cannot be decided."""
        problems = _problems(context)
        if problems:
            raise InvalidRequestError(*problems)
        return _next_step(context) if context.question == "next_step" else _after_failure(context)


def _next_step(context: DecisionContext) -> Decision:
    cheapest = min(context.options, key=lambda option: option.cost)
    equals = sum(option.cost == cheapest.cost for option in context.options)
    if len(context.options) == 1:
        rule, why = "only_option", "it is the only step that is ready"
    elif equals == 1:
        rule, why = "lowest_cost", f"its cost {cheapest.cost:g} is the lowest of {len(context.options)}"
    else:
        rule, why = "first_given", f"{equals} steps cost {cheapest.cost:g}, the least, and it is the first of them"
    return Decision(context.id, cheapest.name, 1.0, rule, f'"{cheapest.name}" is next: {why}.')


def _after_failure(context: DecisionContext) -> Decision:
    step = f'step "{context.step}"' if context.step else "the step"
    if any(option.name == "retry" for option in context.options):
        rationale = f"Retry: {step} failed at try {context.attempt}, and another try is offered."
        return Decision(context.id, "retry", 1.0, "retry_while_offered", rationale)
    rationale = f"Halt: {step} failed at try {context.attempt}, and no further try is offered."
    return Decision(context.id, "halt", 1.0, "halt_without_retry", rationale)


def _problems(context: DecisionContext) -> list[str]:
    problems = []
    names = [option.name for option in context.options]
    if context.question not in {"next_step", "after_failure"}:
        problems.append(f'question: "{context.question}" is not one of next_step, after_failure')
    if not names:
        problems.append("options: there are none to choose from")
    if len(set(names)) < len(names):
        problems.append(f"options: two have one name, in {', '.join(names)}")
    problems += [
        f"options.{option.name}.cost: must be a finite number, not {option.cost}"
        for option in context.options
        if not isfinite(option.cost)
    ]
    if context.question == "after_failure":
        unknown = sorted(set(names) - {"retry", "halt"})
        problems += [f'options: "{name}" is not one of retry, halt' for name in unknown]
    return problems
