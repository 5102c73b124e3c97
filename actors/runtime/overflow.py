"""Overflow: what becomes of a message for which a mailbox has no room. Nothing is dropped in silence.

`reject` refuses it, which the sender sees. `block` holds the sender, 5 s or an ask's own timeout at most, and then refuses; a
sender that is an actor, or runs an event loop, would hold up others with it, so it is refused at once. `drop_oldest` and
`drop_newest` make a dead letter of one message, which is counted, and answer it with `RejectedError` if it was an ask.
"""

from typing import Protocol

from .current import current_activity
from .envelope import Envelope
from .errors import RejectedError, UsageError
from .policies import Overflow
from .waiting import refuse_on_event_loop

BLOCK_S = 5.0


class Full(Protocol):
    """A mailbox that is full."""

    capacity: int

    @property
    def path(self) -> str:
        """Where the actor lives."""
        ...

    def take_oldest(self) -> Envelope | None:
        """Take out the message that has waited longest."""
        ...

    def wait_for_room(self, timeout: float) -> bool:
        """Wait until a message fits."""
        ...

    def drop(self, envelope: Envelope, reason: str) -> None:
        """Account for a message that is dropped."""
        ...


def make_room(mailbox: Full, envelope: Envelope, policy: Overflow, now: float) -> bool:
    """Say whether `envelope` is to be added after all. Raises `RejectedError` where the sender is to know that it is not."""
    full = f"the mailbox is full ({mailbox.capacity} messages wait)"
    match policy:
        case "drop_newest":
            mailbox.drop(envelope, full)
            return False
        case "drop_oldest":
            oldest = mailbox.take_oldest()
            if oldest is not None:
                mailbox.drop(oldest, f"{full}, and a newer message came")
            return True
        case "block" if _may_block() and mailbox.wait_for_room(_patience(envelope, now)):
            return True
        case _:
            raise RejectedError(f"{mailbox.path}: {full}")


def _patience(envelope: Envelope, now: float) -> float:
    return BLOCK_S if envelope.deadline is None else min(BLOCK_S, envelope.deadline - now)


def _may_block() -> bool:
    try:
        refuse_on_event_loop()
    except UsageError:
        return False
    return current_activity() is None
