"""Events: what happened, numbered, kept for a while, and handed to whoever listens."""

import threading
from collections import deque
from collections.abc import Callable

from .clock import Clock
from .event import Event, Field
from .log import Log

_log = Log()

KEPT = 10_000


class EventLog:
    """The last events of one system. Any thread may call.

    Listeners are called on a publisher's thread and must not block; what they raise is logged. They may read the log, and
    publish.
    """

    def __init__(self, clock: Clock, node: str) -> None:
        self._clock = clock
        self._node = node
        self._lock = threading.RLock()
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._untold: deque[Event] = deque()
        self._is_telling = False
        self._seq = 0
        self._listeners: list[Callable[[Event], None]] = []

    def publish(self, type_: str, path: str, **fields: object) -> Event:
        """Record that something happened to the actor at `path`, now. A field that is no plain value is told by its `repr`."""
        told = {name: _told(value) for name, value in fields.items()}
        return self._add(self._clock.wall(), type_, path, self._node, told)

    def record(self, type_: str, path: str, fields: dict[str, Field]) -> Event:
        """Record that something happened, as `publish`, with fields that are known to be plain values."""
        return self._add(self._clock.wall(), type_, path, self._node, fields)

    def adopt(self, event: Event) -> Event:
        """Record an event of another node under a number of this log."""
        return self._add(event.at, event.type, event.path, event.node, event.fields)

    def since(self, seq: int) -> tuple[Event, ...]:
        """Give the kept events with a higher number, in order."""
        with self._lock:
            if self._seq - seq <= 0:
                return ()
            return tuple(event for event in self._kept if event.seq > seq)

    @property
    def last_seq(self) -> int:
        """The number of the newest event, 0 before the first."""
        return self._seq

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with every event from now on; the function returned ends that."""
        with self._lock:
            self._listeners = [*self._listeners, listener]

        def stop() -> None:
            with self._lock:
                self._listeners = [kept for kept in self._listeners if kept is not listener]

        return stop

    def _add(self, at: float, type_: str, path: str, node: str, fields: dict[str, Field]) -> Event:
        with self._lock:
            self._seq += 1
            event = told = Event(self._seq, at, type_, path, node, fields)
            self._kept.append(event)
            # Under the lock, so that every listener sees the events in the order of their numbers; what a listener publishes
            # comes after the event that it is being told.
            if self._is_telling:
                self._untold.append(event)
                return event
            self._is_telling = True
            try:
                while True:
                    for listener in self._listeners:
                        try:
                            listener(told)
                        except Exception:  # a broken listener must not harm the publisher, such as a supervisor
                            _log.exception("event.listener_failed", type=told.type)
                    if not self._untold:
                        return event
                    told = self._untold.popleft()
            finally:
                self._is_telling = False


def _told(value: object) -> Field:
    """Give a field as it can cross a process: a value of another kind must not make the node's channel look broken."""
    kind = value.__class__
    if value is None or kind is bool or kind is float or (kind is str and value.isascii()):  # type: ignore[attr-defined]  # a str
        return value  # type: ignore[return-value]  # as just seen
    match value:
        case int() if -(2**63) <= value < 2**64:
            return value
        case str():
            return value.encode("utf-8", "replace").decode()
        case list() | tuple() if all(isinstance(item, str) for item in value):
            return [str(item).encode("utf-8", "replace").decode() for item in value]
        case _:
            return repr(value)[:500]
