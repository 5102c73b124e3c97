"""Snapshots: the state of the tree as immutable data, in the shape that `symphony tree --json` prints.

Counters only grow; a reader computes rates. Times are RFC 3339 text in UTC, durations are in the unit that the name ends with.
"""

from collections.abc import Iterator
from typing import Literal, Protocol, runtime_checkable

from msgspec import Struct

ActorState = Literal["starting", "running", "restarting", "suspended", "stopping", "stopped", "parked", "hung"]
ExitKind = Literal["normal", "shutdown", "failed", "killed", "start_failed", "start_timeout", "hung", "unknown"]


class ExitSnapshot(Struct, frozen=True):
    """How the last incarnation ended.

    `detected_ms` is there only where the instant of death is known; `ready_ms` runs from detection to the next incarnation's
    readiness, and is None until then. `stack` is where the threads of a process that hung or crashed were, as text.
    """

    reason: ExitKind
    signal: str | None = None
    exit_code: int | None = None
    at: str = ""
    error: str | None = None
    detected_ms: float | None = None
    ready_ms: float | None = None
    stack: str | None = None


class OsProcessSnapshot(Struct, frozen=True):
    """An OS process that an actor stands for."""

    pid: int
    command: str


class MailboxSnapshot(Struct, frozen=True):
    """A mailbox: `oldest_s` is the age of the oldest message that waits, None when none does; `dropped` counts overflow."""

    depth: int
    capacity: int
    oldest_s: float | None
    dropped: int = 0


class ActorSnapshot(Struct, frozen=True):
    """One actor and, below it, its children in start order.

    `expired` counts asks whose deadline had passed before their turn; `busy_s` is the age of the handler that runs now,
    `next_try_s` how soon one that waits for its restart is started again.
    """

    path: str
    kind: Literal["supervisor", "worker"]
    actor: str
    node: str
    pid: int | None
    os_process: OsProcessSnapshot | None
    state: ActorState
    incarnation: int
    uptime_s: float | None
    restarts: int
    last_exit: ExitSnapshot | None
    mailbox: MailboxSnapshot
    processed: int
    expired: int = 0
    strategy: str | None = None
    intensity: int | None = None
    period_s: float | None = None
    busy_s: float | None = None
    next_try_s: float | None = None
    children: tuple["ActorSnapshot", ...] = ()

    def walk(self) -> Iterator["ActorSnapshot"]:
        """Give this actor and every one below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def find(self, path: str) -> "ActorSnapshot | None":
        """Give the actor at `path`, or None."""
        return next((actor for actor in self.walk() if actor.path == path), None)


@runtime_checkable
class HasChildren(Protocol):
    """A behaviour that supervises."""

    def child_snapshots(self) -> Iterator[ActorSnapshot]:
        """Give every child, in start order. Any thread may call."""
        ...


class Warden(Struct, frozen=True):
    """The process that restarts the kernel."""

    pid: int


class TreeSnapshot(Struct, frozen=True, rename={"schema_": "schema"}):
    """The whole tree at one moment."""

    system: str
    node: str
    at: str
    root: ActorSnapshot
    warden: Warden | None = None
    schema_: str = "symphony.tree/1"
