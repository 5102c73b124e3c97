"""Testing: what tests of actors need, for users of the runtime and for its own suite alike.

Nothing here sleeps. A probe waits on a queue with a bound, and that nothing has come is shown by a message of the probe's own
that follows everything sent before it, not by the passing of time.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from .actor import Actor
from .events import Event, EventLog
from .ref import ActorRef

PATIENCE_S = 10.0
"""How long an expectation waits unless told otherwise: a bound for a machine that is busy, not a measure."""


class FakeClock:
    """A clock that stands still until a test moves it. Any thread may call."""

    def __init__(self, monotonic: float = 100.0, wall: float = 1_700_000_000.0) -> None:
        self._lock = threading.Lock()
        self._monotonic = monotonic
        self._wall = wall

    def monotonic(self) -> float:
        """Give the time that the test has set."""
        return self._monotonic

    def wall(self) -> float:
        """Give the wall-clock time that the test has set."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, 0 or more."""
        if seconds < 0:
            raise ValueError(f"a monotonic clock does not go back by {-seconds} s: use set_wall")
        with self._lock:
            self._monotonic += seconds
            self._wall += seconds

    def set_wall(self, wall: float) -> None:
        """Make the wall clock jump, as an operator may."""
        self._wall = wall


class Spawner(Protocol):
    """What a probe needs of a system."""

    def spawn(self, actor: type[Actor], *, name: str, args: tuple[Any, ...]) -> ActorRef:
        """Start an actor."""
        ...


class _Barrier:
    """The probe's own message: whatever was sent before it has come before it."""


class _Recorder(Actor):
    def __init__(self, received: "queue.SimpleQueue[Any]") -> None:
        super().__init__()
        self._received = received

    def on_receive(self, message: Any) -> Any:
        if not isinstance(message, _Barrier):
            self._received.put(message)


class TestProbe:
    """An actor that keeps what it is sent until the test asks for it: hand out `ref`, then `expect`. For one thread."""

    __test__ = False  # pytest would take the name for a class of tests

    def __init__(self, system: Spawner, name: str = "probe") -> None:
        self._received: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._deadline: float | None = None
        self.ref = system.spawn(_Recorder, name=name, args=(self._received,))

    def expect(self, wanted: Any = object, *, timeout: float = PATIENCE_S) -> Any:
        """Give the next message, which must be of the class `wanted`, or equal to it. Raises `AssertionError`."""
        if self._deadline is not None:
            timeout = min(timeout, max(0.0, self._deadline - time.monotonic()))
        try:
            message = self._received.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"{self.ref.path} got nothing within {timeout:.3f} s, where {wanted!r} was due") from None
        fits = isinstance(message, wanted) if isinstance(wanted, type) else message == wanted
        if not fits:
            raise AssertionError(f"{self.ref.path} got {message!r}, where {wanted!r} was due")
        return message

    def expect_none(self) -> None:
        """Assert that nothing has come: everything that was sent before this call has been looked at."""
        self.ref.ask(_Barrier())
        if not self._received.empty():
            raise AssertionError(f"{self.ref.path} got {self._received.get()!r}, where nothing was due")

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
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stop: Callable[[], None] = log.listen(self._events.put)

    def expect(self, type_: str, path: str | None = None, *, timeout: float = PATIENCE_S, **fields: Any) -> Event:
        """Give the next event of `type_` (at `path`, with these `fields`), passing over others. Raises `AssertionError`."""
        deadline = time.monotonic() + timeout
        passed: list[str] = []
        while True:
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {type_} of {path} {fields} within {timeout} s, but {passed}") from None
            same_path = path is None or event.path == path
            if event.type == type_ and same_path and fields.items() <= event.fields.items():
                return event
            passed.append(f"{event.type} {event.path}")

    def close(self) -> None:
        """Follow no longer."""
        self._stop()
