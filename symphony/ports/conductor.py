"""ConductorPort: what to do next, and how well it went."""

from collections.abc import AsyncIterator
from typing import Protocol

from symphony.domain.conducting import ConductorPolicy, Decision, DecisionContext
from symphony.domain.errors import ConflictError, DeadlineExceededError, InvalidRequestError, NotFoundError, UnavailableError
from symphony.domain.ids import DecisionId
from symphony.ports.declared import raises


class ConductorPort(Protocol):
    """Ask for decisions and report how they turned out. Call from the core's event loop."""

    @raises(InvalidRequestError, ConflictError, UnavailableError, DeadlineExceededError)
    async def submit_decision(self, context: DecisionContext) -> Decision:
        """Decide. The same context submitted again gets the same decision.

        `InvalidRequestError`: no options, or a question that the policy does not know. `ConflictError`: the context's id was used
        for another context.
        """
        ...

    @raises(NotFoundError, InvalidRequestError, UnavailableError, DeadlineExceededError)
    async def report_reward(self, decision: DecisionId, reward: float) -> None:
        """Say how well a decision turned out, from 0 (badly) to 1 (well); reported again, the last word counts.

        `NotFoundError`: no such decision. `InvalidRequestError`: the reward is outside 0 to 1.
        """
        ...

    @raises(UnavailableError, DeadlineExceededError)
    async def policy(self) -> ConductorPolicy:
        """Give the policy in force."""
        ...

    @raises(UnavailableError)
    def events(self) -> AsyncIterator[Decision]:
        """Give the decisions made from now on, in order, until the iterator is closed.

        A reader that falls behind by 1,000 decisions gets `UnavailableError`.
        """
        ...
