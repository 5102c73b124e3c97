"""Descendants: whatever a dead kernel leaves below its warden, ended and reaped; for the warden's one thread."""

import contextlib
import ctypes
import os
import select
import subprocess
import sys
import time

import psutil

PR_SET_CHILD_SUBREAPER = 36
KILL_WAIT_S = 5.0
LOOK_S = 0.05


def become_subreaper() -> None:
    """Let orphaned descendants become this process's children. Linux only; elsewhere they are found by the lifelines alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_descendants(grace_s: float, own: "subprocess.Popen[bytes] | None" = None) -> None:
    """Wait for every descendant to leave, `grace_s` seconds at most, then kill what is left, until nothing is.

    It gives up after 5 s more. `own` is a process whose status is wanted later, and is kept by its `Popen`.
    """
    kill_at = time.monotonic() + grace_s
    while time.monotonic() < kill_at + KILL_WAIT_S:
        reap_all(own)
        left = _descendants()
        if left is not None and not left:
            return
        if time.monotonic() >= kill_at:
            for process in left or ():
                with contextlib.suppress(psutil.Error):
                    process.kill()
        select.select([], [], [], LOOK_S)


def reap_all(own: "subprocess.Popen[bytes] | None" = None) -> None:
    """Reap every child that has ended; `own` by itself, since a `Popen` whose child another has reaped tells of success."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if own is not None and found.si_pid == own.pid and own.returncode is None:
                own.poll()
            else:
                os.waitpid(found.si_pid, os.WNOHANG)


def _descendants() -> list[psutil.Process] | None:
    """Give every process below this one, or None where that cannot be found out now, as when no descriptor is left."""
    try:
        return psutil.Process().children(recursive=True)
    except (psutil.Error, OSError):
        return None
