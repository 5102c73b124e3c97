"""`symphony down`: stop the tree, and return when no process of it is left."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from actors.runtime.errors import AskTimeoutError, NodeUnavailableError, RunDirectoryBusyError
from actors.runtime.run_directory import RunDirectory
from actors.runtime.snapshot import ActorSnapshot
from actors.runtime.supervision.shutdown_plan import ShutdownPlan, shutdown_plan
from symphony.domain.errors import NotBuiltError, UnavailableError

from .errors import RefusedError, TimedOutError
from .invocation import Invocation, seconds
from .invocation import command as symphony_command
from .kernel import connection
from .output import note, write_json, write_line
from .own_tree.checking import tree_of
from .processes import HeldProcesses

ANSWER_S = 3.0
"""How long a kernel that is not hung may take to answer, whatever else it does."""
SPARE_S = 10.0
"""How much longer than its plan a stop may take before it is called late: then the warden has killed everything."""
PAUSE_S = 0.1
LEAVE_WAIT_S = 2.0
"""How long what has lost its kernel may take to leave by itself."""


@symphony_command("down", timeout_s=30.0)
@click.option("--drain", type=seconds, metavar="SECONDS", help="Let work finish first (not built yet).")
@click.option("--now", is_flag=True, help="Kill everything instead of stopping it in order; also ends a kernel that is hung.")
def command(invocation: Invocation, drain: float | None, *, now: bool) -> None:
    """Stop the tree; return when no process is left."""
    if drain is not None:
        raise NotBuiltError("`symphony down --drain` is not built yet: leave it out to stop in order")
    run_dir = invocation.run_directory()
    plan = ShutdownPlan((), 0.0)
    try:
        plan = plan if now else _plan_within(run_dir, invocation.timeout_s)
        if not (now or invocation.as_json):
            note(f"stopping in order, {plan}")
        ended = stop_tree(run_dir, _patience_s(invocation, plan), now=now)
    except (UnavailableError, AskTimeoutError) as error:
        if not now:
            raise _with_advice(error) from error
        ended = end_silent_tree(run_dir, invocation.timeout_s)
    if invocation.as_json:
        write_json("symphony.down/1", {"ended": ended, "bound_s": plan.bound_s})
    else:
        write_line(f"stopped: {len(ended)} processes have ended")


def _plan_within(run_dir: RunDirectory, timeout_s: float) -> ShutdownPlan:
    """Give what `plan_of` gives; a kernel that has just died is replaced by another soon, which is waited for."""
    deadline = time.monotonic() + timeout_s
    pace = threading.Event()
    while True:
        try:
            return plan_of(run_dir, timeout_s)
        except (UnavailableError, NodeUnavailableError):
            if time.monotonic() > deadline:
                raise
        pace.wait(PAUSE_S)


def plan_of(run_dir: RunDirectory, timeout_s: float) -> ShutdownPlan:
    """Ask the kernel what it runs; give how that stops, and how long it may take."""
    with connection(run_dir, min(timeout_s, ANSWER_S)) as client:
        return shutdown_plan(tree_of(client.spec().spec))


def _patience_s(invocation: Invocation, plan: ShutdownPlan) -> float:
    """Give how long to wait for the end: as long as the plan takes, unless the user has said it."""
    if invocation.given_timeout_s is not None or plan.bound_s is None:
        return invocation.timeout_s
    return max(invocation.timeout_s, plan.bound_s + SPARE_S)


def stop_tree(run_dir: RunDirectory, timeout_s: float, *, now: bool) -> list[int]:
    """Ask the kernel to stop; give the pids that have ended. Raises `TimedOutError` with those that have not."""
    with connection(run_dir, min(timeout_s, ANSWER_S)) as client, HeldProcesses() as held:
        pong = client.ping()
        # Held before the stop begins, so that no pid can have become somebody else's.
        for pid in (pong.kernel, pong.warden, *_pids_of_tree(client.tree().tree.root.walk())):
            held.hold(pid)
        client.stop(now=now)
        return _wait(held, timeout_s)


def _with_advice(error: UnavailableError | AskTimeoutError) -> Exception:
    """Give the error for a kernel that cannot be asked to stop; a silent one has been advised about already."""
    if isinstance(error, UnavailableError):
        return error
    return TimedOutError(f"{error}: it is hung, or very busy; `symphony down --now` ends it without asking")


def _pids_of_tree(actors: Iterable[ActorSnapshot]) -> Iterator[int]:
    for actor in actors:
        if actor.pid is not None:
            yield actor.pid
        if actor.os_process is not None:
            yield actor.os_process.pid


def _wait(held: HeldProcesses, timeout_s: float) -> list[int]:
    if left := held.wait_gone(timeout_s):
        pids = ", ".join(map(str, left))
        raise TimedOutError(f"still running after {timeout_s:g} s: pid {pids}; `symphony down --now` kills")
    return held.pids


def end_silent_tree(run_dir: RunDirectory, timeout_s: float) -> list[int]:
    """Kill a warden whose kernel does not answer, and all below it; then remove the sockets that were left."""
    import psutil

    holder = run_dir.holder()
    owner = next((pid for pid in (holder.warden, holder.kernel) if _has_open(pid, run_dir.path / "lock")), 0)
    if not owner:
        raise RefusedError(f"{run_dir.path} is in use, but not by the process that its lock file names: nothing was killed")
    with HeldProcesses([owner]) as held:
        below = [child.pid for child in psutil.Process(owner).children(recursive=True)]
        for pid in below:
            held.hold(pid)
        note(f"kernel pid {holder.kernel} does not answer: killing it, warden pid {holder.warden} and all below")
        for pid in (owner, holder.kernel):
            held.kill(pid)
        for pid in held.wait_gone(min(LEAVE_WAIT_S, timeout_s)):
            held.kill(pid)
        ended = _wait(held, timeout_s)
    try:
        run_dir.claim()
    except RunDirectoryBusyError:
        return ended  # somebody has started a new one: its own affair
    run_dir.tidy()
    run_dir.release()
    return ended


def _has_open(pid: int, file: Path) -> bool:
    """Tell whether the process has `file` open: a lock file may name a pid that has become somebody else's since."""
    if pid <= 0:
        return False
    try:
        wanted = file.stat()
        return any(os.path.samestat(wanted, entry.stat()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.exists())
    except OSError:
        return False
