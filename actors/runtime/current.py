"""What this thread or task is doing now: the actor and the message, for log lines, senders, and the search for ask cycles.

A context variable rather than arguments, because the user's handler stands between us and the code that needs it. Binding one
costs as much as half a message, so a thread that runs actors binds a station once, and each turn only changes what goes on there;
what changes with each message is an attribute of the activity. A handler on an event loop has a station of its own, which its
tasks share.
"""

import threading
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from .envelope import Envelope


class Occupied(Protocol):
    """What an activity says of its cell: who it is, and what the one life of it that runs waits for."""

    @property
    def path(self) -> str:
        """Where the actor lives."""
        ...

    @property
    def waits_for(self) -> "tuple[Wait, ...]":
        """What the handler which runs now waits for; nothing where others of its handlers may run meanwhile."""
        ...


class Wait(NamedTuple):
    """Whom a handler waits for, and whether that is over: one that has its answer may not have woken yet, and holds nobody up."""

    target: Occupied
    is_over: Callable[[], bool]


class Pauses:
    """The waits of one activity, one at a time: `with` one; a wait within a wait counts once.

    The activity's thread writes, any thread may read. A reader that comes between two of the writer's steps counts a wait that
    ends just now twice, never too little.
    """

    __slots__ = ("_depth", "_done_s", "_now", "since")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._depth = 0
        self._done_s = 0.0
        self.since: float | None = None

    def __enter__(self) -> None:
        self._depth += 1
        if self.since is None:
            self.since = self._now()

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self.since is not None:
            self._done_s += self._now() - self.since
            self.since = None

    def total_s(self, now: float) -> float:
        """Give the seconds of all waits so far, the present one included."""
        since = self.since
        return self._done_s + (0.0 if since is None else max(0.0, now - since))


class Activity:
    """An actor that runs, the message in its hand, and whom it waits for.

    `runner` is the task that runs the handler, on an event loop: another one that the handler has started may wait without
    holding the handler up. `depth` counts asks that were carried out on the asker's own thread, one inside the other. `began` is
    when the turn began in which the handler runs that runs now (None: none does), and `pauses` its waits, once there are any.
    """

    __slots__ = ("began", "cell", "depth", "in_hand", "incarnation", "path", "pauses", "runner", "waits_for")

    def __init__(self, cell: Any, path: str, incarnation: int) -> None:
        self.cell = cell
        self.path = path
        self.incarnation = incarnation
        self.in_hand: Envelope | None = None
        self.runner: object = None
        self.waits_for: tuple[Wait, ...] = ()
        self.depth = 0
        self.began: float | None = None
        self.pauses: Pauses | None = None


class Station:
    """Where actors run, a thread or a task, and which activity goes on there now.

    `thread` is the number of a thread that is not the runtime's own: others that have copied its context, as `asyncio.to_thread`
    does, find its station there too, and it is none of theirs. None is for the runtime's threads and for handlers on an event
    loop: whoever copies their context works for the handler.
    """

    __slots__ = ("activity", "thread")

    def __init__(self, activity: Activity | None = None, thread: int | None = None) -> None:
        self.activity = activity
        self.thread = thread


station: ContextVar[Station | None] = ContextVar("actors.runtime.station", default=None)


def make_station() -> None:
    """Make this thread, which is the runtime's own, a station."""
    station.set(Station())


def here() -> Station:
    """Give the station of this thread or task, and make it one if it is none yet."""
    found = station.get()
    if found is None or (found.thread is not None and found.thread != threading.get_ident()):
        found = Station(None, threading.get_ident())
        station.set(found)
    return found


def current_activity() -> Activity | None:
    """Give the activity that goes on here, or None outside of an actor."""
    found = station.get()
    if found is None or (activity := found.activity) is None:
        return None
    return activity if found.thread is None or found.thread == threading.get_ident() else None


def pause_of(activity: Activity | None) -> AbstractContextManager[None]:
    """Count the time within the block as a wait of this activity, if there is one."""
    if activity is None:
        return nullcontext()
    if activity.pauses is None:
        activity.pauses = Pauses(activity.cell.now)
    return activity.pauses


def busy_for(activities: Iterable[Activity | None], now: float) -> float | None:
    """Give the age in seconds of the oldest handler that runs, or of the batch of messages that it is part of.

    It is no older than the message that it has in hand. None where no handler runs.
    """
    ages = [
        now - max(began, envelope.sent_at)
        for one in activities
        if one is not None and (began := one.began) is not None and (envelope := one.in_hand) is not None
    ]
    return round(max(0.0, *ages), 3) if ages else None


def sender() -> str:
    """Give the path of the actor that runs here, or nothing outside of one."""
    activity = current_activity()
    return "" if activity is None else activity.path


def add_activity(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add path, incarnation and correlation id to a log event: a structlog processor."""
    current = current_activity()
    if current is not None:
        event.setdefault("path", current.path)
        event.setdefault("incarnation", current.incarnation)
        if current.in_hand is not None and current.in_hand.correlation:
            event.setdefault("correlation_id", current.in_hand.correlation)
    return event


class During:
    """Makes an activity known while a hook or handler runs: a context manager, for one use."""

    __slots__ = ("_activity", "_token")

    def __init__(self, current: Activity) -> None:
        self._activity = current

    def __enter__(self) -> None:
        self._token = station.set(Station(self._activity))

    def __exit__(self, *_: object) -> None:
        station.reset(self._token)
