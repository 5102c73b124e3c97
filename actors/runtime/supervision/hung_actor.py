"""HungActor: an actor that was found to hang, as data: what a node tells the kernel, and what an exit says."""

from typing import Literal

from msgspec import Struct


class HungActor(Struct, frozen=True, array_like=True):
    """An actor that makes no progress: which life of which, and since when (seconds in which it could have).

    `message` is the kind of the message in hand, empty where none is: then it is the `mailbox` that waits, and the actor does not
    get its turn. `held_up_by` is another actor that keeps their event loop from turning.
    """

    path: str
    incarnation: int
    where: Literal["handler", "mailbox"]
    message: str
    for_s: float
    held_up_by: str = ""

    def why(self) -> str:
        """Say what is wrong, in one line."""
        by = f": {self.held_up_by} holds up its event loop" if self.held_up_by else ""
        if self.where == "handler":
            return f"{self.path} has been handling {self.message or 'a message'} for {self.for_s:.1f} s{by}"
        return f"{self.path} has handled nothing for {self.for_s:.1f} s although messages wait{by}"
