"""A warden in a process of its own, for tests that kill it, its kernel or its nodes.

Run as a script (`python -P -m tests.support.wardens RUN_DIR NAME`), it is the warden of the tree with that name below.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from msgspec import structs

from actors.runtime import ChildSpec, SupervisorSpec
from actors.runtime.control.client import ControlClient
from actors.runtime.errors import ActorRuntimeError, RunDirectoryBusyError
from actors.runtime.kernel.plan import KernelPlan
from actors.runtime.snapshot import TreeSnapshot
from actors.runtime.supervision.spec import encode_spec
from actors.runtime.warden.kernel_process import KERNEL_MODULE
from actors.runtime.warden.warden import Surroundings, run_warden
from tests.support import crash_points

ROOT = Path(__file__).parents[2]
PACKAGES = ("symphony", "actors", "adapters", "xi")
CONDUCTOR = "actors.conductor:ConductorActor"
VILLAIN = "tests.support.villains:Villain"
BOUND_S = 10.0


def trees() -> dict[str, SupervisorSpec]:
    """The trees that tests run."""
    engine = SupervisorSpec("engine", process=True, children=[ChildSpec("conductor", CONDUCTOR)])
    sturdy = {"intensity": 20, "period": 60.0, "on_exhausted": "park"}
    return {
        "two_nodes": SupervisorSpec("root", **sturdy, children=[engine, ChildSpec("solo", CONDUCTOR, process=True)]),
        "no_such_actor": SupervisorSpec(
            "root", **sturdy, children=[engine, ChildSpec("bad", "actors.conductor:NoSuchActor", process=True)]
        ),
        "parent": SupervisorSpec(
            "root", **sturdy, children=[ChildSpec("parent", "tests.support.orphans:ParentActor", process=True)]
        ),
        "flagged": SupervisorSpec(
            "root",
            intensity=1,
            period=60.0,
            on_exhausted="park",
            children=[engine, ChildSpec("flagged", "tests.support.orphans:FlaggedActor", process=True)],
        ),
        "nested": SupervisorSpec("root", **sturdy, children=[_with_a_flagged("here"), _with_a_flagged("there", process=True)]),
        "stubborn": SupervisorSpec(
            "root", **sturdy, children=[ChildSpec("stubborn", "tests.support.orphans:StubbornActor", process=True, shutdown=0.5)]
        ),
        "solo": SupervisorSpec("root", **sturdy, children=[ChildSpec("solo", CONDUCTOR, process=True)]),
        "villain": SupervisorSpec("root", **sturdy, children=[engine, ChildSpec("villain", VILLAIN, process=True, shutdown=0.5)]),
        "breakable": SupervisorSpec("root", **sturdy, children=[_breakable("one"), _breakable("two")]),
        "deep": SupervisorSpec("root", **sturdy, children=[SupervisorSpec("outer", [_with_a_stuck_leaf()])]),
    }


def _with_a_flagged(name: str, *, process: bool = False) -> SupervisorSpec:
    flagged = ChildSpec("flagged", "tests.support.orphans:FlaggedActor", process=not process)
    return SupervisorSpec(name, [flagged], process=process, intensity=1, period=60.0, on_exhausted="park")


def _breakable(name: str) -> ChildSpec:
    return ChildSpec(name, "tests.support.breakable:BreakableActor", process=True, hang_after=0.5, heartbeat_timeout=1.0)


def _with_a_stuck_leaf() -> SupervisorSpec:
    stuck = ChildSpec("stuck", "tests.support.orphans:StubbornActor", shutdown=0.3)
    parent = ChildSpec("parent", "tests.support.orphans:ParentActor", shutdown=0.3)
    return SupervisorSpec("inner", [stuck, parent], process=True)


def main(run_dir: str, name: str) -> int:
    """Be the warden; prints `ready`, then how it ended. Its kernels and nodes may die where the test's crash points say."""
    plan = KernelPlan(name, run_dir, encode_spec(trees()[name]), PACKAGES, allow_fault_injection=name == "breakable")
    around = Surroundings(kernel_module=os.environ.get("SYMPHONY_TEST_KERNEL", KERNEL_MODULE))
    if crash_points.CrashPoints().are_wanted():
        plan = structs.replace(plan, node_main=crash_points.NODE_MAIN)
        around = Surroundings(kernel_module=crash_points.KERNEL_MODULE)
    try:
        end = run_warden(plan, on_ready=lambda _: print("ready", flush=True), around=around)  # noqa: T201  # what the test reads
    except RunDirectoryBusyError as error:
        print(f"busy {error.holder}", flush=True)  # noqa: T201
        return 6
    print("ended" if end.ok else f"failed {end.problem}", flush=True)  # noqa: T201
    return 0 if end.ok else 1


class RunningWarden:
    """A warden's process and its run directory."""

    def __init__(self, run_dir: Path, name: str) -> None:
        self.run_dir = run_dir
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SYMPHONY_TEST_FLAG": str(run_dir / "flag")}
        command = [sys.executable, "-P", "-m", "tests.support.wardens", str(run_dir), name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True)

    def read_line(self) -> str:
        """Give the next line that the warden prints; a timer ends one that prints nothing."""
        timer = threading.Timer(BOUND_S, self.process.kill)
        timer.start()
        try:
            return self.process.stdout.readline().strip()
        finally:
            timer.cancel()

    def client(self) -> ControlClient:
        return ControlClient(self.run_dir / "control.sock")

    def tree(self) -> TreeSnapshot:
        with self.client() as client:
            return client.tree().tree

    def wait_for_tree(self, holds: Callable[[TreeSnapshot], bool], within_s: float) -> TreeSnapshot:
        """Look at the tree until `holds` of it."""
        last: list[TreeSnapshot] = []

        def look() -> bool:
            try:
                last[:] = [self.tree()]
            except ActorRuntimeError:
                return False
            return holds(last[0])

        assert wait_until(look, within_s), last
        return last[0]

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def running_warden(run_dir: Path, name: str) -> Iterator[RunningWarden]:
    """A warden that is ready; nothing of it is left afterwards."""
    warden = RunningWarden(run_dir, name)
    family = [psutil.Process(warden.process.pid)]
    try:
        assert warden.read_line() == "ready"
        family += warden.descendants()
        yield warden
    finally:
        with warden.process:
            if warden.process.poll() is None:
                family += warden.descendants()
                warden.process.terminate()
            psutil.wait_procs([psutil.Process(warden.process.pid)] if warden.process.poll() is None else [], BOUND_S)
            for left in family:
                if left.is_running():
                    left.kill()


def wait_until(holds: Callable[[], bool], within_s: float) -> bool:
    """Tell whether `holds` becomes true within the bound."""
    pace = threading.Event()
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        pace.wait(0.02)
    return True


def are_gone(processes: list[psutil.Process], within_s: float) -> bool:
    """Tell whether all of them have ended within the bound; a zombie has."""

    def ended() -> bool:
        return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)

    def look() -> bool:
        try:
            return ended()
        except psutil.NoSuchProcess:
            return False

    return wait_until(look, within_s)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
