"""Orphans: what a dead node leaves behind is found and ended: its subprocesses, their children, and daemons that it has made.

Found by what the system knows, not by what the node said. Each node leads a session of its own, so whatever has not left that
session is known by it. What has left it (a daemon made by two forks, a child with a session of its own) has lost its parent and
so has become a child of the nearest subreaper: a kernel is one, and takes every child for an orphan that is no process of its
own. What a node's commands have made into a daemon while the node lives (as `git gc` does) wears the node's mark, and is left
alone until its node has ended.

A user's program is never made a subreaper, since all that any library in it starts would be adopted too. There, only what is
still in a dead node's session is found, and, where this process itself has killed the node, what was below it just before; a
daemon that has left session and parents, or a child with a session of its own whose node ended in any other way, is not.

An orphan may take the time to leave by itself that its environment grants it (`ACTORS_LEAVES_WITHIN_S`: the XI-editor writes
recovery files when its input ends), GRACE_S without; then it is killed. One thread, so that the scan of /proc, which takes
milliseconds, delays nobody.
"""

import contextlib
import ctypes
import os
import queue
import select
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from ..log import Log
from .mark import NODE_MARK, variable_of

_log = Log()

PR_SET_CHILD_SUBREAPER = 36
LEAVES_WITHIN = "ACTORS_LEAVES_WITHIN_S"
"""The variable by which whoever starts a process grants it seconds to leave by itself."""
GRACE_S = 0.2
MOST_GRACE_S = 5.0
STRAY_GRACE_S = 2.0
"""What has lost its parent, and wears no living node's mark, may be about to end by itself, as a helper of a command does."""
HURRY_S = 2.0
"""For so long after a node's death, what turns up is taken to be its, and looked for often: killed parents make more orphans."""
SESSION_S = 0.5
"""How long a dead node's session is looked through after the last member that was seen in it."""
LOOK_S = 1.0
PAUSE_S = 0.05
CLOSE_S = 3.0
"""How long `close` lets orphans have the time that they were granted."""
REAP_S = 0.5


@dataclass(slots=True)
class Orphan:
    """A process that is to end, in seconds: `grace_s` after `since`, on the monotonic clock. With the mark that it wears."""

    pidfd: int
    since: float
    grace_s: float
    mark: str | None
    is_granted: bool


class Orphans:
    """Ends what dead nodes leave behind. `close` it; it has one thread.

    `own` gives the processes that are nobody's orphans, each with the mark of the node that it is, empty for none.
    """

    def __init__(self, own: Callable[[], Mapping[int, str]], *, adopts: bool) -> None:
        self._own = own
        self._adopts = adopts
        self._dead: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._sessions: dict[int, float] = {}
        self._known: dict[int, Orphan] = {}
        self._lock = threading.Lock()
        self._below: dict[int, list[int]] = {}
        self._looked_at = 0.0
        self._hurry_until = 0.0
        if adopts:
            become_subreaper()
        self._thread = threading.Thread(target=self._run, name="node-orphans", daemon=True)
        self._thread.start()

    def node_doomed(self, pid: int) -> None:
        """Remember what is below a node that is about to be killed, if it could not be found afterwards. Any thread may call."""
        if self._adopts:
            return
        below = []
        for descendant in descendants_of(pid):
            with contextlib.suppress(OSError):
                below.append(os.pidfd_open(descendant))
        with self._lock:
            _close_all(self._below.pop(pid, []))
            self._below[pid] = below

    def node_died(self, pid: int) -> None:
        """End what the node whose process had this number has left."""
        self._dead.put(pid)

    def close(self) -> None:
        """End what is left, each in the time that it was granted, three seconds at most, and the thread."""
        self._dead.put(None)
        self._thread.join(CLOSE_S + REAP_S + 1.0)
        with self._lock:
            for below in self._below.values():
                _close_all(below)
            self._below.clear()

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            try:
                goes_on = self._await_death()
                self._look()
            except Exception:  # a process that vanishes under our hands, no descriptor left: the next look may have more luck
                _log.exception("orphans.look_failed")
        self._finish()

    def _await_death(self) -> bool:
        """Wait until it is time to look; False where it is time to end."""
        is_busy = bool(self._sessions) or monotonic() < self._hurry_until or not self._leaves_all_alone()
        pause_s = PAUSE_S if is_busy else LOOK_S if self._adopts or self._known else None
        with contextlib.suppress(queue.Empty):
            while (pid := self._dead.get(timeout=pause_s)) is not None:
                self._take_leave_of(pid)
                # One look for all who die within a moment: in a storm, a scan of /proc for each would cost more than its restart.
                pause_s = max(0.0, self._looked_at + PAUSE_S - monotonic())
            return False
        return True

    def _leaves_all_alone(self) -> bool:
        marks = set(self._own().values()) if self._known else set()
        return all(orphan.mark in marks for orphan in self._known.values())

    def _take_leave_of(self, pid: int) -> None:
        now = monotonic()
        self._sessions[pid] = now + SESSION_S
        self._hurry_until = now + HURRY_S
        for orphan in self._known.values():
            if not orphan.is_granted:
                orphan.grace_s = min(orphan.grace_s, now - orphan.since + GRACE_S)
        with self._lock:
            below = self._below.pop(pid, [])
        for pidfd in below:
            if is_over(pidfd) or (number := _pid_of(pidfd)) is None or number in self._known:
                os.close(pidfd)
            else:
                self._known[number] = _orphan(number, pidfd, now, GRACE_S)

    def _finish(self) -> None:
        """Look until nothing is left; what is after CLOSE_S is killed."""
        give_up_at = monotonic() + CLOSE_S
        pace = threading.Event()
        while monotonic() < give_up_at + REAP_S:
            try:
                if self._look(is_last=True, end_all=monotonic() >= give_up_at):
                    break
            except Exception:  # as above; the bound holds in any case
                _log.exception("orphans.look_failed")
            pace.wait(PAUSE_S)
        _close_all(orphan.pidfd for orphan in self._known.values())
        self._known.clear()

    def _look(self, *, is_last: bool = False, end_all: bool = False) -> bool:
        """Look once, and end whose time is over; True where there was nobody. `is_last`: no node lives any more."""
        now, own = monotonic(), self._own()
        self._looked_at = now
        marks = set[str]() if is_last else set(own.values())
        self._find(now, own)
        was_nobody = not self._known
        for pid, orphan in list(self._known.items()):
            if pid in own or is_over(orphan.pidfd):
                # A process of ours may be seen before it is known to be that.
                if pid not in own and self._adopts:
                    _reap(orphan.pidfd)
                del self._known[pid]
                os.close(orphan.pidfd)
            elif orphan.mark in marks:
                orphan.since = now
                orphan.grace_s = orphan.grace_s if orphan.is_granted else GRACE_S
            elif end_all or now >= orphan.since + orphan.grace_s:
                # Seen before its `exec`, it had no mark yet.
                orphan.mark = variable_of(pid, NODE_MARK)
                if orphan.mark in marks:
                    continue
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(orphan.pidfd, signal.SIGKILL)
        return was_nobody

    def _find(self, now: float, own: Mapping[int, str]) -> None:
        # A number that is in use again belongs to nobody who died.
        self._sessions = {number: until for number, until in self._sessions.items() if number not in own}
        members = members_of(self._sessions) if self._sessions else {}
        found = {*members, *(children_of(os.getpid()) if self._adopts else ())}
        for pid in found - set(own) - set(self._known):
            self._welcome(pid, now)
        for pid, session in members.items():
            if pid in self._known:
                self._sessions[session] = now + SESSION_S
        self._sessions = {number: until for number, until in self._sessions.items() if now < until}

    def _welcome(self, pid: int, now: float) -> None:
        with contextlib.suppress(ProcessLookupError):
            pidfd = os.pidfd_open(pid)
            if is_over(pidfd):
                # It is to be buried by its parent, which need not be this process.
                if self._adopts:
                    _reap(pidfd)
                os.close(pidfd)
            else:
                self._known[pid] = _orphan(pid, pidfd, now, GRACE_S if now < self._hurry_until else STRAY_GRACE_S)


def become_subreaper() -> None:
    """Let orphaned descendants become this process's children. Linux only; elsewhere there is no such thing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def members_of(sessions: Collection[int]) -> dict[int, int]:
    """Give the processes of these sessions whose leaders are gone, and the session of each; this process's own is left out."""
    own = os.getsid(0)
    members = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208  # names are all that is wanted, and there are many
        if entry.isdigit():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                pid = int(entry)
                session = os.getsid(pid)
                if session in sessions and session not in (own, pid):
                    members[pid] = session
    return members


def children_of(pid: int) -> set[int]:
    """Give the children of a process."""
    found: set[int] = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  # as above
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.update(int(child) for child in Path(f"/proc/{pid}/task/{task}/children").read_text("ascii").split())
    return found


def descendants_of(pid: int) -> set[int]:
    """Give all that is below a process."""
    found: set[int] = set()
    fresh = children_of(pid)
    while fresh:
        found |= fresh
        fresh = set().union(*map(children_of, fresh)) - found
    return found


def granted_s(pid: int) -> float | None:
    """Give the seconds that a process was granted to leave by itself, None where it was granted none."""
    with contextlib.suppress(ValueError):
        value = variable_of(pid, LEAVES_WITHIN)
        return None if value is None else min(MOST_GRACE_S, max(0.0, float(value)))
    return None


def is_over(pidfd: int) -> bool:
    """Tell whether the process has ended."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))


def _orphan(pid: int, pidfd: int, now: float, grace_s: float) -> Orphan:
    granted = granted_s(pid)
    return Orphan(pidfd, now, grace_s if granted is None else granted, variable_of(pid, NODE_MARK), granted is not None)


def _pid_of(pidfd: int) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text("ascii").splitlines():
            if line.startswith("Pid:"):
                pid = int(line.removeprefix("Pid:"))
                return pid if pid > 0 else None
    return None


def _reap(pidfd: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)


def _close_all(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
