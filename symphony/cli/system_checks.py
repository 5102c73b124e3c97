"""Checks of the machine: what the system can do, whether the run directory may be used, and what an earlier run left."""

import multiprocessing
import os
from collections.abc import Iterator

from actors.runtime.control.client import ControlClient
from actors.runtime.errors import ActorRuntimeError, RunDirectoryError
from actors.runtime.run_directory import RunDirectory

from .finding import Finding

OURS = ("actors.runtime.kernel", "xi", "symphony")


def system_findings(run_dir: RunDirectory) -> Iterator[Finding]:
    """Look at the machine; nothing is left changed, but empty folders above a run directory that was not there."""
    yield _features()
    yield _directory(run_dir)
    yield _kernel(run_dir)
    yield _sockets(run_dir)
    yield _orphans()


def _features() -> Finding:
    missing = [name for name in ("pidfd_open", "eventfd") if not hasattr(os, name)]
    try:
        os.close(os.pidfd_open(os.getpid()))
        os.close(os.eventfd(0))
    except (AttributeError, OSError) as error:
        missing = missing or [str(error)]
    if "forkserver" not in multiprocessing.get_all_start_methods():
        missing.append("forkserver")
    if missing:
        return Finding(
            "operating system", f"lacks {', '.join(missing)}", "use Linux 5.3 or newer, outside sandboxes that forbid these"
        )
    return Finding("operating system", "has pidfd, eventfd and forkserver")


def _directory(run_dir: RunDirectory) -> Finding:
    was_there = run_dir.path.exists()
    try:
        run_dir.prepare()
    except RunDirectoryError as error:
        return Finding("run directory", str(error), "see what is said there, or use --run-dir DIR")
    if not was_there:
        run_dir.path.rmdir()
    return Finding("run directory", f"{run_dir.path} can be used")


def _kernel(run_dir: RunDirectory) -> Finding:
    if not run_dir.is_held():
        return Finding("kernel", "none is running, which is well")
    try:
        with ControlClient(run_dir.control_socket, timeout_s=2.0) as client:
            pong = client.ping()
    except ActorRuntimeError as error:
        pid = run_dir.holder().kernel or run_dir.holder().warden
        return Finding("kernel", f"pid {pid or 'unknown'} has the run directory but: {error}", "end it: `symphony down --now`")
    return Finding("kernel", f"pid {pong.kernel} answers")


def _sockets(run_dir: RunDirectory) -> Finding:
    nodes = run_dir.path / "nodes"
    left = [file.name for file in (*(nodes.iterdir() if nodes.is_dir() else ()), run_dir.control_socket) if file.exists()]
    if left and not run_dir.is_held():
        return Finding("sockets", f"{len(left)} were left in {run_dir.path}", "run `symphony up`, which removes them")
    return Finding("sockets", "none is left behind")


def _orphans() -> Finding:
    import psutil

    left = []
    for process in psutil.process_iter(["pid", "ppid", "cmdline", "uids"]):
        command = process.info["cmdline"] or []
        module = command[command.index("-m") + 1] if "-m" in command[:-1] else ""
        # A warden that was detached is init's child as well, and is none: it has no parent by design.
        is_warden = module == "symphony" and "up" in command
        if process.info["ppid"] == 1 and module in OURS and not is_warden and process.info["uids"].real == os.getuid():
            left.append(f"{process.info['pid']} ({module})")
    if left:
        return Finding("processes", f"without a parent: {', '.join(left)}", "end them: `kill PID`")
    return Finding("processes", "none is left behind")
