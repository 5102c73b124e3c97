"""A running tree of Symphony's for benchmarks, in processes of its own, in which every failure counts as a first one.

Run as a script (`python -P -m benchmarks.running_tree RUN_DIR`), it is the tree's warden.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from actors.runtime.control.client import ControlClient
from actors.runtime.supervision.spec import Backoff, SupervisorSpec, decode_spec, encode_spec
from actors.runtime.warden import run_warden
from symphony.bootstrap import kernel_plan
from symphony.settings import Settings

ROOT = Path(__file__).parents[1]


def main(run_dir: str) -> int:
    """Be the warden; prints `ready`."""
    plan = kernel_plan(Settings(run_dir=run_dir, state_dir=f"{run_dir}/state"))
    tree = decode_spec(plan.spec)
    assert isinstance(tree, SupervisorSpec)
    at_once = tuple(replace(child, backoff=Backoff(healthy_after=0.0)) for child in tree.children)
    tireless = replace(plan, spec=encode_spec(replace(tree, intensity=1_000_000, children=at_once)))
    return 0 if run_warden(tireless, on_ready=lambda _: print("ready", flush=True)).ok else 1


@contextmanager
def running_tree(run_dir: Path) -> Iterator[ControlClient]:
    """Start the tree and give a client of its kernel; stop it afterwards."""
    command = [sys.executable, "-P", "-m", "benchmarks.running_tree", str(run_dir)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as warden:
        try:
            if warden.stdout is None or warden.stdout.readline().strip() != "ready":
                raise RuntimeError("the tree did not start: see the logs in its run directory")
            with ControlClient(run_dir / "control.sock", timeout_s=10.0) as client:
                yield client
        finally:
            warden.terminate()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
