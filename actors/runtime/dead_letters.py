"""Dead letters: messages that were accepted and then could not be handled, counted, and kept for a while with the reason."""

import threading
from collections import deque

from msgspec import Struct

from .clock import Clock
from .events import EventLog

KEPT = 1000
MAX_SHOWN = 500


class DeadLetter(Struct, frozen=True):
    """One message that nobody handled. `at` is in seconds since the epoch; `message` is its text, cut at 500 characters."""

    at: float
    path: str
    sender: str
    type: str
    message: str
    reason: str


class DeadLetters:
    """The dead letters of one system. Any thread may call."""

    def __init__(self, clock: Clock, events: EventLog) -> None:
        self._clock = clock
        self._events = events
        self._lock = threading.Lock()
        self._kept: deque[DeadLetter] = deque(maxlen=KEPT)
        self._count = 0

    def record(self, path: str, *, sender: str, type_: str, message: object, reason: str) -> None:
        """Keep a message that could not be handled, and say so as an event."""
        letter = DeadLetter(self._clock.wall(), path, sender, type_, _shown(message), reason)
        with self._lock:
            self._kept.append(letter)
            self._count += 1
        self._events.publish("message.dead_lettered", path, sender=sender, message_type=type_, reason=reason)

    @property
    def count(self) -> int:
        """How many there have been; only grows."""
        return self._count

    def snapshot(self) -> tuple[DeadLetter, ...]:
        """Give those that are kept, oldest first."""
        with self._lock:
            return tuple(self._kept)


def _shown(message: object) -> str:
    try:
        return repr(message)[:MAX_SHOWN]
    except Exception as error:  # a message that cannot show itself must not harm who records it
        return f"<{type(message).__name__} that cannot be shown: {type(error).__name__}>"
