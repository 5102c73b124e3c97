"""Mailbox: an actor's queue, which cannot lose a put to a close and takes no lock on the way.

A put appends and then looks at `closed` again; whoever sees it closed drains. `deque.popleft` is atomic, so each envelope left
over is given to `undeliverable` exactly once, whether the closer or a late sender finds it. (Pykka checks first and appends
after, and an actor that stops in between keeps the envelope for ever: the ask then never resolves.)

Signals have a lane of their own, which is emptied first and is never full. `capacity` bounds the user lane; concurrent senders
may pass it by as many as they are, which is the price of taking no lock.
"""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Entry = TypeVar("Entry")
Signal = TypeVar("Signal")

DEFAULT_CAPACITY = 1000


class Mailbox(Generic[Entry, Signal]):
    """Two lanes, many senders, one reader at a time. Every method may be called from any thread unless it says otherwise."""

    __slots__ = ("_closed", "_signals", "_undeliverable", "_waiting", "capacity")

    def __init__(self, capacity: int, undeliverable: Callable[[Entry], None]) -> None:
        self.capacity = capacity
        self._waiting: deque[Entry] = deque()
        self._signals: deque[Signal] = deque()
        self._closed = False
        self._undeliverable = undeliverable

    def put(self, entry: Entry) -> bool:
        """Add `entry`; False where the mailbox is full and it was not taken. On a closed mailbox it goes to `undeliverable`."""
        if len(self._waiting) >= self.capacity and not self._closed:
            return False
        self._waiting.append(entry)
        if self._closed:
            self._drain()
        return True

    def put_signal(self, signal: Signal) -> None:
        """Add a signal; it is read before every waiting entry."""
        self._signals.append(signal)

    def get_signal_nowait(self) -> Signal | None:
        """Take the oldest signal, or None. Only the reader calls."""
        try:
            return self._signals.popleft()
        except IndexError:
            return None

    def get_nowait(self) -> Entry | None:
        """Take the oldest entry, or None. Only the reader calls."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def close(self) -> None:
        """Take no more entries, and give those that wait to `undeliverable`, in order. Signals still pass."""
        self._closed = True
        self._drain()

    def reopen(self) -> None:
        """Take entries again, for a new life. A put that crosses it may still be undeliverable, once."""
        self._closed = False

    def peek(self) -> Entry | None:
        """Look at the oldest entry without taking it."""
        try:
            return self._waiting[0]
        except IndexError:
            return None

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def has_signals(self) -> bool:
        """Whether a signal waits."""
        return bool(self._signals)

    @property
    def is_closed(self) -> bool:
        """Whether the mailbox takes no more entries."""
        return self._closed

    def _drain(self) -> None:
        while True:
            try:
                entry = self._waiting.popleft()
            except IndexError:
                return
            self._undeliverable(entry)
