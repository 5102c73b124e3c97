"""A running tree for benchmarks, in processes of its own.

Run as a script (`python -P -m benchmarks.running_tree RUN_DIR NAME`), it is the warden of the tree with that name.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.runtime.control.client import ControlClient
from actors.runtime.warden.warden import Surroundings, run_warden

from .report import NotMeasuredError
from .restart_trees import plan_of

ROOT = Path(__file__).parents[1]
TEMPORARY = "tmp"


def main(run_dir: str, name: str) -> int:
    """Be the warden; prints `ready`."""
    quiet = Surroundings(say=lambda _: None)
    return 0 if run_warden(plan_of(name, run_dir), on_ready=lambda _: print("ready", flush=True), around=quiet).ok else 1


@contextmanager
def running_tree(name: str) -> Iterator[ControlClient]:
    """Start a tree in a temporary folder and give a client of its kernel; stop it afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run_dir = Path(folder) / "run"
        with tree_process(run_dir, name), ControlClient(run_dir / "control.sock", timeout_s=10.0) as client:
            yield client


@contextmanager
def tree_process(run_dir: Path, name: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a tree in `run_dir` and give its warden once the tree is up; stop it afterwards.

    Its temporary files go to the folder `tmp` beside the run directory, where nobody else's are.
    """
    temporary = run_dir.parent / TEMPORARY
    temporary.mkdir()
    command = [sys.executable, "-P", "-m", "benchmarks.running_tree", str(run_dir), name]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as warden:
        try:
            if warden.stdout is None or warden.stdout.readline().strip() != "ready":
                raise NotMeasuredError(f"the tree {name!r} did not start")
            yield warden
        finally:
            warden.terminate()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
