"""Children as a supervisor handles them: cells of this process and nodes alike."""

from typing import Protocol

from ..address import ActorPath
from ..snapshot import ActorSnapshot, ActorState, ExitSnapshot


class ChildHandle(Protocol):
    """One child. The supervisor calls; none of it waits. What happens comes back as `ChildReady` and `ChildExited`."""

    last_exit: ExitSnapshot | None

    @property
    def path(self) -> ActorPath:
        """Where it lives."""
        ...

    def start(self, incarnation: int) -> None:
        """Start a life."""
        ...

    def stop(self) -> None:
        """Ask it to stop."""
        ...

    def kill(self, reason: str) -> None:
        """End it without asking."""
        ...

    def abandon(self, reason: str) -> None:
        """Give it up: it has not done what was due. A process is killed; what an actor does from now on counts for nothing."""
        ...

    def release(self, state: ActorState = "stopped") -> None:
        """Let go of what is left, in `state`: nobody comes back, and messages that wait become dead letters. Never waits."""
        ...

    def set_state(self, state: ActorState) -> None:
        """Show this state until the next life."""
        ...

    def snapshot(self) -> ActorSnapshot:
        """Give the child and everything below it."""
        ...
