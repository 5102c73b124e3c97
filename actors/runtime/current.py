"""What this thread or task is doing now: the actor and the message, for log lines and for the sender of a message.

A context variable rather than arguments, because the user's handler stands between us and the code that needs it; binding one
costs a tenth of what binding each field into the logger's context would.
"""

from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, NamedTuple


class Activity(NamedTuple):
    """The actor that runs, its incarnation, and the correlation id of the message (0 outside an ask)."""

    path: str
    incarnation: int
    correlation: int


activity: ContextVar[Activity | None] = ContextVar("actors.runtime.activity", default=None)


def add_activity(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add path, incarnation and correlation id to a log event: a structlog processor."""
    current = activity.get()
    if current is not None:
        event.setdefault("path", current.path)
        event.setdefault("incarnation", current.incarnation)
        if current.correlation:
            event.setdefault("correlation_id", current.correlation)
    return event


class During:
    """Makes an activity known to log lines and to whom it sends while a handler runs: a context manager, for one use."""

    __slots__ = ("_activity", "_token")

    def __init__(self, current: Activity) -> None:
        self._activity = current

    def __enter__(self) -> None:
        self._token = activity.set(self._activity)

    def __exit__(self, *_: object) -> None:
        activity.reset(self._token)
