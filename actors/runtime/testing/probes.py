"""Probes: ways to see what a system does, from outside and without sleeping.

A probe waits on a queue with a bound, and that nothing has come is shown by a message of the probe's own that follows everything
sent before it, not by the passing of time.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from ..actor import Actor
from ..event import Event
from ..events import EventLog
from ..ref import ActorRef
from ..waiting import waiter_of_this_thread

Item = TypeVar("Item")

PATIENCE_S = 10.0
"""How long an expectation waits unless told otherwise: a bound for a machine that is busy, not a measure."""


class Spawner(Protocol):
    """What a probe needs of a system."""

    def spawn(self, actor: type[Actor], *, name: str, args: tuple[Any, ...]) -> ActorRef:
        """Start an actor."""
        ...


class _Inbox(Generic[Item]):
    """What has come, for the one thread that takes it. It waits as the runtime does, so a stepping system goes on meanwhile."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._wake: Callable[[], None] = lambda: None

    def put(self, item: Item) -> None:
        self._items.append(item)
        self._wake()

    def take(self, timeout: float) -> Item | None:
        """Give the next, or None where there is none within `timeout` seconds."""
        waiter = waiter_of_this_thread()
        self._wake = waiter.wake
        return self._items.popleft() if waiter.wait(lambda: bool(self._items), timeout) else None

    @property
    def first(self) -> Item | None:
        return self._items[0] if self._items else None


class _Barrier:
    """The probe's own message: whatever was sent before it has come before it."""


class _Recorder(Actor):
    def __init__(self, received: _Inbox[tuple[Any]]) -> None:
        super().__init__()
        self._received = received

    def on_receive(self, message: Any) -> Any:
        if not isinstance(message, _Barrier):
            self._received.put((message,))


class TestProbe:
    """An actor that keeps what it is sent until the test asks for it: hand out `ref`, then `expect`. For one thread."""

    __test__ = False  # pytest would take the name for a class of tests

    def __init__(self, system: Spawner, name: str = "probe") -> None:
        self._received: _Inbox[tuple[Any]] = _Inbox()
        self._deadline: float | None = None
        self.ref = system.spawn(_Recorder, name=name, args=(self._received,))

    def expect(self, wanted: Any = object, *, timeout: float = PATIENCE_S) -> Any:
        """Give the next message, which must be of the class `wanted`, or equal to it. Raises `AssertionError`."""
        if self._deadline is not None:
            timeout = min(timeout, max(0.0, self._deadline - time.monotonic()))
        received = self._received.take(timeout)
        if received is None:
            raise AssertionError(f"{self.ref.path} got nothing within {timeout:.3f} s, where {wanted!r} was due")
        (message,) = received
        fits = isinstance(message, wanted) if isinstance(wanted, type) else message == wanted
        if not fits:
            raise AssertionError(f"{self.ref.path} got {message!r}, where {wanted!r} was due")
        return message

    def expect_none(self) -> None:
        """Assert that nothing has come: everything that was sent before this call has been looked at."""
        self.ref.ask(_Barrier())
        if self._received.first is not None:
            raise AssertionError(f"{self.ref.path} got {self._received.first[0]!r}, where nothing was due")

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let all expectations of the block share `seconds`."""
        before, self._deadline = self._deadline, time.monotonic() + seconds
        try:
            yield
        finally:
            self._deadline = before


class EventProbe:
    """Follows a system's events from the moment it is made. `close` it; for one thread."""

    def __init__(self, log: EventLog) -> None:
        self._events: _Inbox[Event] = _Inbox()
        self._stop: Callable[[], None] = log.listen(self._events.put)

    def expect(self, type_: str, path: str | None = None, *, timeout: float = PATIENCE_S, **fields: Any) -> Event:
        """Give the next event of `type_` (at `path`, with these `fields`), passing over others. Raises `AssertionError`."""
        deadline = time.monotonic() + timeout
        passed: list[str] = []
        while True:
            event = self._events.take(max(0.0, deadline - time.monotonic()))
            if event is None:
                raise AssertionError(f"no {type_} of {path} {fields} within {timeout} s, but {passed}")
            same_path = path is None or event.path == path
            if event.type == type_ and same_path and fields.items() <= event.fields.items():
                return event
            passed.append(f"{event.type} {event.path}")

    def close(self) -> None:
        """Follow no longer."""
        self._stop()
