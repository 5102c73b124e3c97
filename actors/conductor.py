"""ConductorActor: a mailbox round the Conductor's policy; one decision at a time.

Decisions and rewards end with this process: learning from them, and the log that outlives it, are not built yet. A decision
that is asked for again after a restart is made again by the same fixed rules, so it is the same decision.
"""

from typing import Any, ClassVar

import msgspec

from actors.runtime import Actor, Request
from symphony.domain.conducting import ConductorPolicy, Decision, DecisionContext
from symphony.domain.conductor_rules import FixedRules
from symphony.domain.decision_log import DecisionLog
from symphony.domain.errors import SymphonyError
from symphony.domain.ids import DecisionId

DECISION_MADE = "decision.made"
"""The event of a decision; its fields are those of `Decision`."""


class SubmitDecision(Request[Decision], frozen=True, tag=True):
    """Decide."""

    context: DecisionContext


class ReportReward(Request[None], frozen=True, tag=True):
    """Say how well a decision turned out."""

    decision: DecisionId
    reward: float


class GetPolicy(Request[ConductorPolicy], frozen=True, tag=True):
    """Give the policy in force."""


class ConductorActor(Actor):
    """What to do next. Every decision is an event."""

    messages: ClassVar = (SubmitDecision, ReportReward, GetPolicy)
    expected_errors: ClassVar = (SymphonyError,)

    def on_start(self) -> None:
        """Begin with nothing decided."""
        self._rules = FixedRules()
        self._log = DecisionLog()

    def on_receive(self, message: Any) -> Decision | ConductorPolicy | None:
        """Handle one of this module's requests."""
        match message:
            case SubmitDecision(context):
                return self._decide(context)
            case ReportReward(decision, reward):
                self._log.reward(decision, reward)
                return None
            case GetPolicy():
                return self._rules.policy()
            case _:
                return super().on_receive(message)  # type: ignore[no-any-return]  # it raises

    def _decide(self, context: DecisionContext) -> Decision:
        known = self._log.decision_for(context)
        if known is not None:
            return known
        decision = self._rules.decide(context)
        self._log.record(context, decision)
        self.context.publish(DECISION_MADE, **msgspec.structs.asdict(decision))
        return decision
