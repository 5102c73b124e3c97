"""Whether a storm of restarts wears the supervisor out.

Method. Twenty children fail 50 ms after they are ready, again and again, and each is restarted after a back-off of 0.1 s that
does not grow: once as actors of one node, some 130 restarts a second in the node's own process, and once as processes, as many
as the machine can start. The process in which their supervisor lives is held against its CPU time: for actors that is the node,
and has the failing in it; for processes it is the kernel. Meanwhile `symphony status` is run, as a user would, once a second.

Then processes again, below a supervisor with a limit of 50 restarts: it must give up at exactly the 51st failure.
"""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from actors.runtime.control.client import ControlClient
from actors.runtime.event import Event
from actors.runtime.snapshot import ActorSnapshot

from .report import NotMeasuredError, below, row_of
from .restart_part import Part, equal_to, events_since, wait_until
from .restart_trees import GO, STORM_CHILDREN, STORM_LIMIT
from .running_tree import tree_process

CPU_SHARE, ANSWER_MS = 20.0, 500.0
EVERY_S = 1.0


def storm(tree: str, seconds: float) -> Part:
    """Let the storm of that tree rage for so many seconds."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run_dir = Path(folder) / "run"
        with tree_process(run_dir, tree):
            supervisor = _supervisor(run_dir)
            (run_dir / GO).touch()
            before, lives_before = _cpu_s(supervisor), _lives(run_dir)
            started = time.monotonic()
            answered = _answers_ms(run_dir, started + seconds)
            took = time.monotonic() - started
            share = (_cpu_s(supervisor) - before) / took * 100
            restarts = (_lives(run_dir) - lives_before) / took
    named = tree.replace("_", " ")
    return Part(
        (
            row_of(named, "supervisor's CPU, share of a core", "%", [share]),
            row_of(named, "restarts", "1/s", [restarts]),
            row_of(named, "`symphony status`", "ms", answered),
        ),
        (
            below(f"{named}: supervisor's CPU, share of a core", CPU_SHARE, "%", share),
            below(f"{named}: `symphony status`, worst", ANSWER_MS, "ms", max(answered)),
        ),
    )


def limited_storm() -> Part:
    """Let a storm rage below a supervisor with a limit."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run_dir = Path(folder) / "run"
        with (
            tree_process(run_dir, "limited_storm_of_processes"),
            ControlClient(run_dir / "control.sock", timeout_s=30.0) as client,
        ):
            (run_dir / GO).touch()
            wait_until(lambda: bool(_escalated(client)), "the supervisor did not give up")
            last = _escalated(client)[0].seq
            failures = [event for event in events_since(client, 0) if event.type == "actor.exited" and event.seq < last]
    return Part(
        (), (equal_to(f"storm: failures at which a limit of {STORM_LIMIT} escalates", STORM_LIMIT + 1, "", len(failures)),)
    )


def _escalated(client: ControlClient) -> list[Event]:
    return [event for event in events_since(client, 0) if event.type == "supervisor.escalated" and event.path == "/storm"]


def _answers_ms(run_dir: Path, until: float) -> list[float]:
    figures: list[float] = []
    pacing = threading.Event()
    while time.monotonic() < until:
        asked_at = time.monotonic()
        command = [sys.executable, "-P", "-m", "symphony", "status", "--run-dir", str(run_dir)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False, timeout=60.0)
        figures.append((time.monotonic() - asked_at) * 1000)
        pacing.wait(EVERY_S)
    return figures


def _supervisor(run_dir: Path) -> psutil.Process:
    """Give the process in which the storm's supervisor lives."""
    found = _storm_of(run_dir)
    if found is None or found.pid is None:
        raise NotMeasuredError("/storm has no process")
    return psutil.Process(found.pid)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _lives(run_dir: Path) -> int:
    found = _storm_of(run_dir)
    if found is None or len(found.children) != STORM_CHILDREN:
        raise NotMeasuredError("the storm's children are not all there")
    return sum(child.incarnation for child in found.children)


def _storm_of(run_dir: Path) -> ActorSnapshot | None:
    # A connection for each look: a kernel closes one on which nothing is said for a minute.
    with ControlClient(run_dir / "control.sock", timeout_s=30.0) as client:
        return client.tree().tree.root.find("/storm")
