"""StaleManagerActor: a mailbox round the StaleManager. It plans; removing is not built yet."""

from typing import Any, ClassVar

from actors.runtime import Actor
from symphony.domain.errors import SymphonyError
from symphony.domain.pit import stale_manager
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.stale_manager import StaleManager
from symphony.domain.retention import RetentionPlan

from .messages import PlanRetention


class StaleManagerActor(Actor):
    """What to keep, and why."""

    messages: ClassVar = (PlanRetention,)
    expected_errors: ClassVar = (SymphonyError,)

    def on_start(self) -> None:
        """Begin with no plan."""
        self._stale = StaleManager()

    def on_receive(self, message: Any) -> RetentionPlan:
        """Handle a `PlanRetention`."""
        if not isinstance(message, PlanRetention):
            return super().on_receive(message)  # type: ignore[no-any-return]  # it raises
        event = stale_manager.PlanRetention(message.artifacts, frozenset(message.referenced), message.max_age_s)
        effects = self._stale.handle(event, self.context.clock.wall())
        for effect in effects:
            if isinstance(effect, Announce):
                self.context.publish(effect.kind, subject=effect.subject)
        return next(effect.plan for effect in effects if isinstance(effect, stale_manager.GivePlan))
