"""EventStream: hands each event to every reader of a port's `events()`, in order.

A reader that does not read must cost the others nothing and the publisher no wait, so each has a bounded backlog of its own, and
the one that overflows loses its stream with an error: a gap that it is told of, never one in silence.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from itertools import count
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from symphony.domain.errors import UnavailableError

Event = TypeVar("Event")

CAPACITY = 1_000


class Subscription(AsyncIterator[Event], Generic[Event]):
    """One reader's iterator. It begins with the first event after `subscribe`, and ends with `aclose` or when it is dropped."""

    def __init__(self) -> None:
        self._backlog: deque[Event] = deque()
        self._changed = asyncio.Event()
        self._has_ended = False
        self._error: UnavailableError | None = None

    async def __anext__(self) -> Event:
        """Wait for the next event. Raises `UnavailableError`, once, where the reader fell behind."""
        while not self._backlog:
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if self._has_ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._backlog.popleft()

    async def aclose(self) -> None:
        """Unsubscribe and forget what was not read; again is the same as once."""
        self._backlog.clear()
        self._error = None
        self.end()

    def end(self, error: UnavailableError | None = None) -> None:
        """Give what is in the backlog, then `error`, then nothing more."""
        if not self._has_ended:
            self._has_ended, self._error = True, error
            self._changed.set()

    def offer(self, event: Event) -> None:
        """Add an event, or end the stream where the reader is too far behind."""
        if self._has_ended:
            return
        if len(self._backlog) < CAPACITY:
            self._backlog.append(event)
            self._changed.set()
            return
        # What is in the backlog is old by now, and the reader has to look at the states again anyway.
        self._backlog.clear()
        self.end(UnavailableError(f"fell behind by {CAPACITY} events; look at the states again, then subscribe again"))


class EventStream(Generic[Event]):
    """The readers of one port. Everything is called on the event loop's thread, and nothing waits but a reader."""

    def __init__(self) -> None:
        self._numbers = count()
        # Weak, so that a reader who leaves a loop without closing the iterator is not kept, and fed, for ever.
        self._subscriptions: WeakValueDictionary[int, Subscription[Event]] = WeakValueDictionary()
        self._is_closed = False

    def subscribe(self) -> Subscription[Event]:
        """Give an iterator of the events from now on; after `close`, one that ends at once."""
        subscription: Subscription[Event] = Subscription()
        if self._is_closed:
            subscription.end()
        else:
            self._subscriptions[next(self._numbers)] = subscription
        return subscription

    def publish(self, event: Event) -> None:
        """Hand `event` to every reader."""
        for subscription in list(self._subscriptions.values()):
            subscription.offer(event)

    def close(self) -> None:
        """End every iterator after what it has not read yet; nothing can be published any more."""
        self._is_closed = True
        for subscription in list(self._subscriptions.values()):
            subscription.end()
        self._subscriptions.clear()
