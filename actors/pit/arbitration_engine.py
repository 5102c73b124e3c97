"""ArbitrationEngineActor: a mailbox round the ArbitrationEngine."""

from typing import Any, ClassVar

from actors.runtime import Actor
from symphony.domain.claim import Ruling
from symphony.domain.errors import SymphonyError
from symphony.domain.pit import arbitration_engine
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.arbitration_engine import ArbitrationEngine

from .messages import Arbitrate


class ArbitrationEngineActor(Actor):
    """Who wins a conflict, and why. Every ruling is an event."""

    messages: ClassVar = (Arbitrate,)
    expected_errors: ClassVar = (SymphonyError,)

    def on_start(self) -> None:
        """Begin with nothing decided."""
        self._engine = ArbitrationEngine()

    def on_receive(self, message: Any) -> Ruling:
        """Handle an `Arbitrate`."""
        if not isinstance(message, Arbitrate):
            return super().on_receive(message)  # type: ignore[no-any-return]  # it raises
        effects = self._engine.handle(arbitration_engine.Arbitrate(message.claims), self.context.clock.monotonic())
        for effect in effects:
            if isinstance(effect, Announce):
                self.context.publish(effect.kind, subject=effect.subject)
        return next(effect.ruling for effect in effects if isinstance(effect, arbitration_engine.GiveRuling))
