"""Envelope: a message on its way inside one process, with what is needed to answer it."""

from typing import Any, Protocol

from msgspec import Struct


class ReplySlot(Protocol):
    """Where an ask's answer goes; the first answer counts."""

    def set_result(self, value: Any) -> bool:
        """Give the answer."""
        ...

    def set_error(self, error: BaseException) -> bool:
        """Give an error for an answer."""
        ...


class Envelope(Struct, gc=False, eq=False):
    """A message, its sender's path, the slot for its answer (None for a tell) and its deadline.

    A plain one is told to the actor's handler, and that is all: it wants no answer and comes from no proxy. `deadline` and
    `sent_at` are monotonic seconds. `correlation` joins an ask of another process to its answer and its log lines. `failures`
    counts the lives that have failed on it; `priority` is what its actor gave it.

    One is made for each message, so it is a Struct that the garbage collector does not track: a third of what a class with slots
    costs. A cycle through it lasts only while it waits in a mailbox, and every mailbox is emptied at its end. Two envelopes are
    never equal, so that one can be taken out of a queue.
    """

    message: Any
    sender: str = ""
    sent_at: float = 0.0
    is_plain: bool = False
    reply: ReplySlot | None = None
    deadline: float | None = None
    correlation: int = 0
    failures: int = 0
    priority: int = 0

    def answer_error(self, error: BaseException) -> bool:
        """Give the ask, if it is one, `error` for an answer, and let go of it; False where it is none.

        Letting go matters: the error's traceback holds the frame that holds this envelope, which the garbage collector does not
        look into, so the ring from here to the asker's future and back would never be collected.
        """
        reply, self.reply = self.reply, None
        if reply is None:
            return False
        reply.set_error(error)
        return True

    def kind(self) -> str:
        """Name the message's type, for people."""
        return type(self.message).__name__
