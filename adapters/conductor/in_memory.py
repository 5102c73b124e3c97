"""InMemoryConductor: ConductorPort by the fixed rules, or by a script, in the caller's thread."""

from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from adapters.event_stream import EventStream
from symphony.domain.conducting import ConductorPolicy, Decision, DecisionContext
from symphony.domain.conductor_rules import FixedRules
from symphony.domain.decision_log import DecisionLog
from symphony.domain.errors import InvalidRequestError
from symphony.domain.ids import DecisionId


class Rules(Protocol):
    """What decides: `FixedRules`, `Script`, or a test's own."""

    def policy(self) -> ConductorPolicy:
        """Give the policy, as an operator may read it."""
        ...

    def decide(self, context: DecisionContext) -> Decision:
        """Decide. Raises `InvalidRequestError` where the context cannot be decided."""
        ...


class Script:
    """Rules that choose what a test has written down, one name a decision, whatever is asked.

    A name that is not among the options, or a decision after the last name, is refused: the test and the code disagree.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)

    def policy(self) -> ConductorPolicy:
        """Give what is left of the script."""
        return ConductorPolicy("script", 1, tuple(f"then {name}" for name in self._names))

    def decide(self, context: DecisionContext) -> Decision:
        """Choose the next name."""
        options = ", ".join(option.name for option in context.options) or "nothing"
        if not self._names:
            raise InvalidRequestError(f'the script is over, and "{context.question}" is asked, with the options {options}')
        if all(option.name != self._names[0] for option in context.options):
            raise InvalidRequestError(f'options: the script says "{self._names[0]}", and the options are {options}')
        name = self._names.pop(0)
        return Decision(context.id, name, 1.0, "script", f'"{name}" is what the script says.')


class InMemoryConductor:
    """A Conductor without a process. Call from one event loop; nothing waits.

    Drive it by `rules`: nothing for the fixed rules, or `Script(["retry", "halt"])`. `reward_of` tells what was reported;
    `close_stream` ends every `events()`.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = FixedRules() if rules is None else rules
        self._log = DecisionLog()
        self._events: EventStream[Decision] = EventStream()

    async def submit_decision(self, context: DecisionContext) -> Decision:
        """Decide. The same context submitted again gets the same decision."""
        known = self._log.decision_for(context)
        if known is not None:
            return known
        decision = self._rules.decide(context)
        self._log.record(context, decision)
        self._events.publish(decision)
        return decision

    async def report_reward(self, decision: DecisionId, reward: float) -> None:
        """Say how well a decision turned out, from 0 (badly) to 1 (well); reported again, the last word counts."""
        self._log.reward(decision, reward)

    async def policy(self) -> ConductorPolicy:
        """Give the policy in force."""
        return self._rules.policy()

    def events(self) -> AsyncIterator[Decision]:
        """Give the decisions made from now on, in order, until the iterator is closed."""
        return self._events.subscribe()

    def close_stream(self) -> None:
        """End every `events()`, as an adapter does that is shut down."""
        self._events.close()

    def reward_of(self, decision: DecisionId) -> float | None:
        """Give the last reward reported for a decision, or None."""
        return self._log.reward_of(decision)
