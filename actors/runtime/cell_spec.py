"""CellSpec and Surroundings: what a cell is told when it is made, about itself and about its system."""

from typing import Protocol

from msgspec import Struct

from .address import ActorPath
from .clock import Clock
from .dead_letters import DeadLetters
from .events import EventLog
from .ref import ActorRef


class Surroundings(Protocol):
    """What a cell needs of its system."""

    clock: Clock
    events: EventLog
    dead_letters: DeadLetters
    node: str
    pid: int

    def ref(self, path: str) -> ActorRef:
        """Give a ref to the actor at `path`."""
        ...


class CellSpec(Struct, frozen=True):
    """What a cell is made of, but for the factory; `actor` is its name in snapshots, which show a supervisor's limits too."""

    path: ActorPath
    actor: str
    capacity: int
    is_async: bool
    is_supervisor: bool = False
    strategy: str | None = None
    intensity: int | None = None
    period_s: float | None = None
