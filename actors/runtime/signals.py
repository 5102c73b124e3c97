"""Signals: what the runtime says to its cells and supervisors; users' messages never stand in their way."""

from collections.abc import Callable
from typing import NamedTuple

from .address import ActorPath
from .snapshot import ExitSnapshot


class Start(NamedTuple):
    """Begin the life `incarnation`."""

    incarnation: int


class Stop(NamedTuple):
    """Finish the message in hand, then stop; one that is to start `again` keeps the messages that wait."""

    again: bool = False


class Finish(NamedTuple):
    """A supervisor's children have stopped: so has it."""


def nobody_asked() -> None:
    """Tell nobody."""


class Fail(NamedTuple):
    """Fail, if this is still life `incarnation`; `answer` tells whoever asked for what failed, when that is done."""

    error: BaseException
    incarnation: int
    answer: Callable[[], None] = nobody_asked


class ChildReady(NamedTuple):
    """A child is running."""

    path: ActorPath
    incarnation: int


class ChildExited(NamedTuple):
    """A child's life has ended. `error` is there where it is known in this process."""

    path: ActorPath
    incarnation: int
    exit: ExitSnapshot
    error: BaseException | None = None


class ChildHung(NamedTuple):
    """A child's life makes no progress any more; `exit` says what it was seen doing. Its supervisor gives that life up."""

    path: ActorPath
    incarnation: int
    exit: ExitSnapshot


ChildReport = ChildReady | ChildExited | ChildHung
