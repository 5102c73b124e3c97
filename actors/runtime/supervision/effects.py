"""Effects: what a supervisor's machine wants done; `supervisor` does it, in order."""

from typing import Literal

from msgspec import Struct

from ..snapshot import ExitSnapshot
from .spec import SupervisorSpec


class Begin(Struct, frozen=True):
    """Start the life `incarnation` of a child, by its present spec."""

    child: str
    incarnation: int


class End(Struct, frozen=True):
    """Stop a child, with force once its `shutdown` is over."""

    child: str
    incarnation: int


class Schedule(Struct, frozen=True):
    """Tell the machine that a restart is due, in `delay_s` seconds."""

    child: str
    incarnation: int
    delay_s: float


class Cancel(Struct, frozen=True):
    """Forget a restart that was scheduled: it is not wanted any more."""

    child: str


class Discard(Struct, frozen=True):
    """Let go of a child that is not coming back."""

    child: str


class Parked(Struct, frozen=True):
    """A child has used up its restarts, or one that it belongs with has: it stays stopped until somebody restarts it."""

    child: str
    restarts: int


class Stopped(Struct, frozen=True):
    """A child has been stopped by order, or has finished, and stays so."""

    child: str


class Adjust(Struct, frozen=True):
    """Let a running child that is a supervisor apply the difference to this spec."""

    child: str
    spec: SupervisorSpec


class Note(Struct, frozen=True):
    """Something that readers of events want to know."""

    child: str
    what: Literal["started", "restarted", "exited"]
    incarnation: int


class Escalate(Struct, frozen=True):
    """Too many restarts: the supervisor is about to fail."""

    child: str
    restarts: int


class ShutDown(Struct, frozen=True):
    """A significant child has ended by itself: the supervisor is about to stop, as its `auto_shutdown` says."""

    child: str


class ReportReady(Struct, frozen=True):
    """Every child is running: so is the supervisor."""


class ReportStopped(Struct, frozen=True):
    """Every child has stopped, as was asked."""


class ReportStartFailed(Struct, frozen=True):
    """A child did not start at first; those before it have been stopped."""

    child: str
    exit: ExitSnapshot


class ReportFailed(Struct, frozen=True):
    """The supervisor has failed because a child used up its restarts; every other child has been stopped."""

    child: str
    exit: ExitSnapshot


LastWord = ReportStopped | ReportStartFailed | ReportFailed
Effect = (
    Begin | End | Schedule | Cancel | Discard | Parked | Stopped | Adjust | Note | Escalate | ShutDown | ReportReady | LastWord
)
