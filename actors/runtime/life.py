"""Life: what one incarnation of an actor may ask of the runtime: its context.

The cell stays while lives come and go, so the context is bound to one of them: a timer or a thread that an earlier life has left
behind must not fail or stop its successor.
"""

from typing import Any, Protocol

from .actor import Supervisor
from .address import ActorPath
from .clock import Clock
from .ref import ActorRef


class Host(Protocol):
    """What a life needs of its cell."""

    ref: ActorRef
    incarnation: int

    @property
    def path(self) -> ActorPath:
        """Where the actor lives."""
        ...

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        ...

    @property
    def supervisor(self) -> Supervisor:
        """The actor's supervisor."""
        ...

    def publish(self, type_: str, **fields: Any) -> None:
        """Publish an event under the actor's path."""
        ...

    def set_os_process(self, pid: int | None, command: str = "") -> None:
        """Say which OS process the actor stands for."""
        ...

    def fail(self, error: BaseException, incarnation: int) -> None:
        """Fail that life before its next message."""
        ...

    def stop(self) -> None:
        """Stop before the next message."""
        ...


class Life:
    """One incarnation's context. Any thread may call; what a life that is over asks changes nothing."""

    __slots__ = ("_host", "incarnation")

    def __init__(self, host: Host) -> None:
        self._host = host
        self.incarnation = host.incarnation

    @property
    def path(self) -> ActorPath:
        """Where the actor lives."""
        return self._host.path

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        return self._host.clock

    @property
    def ref(self) -> ActorRef:
        """The actor's own ref."""
        return self._host.ref

    @property
    def supervisor(self) -> Supervisor:
        """The actor's supervisor."""
        return self._host.supervisor

    def publish(self, type_: str, **fields: Any) -> None:
        """Publish an event under the actor's path."""
        self._host.publish(type_, **fields)

    def set_os_process(self, pid: int | None, command: str = "") -> None:
        """Say which OS process the actor stands for."""
        if self._is_present:
            self._host.set_os_process(pid, command)

    def fail(self, error: BaseException) -> None:
        """Fail this life before its next message."""
        self._host.fail(error, self.incarnation)

    def stop(self) -> None:
        """Stop the actor before its next message."""
        if self._is_present:
            self._host.stop()

    @property
    def _is_present(self) -> bool:
        return self._host.incarnation == self.incarnation
