"""Cell: what turns and lives see of an actor's cell. The cell itself calls them, so they cannot import it."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from . import signals
from .actor import Actor, ActorFactory
from .cell_spec import CellKind
from .current import Activity, Wait
from .dispatch.dispatcher import Dispatcher
from .envelope import Envelope
from .life import Host, Life
from .mailbox import Waiting
from .snapshot import ActorState, ExitSnapshot


class Cell(Host, Protocol):
    """One actor's cell, for who has its flag. `ActorCell` and `Mailbox` say what each member is."""

    kind: CellKind
    dispatcher: Dispatcher
    factory: ActorFactory
    report: Callable[[signals.ChildReport], None]
    state: ActorState
    closed: bool
    is_released: bool
    begun: int
    abandoned: int
    last_exit: ExitSnapshot | None
    actor: Actor | None
    life: Life | None
    in_flight: dict[Activity, "asyncio.Task[None]"] | None
    processed: int
    expired: int
    waiting: Waiting | None
    signals: list[object]
    blocked: list[Callable[[], None]] | None

    @property
    def waits_for(self) -> tuple[Wait, ...]:
        """What the handler which runs now waits for."""
        ...

    @property
    def is_abandoned(self) -> bool:
        """Whether the present life has been given up."""
        ...

    @property
    def was_ready(self) -> bool:
        """Whether the present life has been running."""
        ...

    @property
    def has_free_hands(self) -> bool:
        """Whether one more message may be handled now."""
        ...

    def begin_turn(self) -> bool:
        """Take the duty of a turn; False where another has it."""
        ...

    def end_turn(self) -> None:
        """Give up the duty of a turn."""
        ...

    def wake(self) -> None:
        """See to it that a turn is run soon."""
        ...

    def take(self) -> Envelope | None:
        """Take the next message, or None."""
        ...

    def tell_there_is_room(self) -> None:
        """Let one sender that is held go on."""
        ...

    def close(self) -> None:
        """Take no more messages."""
        ...

    def ready(self) -> None:
        """Say that the actor is running."""
        ...

    def set_running(self) -> None:
        """Show that the actor is running, as of now."""
        ...

    def end_life(self) -> Actor | None:
        """Have no behaviour any more, and give the one that was."""
        ...

    def signal(self, signal: object) -> None:
        """Take a signal of the runtime's."""
        ...

    def record_dead_letter(self, envelope: Envelope, reason: str) -> None:
        """Keep a message that could not be handled."""
        ...

    def withdraw(self, reply: Any) -> bool:
        """Take out the ask whose answer goes to `reply`."""
        ...

    def report_unobserved(self, error: BaseException) -> None:
        """Report an error that nobody collected."""
        ...
