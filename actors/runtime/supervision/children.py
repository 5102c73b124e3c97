"""Children as a supervisor handles them: actors of this process and nodes alike."""

from typing import Protocol

from msgspec import structs

from ..cell import ActorCell
from ..log import Log
from ..snapshot import ActorSnapshot, ActorState, ExitSnapshot

_log = Log()


class ChildHandle(Protocol):
    """One child. The supervisor calls; none of it waits. What happens comes back as `ChildReady` and `ChildExited`."""

    last_exit: ExitSnapshot | None

    def begin(self, incarnation: int) -> None:
        """Start a life."""
        ...

    def end(self) -> None:
        """Ask it to stop."""
        ...

    def kill(self, reason: str) -> None:
        """End it without asking."""
        ...

    def abandon(self, reason: str) -> None:
        """Give it up: it has not done what was due. A process is killed; what an actor does from now on counts for nothing."""
        ...

    def release(self, state: ActorState) -> None:
        """Let go of what is left: nobody comes back, and messages that wait become dead letters."""
        ...

    def set_state(self, state: ActorState) -> None:
        """Show this state until the next life."""
        ...

    def snapshot(self) -> ActorSnapshot:
        """Give the child and everything below it."""
        ...


class LocalChild:
    """An actor of this process."""

    def __init__(self, cell: ActorCell) -> None:
        self.cell = cell

    @property
    def last_exit(self) -> ExitSnapshot | None:
        """How the last life ended."""
        return self.cell.last_exit

    @last_exit.setter
    def last_exit(self, exit_: ExitSnapshot | None) -> None:
        self.cell.last_exit = exit_

    def begin(self, incarnation: int) -> None:
        """Start a life on the actor's dispatcher."""
        self.cell.start(incarnation)

    def end(self) -> None:
        """Stop before the next message."""
        self.cell.stop()

    def kill(self, reason: str) -> None:
        """Fail it before the next message: a handler cannot be ended from outside."""
        self.cell.kill(reason)

    def abandon(self, reason: str) -> None:
        """Give up its present life. Its `on_kill` may make the handler return; else its thread is left behind."""
        actor = self.cell.behaviour
        self.cell.abandon(reason)
        if actor is None:
            return
        try:
            actor.on_kill()
        except Exception:  # a failing `on_kill` changes nothing: the actor is given up already, and the supervisor must go on
            _log.exception("actor.on_kill_failed", path=self.cell.path)

    def release(self, state: ActorState) -> None:
        """Close its mailbox, and its thread if it has one."""
        self.cell.state = state
        self.cell.release()

    def set_state(self, state: ActorState) -> None:
        """Show this state until the next life. One that is parked takes no messages: nobody would answer them."""
        if state == "parked":
            self.cell.close(state)
        else:
            self.cell.state = state

    def snapshot(self) -> ActorSnapshot:
        """Give the actor, with its children if it is a supervisor."""
        own = self.cell.snapshot()
        children = getattr(self.cell.behaviour, "child_snapshots", None) if self.cell.spec.is_supervisor else None
        return structs.replace(own, children=tuple(children())) if children is not None else own
