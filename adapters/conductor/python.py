"""PythonConductorAdapter: ConductorPort by the conductor actor, whose policies are Python."""

from collections.abc import AsyncIterator

from actors.conductor import GetPolicy, ReportReward, SubmitDecision
from actors.runtime import ActorRef
from adapters.asking import ask
from adapters.event_stream import EventStream
from symphony.domain.conducting import ConductorPolicy, Decision, DecisionContext
from symphony.domain.ids import DecisionId

TIMEOUT_S = 5.0


class PythonConductorAdapter:
    """The conductor behind `conductor`, in this process or another. `timeout_s` bounds each call. Call from one event loop."""

    def __init__(self, conductor: ActorRef, *, timeout_s: float = TIMEOUT_S) -> None:
        self._conductor = conductor
        self._timeout_s = timeout_s
        self._events: EventStream[Decision] = EventStream()

    async def submit_decision(self, context: DecisionContext) -> Decision:
        """Decide. The same context submitted again gets the same decision."""
        decision = await ask(self._conductor, SubmitDecision(context), timeout_s=self._timeout_s)
        self._events.publish(decision)
        return decision

    async def report_reward(self, decision: DecisionId, reward: float) -> None:
        """Say how well a decision turned out, from 0 (badly) to 1 (well); reported again, the last word counts."""
        await ask(self._conductor, ReportReward(decision, reward), timeout_s=self._timeout_s)

    async def policy(self) -> ConductorPolicy:
        """Give the policy in force."""
        return await ask(self._conductor, GetPolicy(), timeout_s=self._timeout_s)

    def events(self) -> AsyncIterator[Decision]:
        """Give the decisions made from now on, in order, until the iterator is closed."""
        return self._events.subscribe()
