"""CellKind and Surroundings: what a cell is told when it is made: what it shares with its like, and what its system gives it."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from .actor import Actor
from .address import ActorPath
from .clock import Clock
from .dead_letters import DeadLetters
from .dispatch.dispatcher import Runnable
from .errors import RejectedError
from .events import EventLog
from .flight.recorder import FlightRecorder
from .groups import Groups
from .mailbox import DEFAULT_CAPACITY
from .policies import AskFailure, Overflow
from .priority_queue import PriorityOf
from .ref import ActorRef
from .timers import Appointments
from .watch import Watches


class Surroundings(Protocol):
    """What a cell needs of its system. `flight` records what a node's actors do; None where nothing is recorded."""

    clock: Clock
    events: EventLog
    dead_letters: DeadLetters
    timers: Appointments
    watches: Watches
    groups: Groups
    node: str
    pid: int
    flight: FlightRecorder | None

    def find(self, pattern: str) -> tuple[ActorRef, ...]:
        """Give refs to the actors of this process whose paths match."""
        ...

    def run_soon(self, runnable: Runnable) -> None:
        """Run something on a shared thread. Takes no lock that its caller may hold."""
        ...

    @property
    def make_ref(self) -> Callable[[ActorPath], ActorRef]:
        """Makes a ref to the actor at a path."""
        ...


class CellKind(Struct, frozen=True):
    """What all cells of one class and dispatcher have in common; one is made for all of them.

    `behaviour` is the class and `name` what snapshots call it, which show a supervisor's limits too. `runs_anywhere` is true
    of `shared` actors: no thread is theirs. An idle one that is `inline` may run on its asker's thread.
    """

    behaviour: type[Actor]
    name: str
    capacity: int = DEFAULT_CAPACITY
    overflow: Overflow = "reject"
    expected: tuple[type[BaseException], ...] = (RejectedError,)
    ask_failure: AskFailure = "fail"
    attempts: int = 1
    priority_of: PriorityOf | None = None
    runs_anywhere: bool = False
    is_async: bool = False
    concurrency: int = 1
    inline: bool = False
    is_supervisor: bool = False
    strategy: str | None = None
    intensity: int | None = None
    period_s: float | None = None
