"""An actor in the style of Pykka that does whatever a test wants of it."""

from typing import Any

from actors.runtime import ThreadingActor


class Keeper(ThreadingActor):
    """Keeps what it is told, and does what it is asked."""

    def __init__(self, kept: Any = ()) -> None:
        super().__init__(kept)
        self.kept = list(kept)

    def on_receive(self, message: Any) -> Any:
        """Call what can be called, and keep everything else."""
        if callable(message):
            return message(self)
        self.kept.append(message)
        return None
