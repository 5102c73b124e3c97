"""DecisionLog: which decisions were made, for what, and how they turned out.

A context is decided once. Whoever asks again, because an answer was lost on the way, gets the decision that was made and not
another one.
"""

from symphony.domain.conducting import Decision, DecisionContext
from symphony.domain.errors import ConflictError, InvalidRequestError, NotFoundError
from symphony.domain.ids import DecisionId


class DecisionLog:
    """The decisions and rewards. Not for use by two threads at once."""

    def __init__(self) -> None:
        self._made: dict[DecisionId, tuple[DecisionContext, Decision]] = {}
        self._rewards: dict[DecisionId, float] = {}

    def decision_for(self, context: DecisionContext) -> Decision | None:
        """Give the decision made for `context`, or None. Raises `ConflictError` where its id was used for another context."""
        if context.id not in self._made:
            return None
        known, decision = self._made[context.id]
        if known != context:
            raise ConflictError(f'the decision "{context.id}" was made for another context; choose another id')
        return decision

    def record(self, context: DecisionContext, decision: Decision) -> None:
        """Keep a decision that was just made. Raises `ConflictError` where the context has one."""
        if self.decision_for(context) is not None:
            raise ConflictError(f'the decision "{context.id}" has been made')
        self._made[context.id] = (context, decision)

    def reward(self, decision: DecisionId, reward: float) -> None:
        """Keep how well a decision turned out, from 0 to 1; the last word counts.

        Raises `NotFoundError` for an unknown decision and `InvalidRequestError` for another number.
        """
        if decision not in self._made:
            raise NotFoundError(f'no decision has the id "{decision}"')
        if not 0.0 <= reward <= 1.0:
            raise InvalidRequestError(f"reward: must be from 0 to 1, not {reward}")
        self._rewards[decision] = reward

    def reward_of(self, decision: DecisionId) -> float | None:
        """Give the last word on a decision, or None."""
        return self._rewards.get(decision)
