"""Envelope: a message on its way inside one process, with what is needed to answer it."""

from typing import Any, Protocol


class ReplySlot(Protocol):
    """Where an ask's answer goes; the first answer counts."""

    def set_result(self, value: Any) -> bool:
        """Give the answer."""
        ...

    def set_error(self, error: BaseException) -> bool:
        """Give an error for an answer."""
        ...


class Envelope:
    """A message, its sender's path, the slot for its answer (None for a tell) and its deadline.

    `deadline` and `sent_at` are monotonic seconds. `correlation` joins an ask to its answer and to its log lines; 0 for a tell.
    A class with slots rather than a Struct: one is made for each message, and it must cost as little as a tuple.
    """

    __slots__ = ("correlation", "deadline", "message", "reply", "sender", "sent_at")

    def __init__(
        self,
        message: Any,
        *,
        reply: ReplySlot | None = None,
        sender: str = "",
        correlation: int = 0,
        deadline: float | None = None,
        sent_at: float = 0.0,
    ) -> None:
        self.message = message
        self.reply = reply
        self.sender = sender
        self.correlation = correlation
        self.deadline = deadline
        self.sent_at = sent_at

    def kind(self) -> str:
        """Name the message's type, for people."""
        return type(self.message).__name__
