"""PriorityQueue: the queue of an actor that says which of its messages come first; those of one priority keep their order."""

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .envelope import Envelope

PriorityOf = Callable[[Any], int]


class PriorityQueue:
    """A heap with the face of a deque. It takes a lock, as a deque need not: to take one out of a heap is several steps."""

    __slots__ = ("_backwards", "_forwards", "_heap", "_lock", "_priority_of")

    def __init__(self, priority_of: PriorityOf) -> None:
        """Make an empty queue; `priority_of` gives a message's priority, higher first, and runs on the sender's thread."""
        self._priority_of = priority_of
        self._lock = threading.Lock()
        self._heap: list[tuple[int, int, Envelope]] = []
        self._forwards = itertools.count()
        self._backwards = itertools.count(-1, -1)

    def append(self, envelope: Envelope, /) -> None:
        """Add behind all of the same priority."""
        # Once, and outside the lock: it is the user's code, and a handler may have changed the message by the time it comes back.
        envelope.priority = self._priority_of(envelope.message)
        self._push(envelope, self._forwards)

    def appendleft(self, envelope: Envelope, /) -> None:
        """Put back in front of all of the same priority."""
        self._push(envelope, self._backwards)

    def popleft(self) -> Envelope:
        """Take what comes first. Raises `IndexError`."""
        with self._lock:
            return heapq.heappop(self._heap)[2]

    def remove(self, envelope: Envelope, /) -> None:
        """Take out. Raises `ValueError`."""
        with self._lock:
            left = [entry for entry in self._heap if entry[2] is not envelope]
            if len(left) == len(self._heap):
                raise ValueError("the envelope does not wait here")
            heapq.heapify(left)
            self._heap = left

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Envelope]:
        with self._lock:
            return iter([entry[2] for entry in sorted(self._heap, key=lambda entry: entry[:2])])

    def __getitem__(self, _first: int, /) -> Envelope:
        with self._lock:
            if not self._heap:
                raise IndexError("the queue is empty")
            return min((entry[2] for entry in self._heap), key=lambda envelope: envelope.sent_at)

    def first(self) -> Envelope:
        """Look at what comes first. Raises `IndexError`."""
        with self._lock:
            return self._heap[0][2]

    def _push(self, envelope: Envelope, order: "itertools.count[int]") -> None:
        with self._lock:
            heapq.heappush(self._heap, (-envelope.priority, next(order), envelope))
