"""PythonConductorAdapter: ConductorPort by the conductor actor, whose policies are Python."""

from collections.abc import AsyncIterator, Callable

import msgspec

from actors.conductor import DECISION_MADE, GetPolicy, ReportReward, SubmitDecision
from actors.runtime import ActorRef
from actors.runtime.event import Event
from adapters.asking import ask
from adapters.event_stream import EventStream
from adapters.relay import Listen, relay
from symphony.domain.conducting import ConductorPolicy, Decision, DecisionContext
from symphony.domain.ids import DecisionId

TIMEOUT_S = 5.0


class PythonConductorAdapter:
    """The conductor behind `conductor`, in this process or another. Call from one event loop.

    `timeout_s` bounds each call. `listen` calls back with the system's events, of which those of the conductor become `events()`.
    """

    def __init__(self, conductor: ActorRef, listen: Listen, *, timeout_s: float = TIMEOUT_S) -> None:
        self._conductor = conductor
        self._listen = listen
        self._stop_listening: Callable[[], None] | None = None
        self._timeout_s = timeout_s
        self._events: EventStream[Decision] = EventStream()

    async def submit_decision(self, context: DecisionContext) -> Decision:
        """Decide. The same context submitted again gets the same decision."""
        return await ask(self._conductor, SubmitDecision(context), timeout_s=self._timeout_s)

    async def report_reward(self, decision: DecisionId, reward: float) -> None:
        """Say how well a decision turned out, from 0 (badly) to 1 (well); reported again, the last word counts."""
        await ask(self._conductor, ReportReward(decision, reward), timeout_s=self._timeout_s)

    async def policy(self) -> ConductorPolicy:
        """Give the policy in force."""
        return await ask(self._conductor, GetPolicy(), timeout_s=self._timeout_s)

    def events(self) -> AsyncIterator[Decision]:
        """Give the decisions made from now on, in order, until the iterator is closed."""
        if self._stop_listening is None:
            self._stop_listening = relay(self._listen, self._take)
        return self._events.subscribe()

    def close(self) -> None:
        """End every `events()`."""
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        self._events.close()

    def _take(self, event: Event) -> None:
        if event.type == DECISION_MADE and event.path == self._conductor.path:
            self._events.publish(msgspec.convert(event.fields, Decision))
