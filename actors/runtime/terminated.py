"""Terminated: what a watcher is told when a life that it watches has ended."""

from .address import ActorPath
from .messages import Message
from .snapshot import ExitKind


class Terminated(Message, frozen=True):
    """The life `incarnation` of the actor at `path` has ended, by `reason`; `error` has what is known beside that.

    Incarnation 0: there was nobody to watch, the reason is `unknown`, and the watch is over.
    """

    path: ActorPath
    incarnation: int
    reason: ExitKind
    error: str | None = None
