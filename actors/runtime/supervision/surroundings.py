"""What a supervisor needs of its system and of its own cell, which make it and so cannot be imported by it."""

import random
from typing import Any, Protocol

from ..actor import ActorFactory
from ..address import ActorPath
from ..cell import ActorCell
from ..cell_spec import CellKind
from ..clock import Clock
from ..events import EventLog
from ..ref import ActorRef
from ..timers import Appointments
from .children import ChildHandle
from .handle import SupervisorHandle
from .spec import AnySpec


class Household(Protocol):
    """What a supervisor needs of its system."""

    clock: Clock
    events: EventLog
    timers: Appointments
    random: random.Random

    def ref(self, path: str) -> ActorRef:
        """Give a ref to the actor at `path`."""
        ...

    def new_child(
        self,
        path: ActorPath,
        spec: AnySpec,
        factory: ActorFactory | None,
        supervisor: SupervisorHandle,
    ) -> ChildHandle:
        """Make a child's handle and let it be found at `path`; `supervisor` is the way to its supervisor.

        Raises where it cannot be made.
        """
        ...

    def handle_for_next_life(self, handle: ChildHandle, spec: AnySpec) -> ChildHandle:
        """Give the handle by which a child begins its next life: another one where a life that was given up holds a thread."""
        ...

    def check_child(self, spec: AnySpec) -> None:
        """Raise what would keep `new_child` from making a handle for this spec, as far as that is known beforehand."""
        ...

    def new_shared_cell(self, path: ActorPath, kind: CellKind, factory: ActorFactory, supervisor: SupervisorHandle) -> ActorCell:
        """Make a `shared` actor's cell whose first turn the caller runs, and let it be found at `path`."""
        ...

    def forget_child(self, path: ActorPath) -> None:
        """Let nobody be found at `path`."""
        ...

    def goes_on(self, path: ActorPath) -> bool:
        """Tell whether there was a life at `path` in a process that ended before this one."""
        ...

    def first_incarnation(self, path: ActorPath) -> int:
        """Give the number of the first life here: higher than that of any life before, in whichever process."""
        ...


class SupervisorCell(Protocol):
    """What a supervisor needs of its own cell."""

    @property
    def path(self) -> ActorPath:
        """Where the supervisor lives."""
        ...

    def signal(self, signal: object) -> None:
        """Put a signal into the supervisor's mailbox."""
        ...

    def ready(self) -> None:
        """Say that the supervisor is running."""
        ...

    def fail(self, error: BaseException) -> None:
        """Fail the supervisor."""
        ...

    def finish(self) -> None:
        """Say that the supervisor has stopped, as it was asked to."""
        ...

    def show_limits(self, strategy: str, intensity: int, period_s: float) -> None:
        """Show these limits in snapshots from now on."""
        ...

    def publish(self, type_: str, **fields: Any) -> None:
        """Publish an event under the supervisor's path."""
        ...
