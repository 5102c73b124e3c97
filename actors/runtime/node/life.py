"""Life: one process of a node as its host has it: the process, its pidfd, and our end of its channel."""

import contextlib
import os
import signal
import threading
from typing import Any, Protocol

from ..exits import exit_of_status
from ..flight.crashes import with_crash
from ..snapshot import ExitSnapshot
from ..transport.base import NodeAddress
from . import words
from .channel import Channel
from .launch import let_go
from .mark import mark_of

STATUS_WAIT_S = 0.2
"""How long an exit status may take to come from the fork server after the death itself is known."""
SERVER_DIED = 255
"""multiprocessing's word for "the fork server died and took the status along"."""
UNKILLABLE_AFTER_S = 0.75
"""After so long, a process that was killed and is there is in the hands of the operating system (waiting for a disk, say).

Shorter than what a supervisor gives a killed child (`supervision.shell.KILL_WAIT_S`), so that this is told before that goes on.
"""


class NodeListener(Protocol):
    """Who hears of one node's life. Called on the host's threads; must not block."""

    def on_ready(self, incarnation: int) -> None:
        """The node is ready."""
        ...

    def on_hung(self, incarnation: int) -> None:
        """The node hangs, and is about to be killed."""
        ...

    def on_exit(self, incarnation: int, ended: ExitSnapshot) -> None:
        """The node's process is dead."""
        ...


class Keeper(Protocol):
    """What a life needs of its host. Any thread calls; must not block."""

    @property
    def adopts(self) -> bool:
        """Whether processes whose parent has died become this process's children."""
        ...

    def now(self) -> float:
        """Give the time in monotonic seconds."""
        ...

    def on_doomed(self, life: "Life") -> None:
        """Hear that the life's process is about to be killed."""
        ...


class Life:
    """One life. The host's threads write, anybody may read; signals may be sent from any thread."""

    def __init__(self, boot: words.Boot, listener: NodeListener, heartbeat_timeout: float | None, keeper: Keeper) -> None:
        self.address = NodeAddress(boot.path, boot.incarnation, boot.endpoint)
        self.listener = listener
        self.heartbeat_timeout = heartbeat_timeout
        self.pid: int | None = None
        self.pidfd = -1
        self.channel: Channel[words.ToKernel] | None = None
        self.process: Any = None
        self.is_ready = False
        self.step = ""
        self.hurry_at: float | None = None
        self.gone_by: float | None = None
        self.unkillable_at: float | None = None
        self.stop_asked = False
        self.has_hung_up = False
        self.refused: str | None = None
        self.exiting: ExitSnapshot | None = None
        self.snapshot: words.SnapshotReply | None = None
        self._killed_at: float | None = None
        self._verdict: ExitSnapshot | None = None
        self._flight = boot.flight
        self._keeper = keeper
        self._signals = threading.Lock()

    @property
    def mark(self) -> str:
        """What its process marks its own with."""
        return mark_of(self.address.path, self.address.incarnation, self.pid or 0)

    def send_signal(self, number: signal.Signals) -> None:
        """Send the process a signal; none where it is gone. By its pidfd, so that no other process of its number is hit."""
        with self._signals:
            if self.pidfd >= 0:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self.pidfd, number)

    def kill(self) -> None:
        """End the process at once, on somebody's order. One that is not there yet ends as soon as it is."""
        if self._killed_at is None:
            self._killed_at = self._keeper.now()
        self._doom()

    def was_killed(self) -> bool:
        """Tell whether this process has killed it, or would have if there had been a process yet."""
        return self._killed_at is not None

    def condemn(self, ended: ExitSnapshot) -> None:
        """End the process at once, and tell its end as this."""
        self._verdict = ended
        self._doom()

    def refuse(self, why: str) -> None:
        """End the process at once, which is none of ours or speaks nonsense."""
        self.refused = why
        self._doom()

    def hang_up(self) -> None:
        """Hear that it has closed its end of the channel: its death follows, and one that only closed that is of no use."""
        self.has_hung_up = True
        if self.exiting is None:
            self._doom()

    def on_hung(self) -> None:
        """Tell whoever listens that it hangs."""
        self.listener.on_hung(self.address.incarnation)

    def _doom(self) -> None:
        if self.unkillable_at is None and self.pidfd >= 0:
            self.unkillable_at = self._keeper.now() + UNKILLABLE_AFTER_S
            self._keeper.on_doomed(self)
        self.send_signal(signal.SIGKILL)

    def exit(self, at: str, now: float) -> ExitSnapshot:
        """Give how it ended, once it has, at the time `at`; what is known here counts for more than what the process said."""
        status = self._status()
        if self._verdict is not None:
            ended = self._verdict
        elif self.refused is not None:
            ended = ExitSnapshot("start_failed", at=at, error=self.refused)
        elif self.exiting is not None and self._killed_at is None:
            return self.exiting
        else:
            ended = with_crash(exit_of_status(status, at), self._flight)
        if self._killed_at is None:
            return ended
        detected_ms = round((now - self._killed_at) * 1000, 3)
        return ExitSnapshot(ended.reason, ended.signal, ended.exit_code, at, ended.error, detected_ms, stack=ended.stack)

    def close(self) -> None:
        """Close what it has, in whatever state it is. Its descriptors must not be waited for any more."""
        channel, self.channel = self.channel, None
        with self._signals:
            pidfd, self.pidfd = self.pidfd, -1
        self.pid = None
        if channel is not None:
            channel.close()
        if pidfd >= 0:
            os.close(pidfd)
        if self.process is not None:
            let_go(self.process)
            self.process = None

    def remove_socket(self) -> None:
        """Remove the socket that the process has listened at."""
        with contextlib.suppress(OSError):
            os.unlink(self.address.endpoint.removeprefix("ipc://"))  # noqa: PTH108  # an endpoint, not a path of ours

    def _status(self) -> int | None:
        # Where the fork server has died, an orphan of it is this process's child, if this process adopts orphans.
        if self._keeper.adopts and (status := _status_of_child(self.pidfd)) is not None:
            return status
        if self.process is None:
            return None
        self.process.join(STATUS_WAIT_S)
        code: int | None = self.process.exitcode
        return None if code == SERVER_DIED else code


def _status_of_child(pidfd: int) -> int | None:
    """Give a dead child's status, negative for a signal, and bury it; None where it is no child of this process."""
    try:
        ended = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
    except OSError:
        return None
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
