"""Children as a supervisor handles them: cells of this process and nodes alike."""

from typing import Protocol

from ..address import ActorPath
from ..snapshot import ActorSnapshot, ActorState, ExitSnapshot
from .orders import Reload


class ChildHandle(Protocol):
    """One child. The supervisor calls; none of it waits. What happens comes back as `ChildReady` and `ChildExited`."""

    last_exit: ExitSnapshot | None

    @property
    def path(self) -> ActorPath:
        """Where it lives."""
        ...

    @property
    def last_step(self) -> str:
        """The last step of its start that a process has told of; empty for none, and for an actor of this process."""
        ...

    def start(self, incarnation: int) -> None:
        """Start a life."""
        ...

    def stop(self, *, again: bool = False) -> None:
        """Ask it to stop; one that starts `again` afterwards keeps the messages that wait."""
        ...

    def reload(self, order: Reload) -> None:
        """Pass on to it, a supervisor, what it is to become. What keeps it from that is told by the order's future."""
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
