"""What is left when the kernel is killed, and how soon there is another tree.

Method. Below the kernel is a node whose actor has a child program and a daemon: a grandchild in a session of its own whose
parent has left. The kernel is killed by SIGKILL; the time runs until none of the processes that were there lives any more, and
until a new kernel says that its whole tree runs. A tree anew each time, since a warden gives up after more than three deaths in
a minute.
"""

import os
import signal
import tempfile
import time
from pathlib import Path

import psutil

from actors.runtime.control.client import ControlClient
from actors.runtime.errors import ActorRuntimeError

from .report import NotMeasuredError, below, row_of
from .restart_part import Part, alive, wait_until
from .running_tree import tree_process

GONE_MS, RUNNING_MS = 2000.0, 5000.0
LEAST_BELOW = 4
"""Kernel, node, child program and daemon: with fewer, nothing would be shown."""


def kernel_deaths(rounds: int) -> Part:
    """Kill the kernel of `rounds` trees."""
    gone, running = [], []
    for _ in range(rounds):
        gone_ms, running_ms = _kill_kernel()
        gone.append(gone_ms)
        running.append(running_ms)
    return Part(
        (
            row_of("symphony kernel", "SIGKILL to all descendants gone", "ms", gone),
            row_of("symphony kernel", "SIGKILL to new tree running", "ms", running),
        ),
        (
            below("kernel killed: all descendants gone, worst", GONE_MS, "ms", max(gone)),
            below("kernel killed: new tree running, worst", RUNNING_MS, "ms", max(running)),
        ),
    )


def _kill_kernel() -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run_dir = Path(folder) / "run"
        with tree_process(run_dir, "family") as warden:
            socket = run_dir / "control.sock"
            kernel = _kernel_of(socket)
            old = psutil.Process(warden.pid).children(recursive=True)
            if len(old) < LEAST_BELOW:
                raise NotMeasuredError(f"only {len(old)} processes were below the warden: no family to lose")
            killed_at = time.monotonic()
            os.kill(kernel, signal.SIGKILL)
            wait_until(lambda: not alive(old), "descendants of a killed kernel lived on")
            gone_ms = (time.monotonic() - killed_at) * 1000
            wait_until(lambda: _kernel_of(socket) not in (0, kernel), "there was no new tree")
            return gone_ms, (time.monotonic() - killed_at) * 1000


def _kernel_of(socket: Path) -> int:
    """Give the pid of the kernel whose whole tree runs, 0 where there is none."""
    try:
        with ControlClient(socket, timeout_s=2.0) as client:
            pong = client.ping()
    except ActorRuntimeError:
        return 0
    return pong.kernel if pong.ready else 0
