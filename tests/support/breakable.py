"""An actor of nothing but answers, for tests that break it from outside."""

from typing import Any

from actors.runtime import Actor


class BreakableActor(Actor):
    """Answers with what it is told."""

    def on_receive(self, message: Any) -> Any:
        return message
