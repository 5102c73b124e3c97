"""A warden whose kernel hangs in a part, cannot start for a while, reads nothing, or is stopped when the warden itself dies."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from textwrap import dedent

import psutil
import pytest

from actors.runtime import ChildSpec, SupervisorSpec
from actors.runtime.control.client import ControlClient
from actors.runtime.kernel.plan import KernelPlan
from actors.runtime.supervision.spec import encode_spec
from actors.runtime.warden.kernel_process import KernelProcess
from tests.support.own_trees import Foreground, short_run_dir
from tests.support.wardens import CONDUCTOR, ROOT, are_gone, running_warden

BOUND_S = 20.0
GONE_S = 4.0


@pytest.fixture
def run_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("w")


@pytest.fixture
def odd_kernel(monkeypatch):
    monkeypatch.setenv("SYMPHONY_TEST_KERNEL", "tests.support.odd_kernels")


def is_up(tree):
    return all(actor.state == "running" for actor in tree.root.walk())


def test_a_plan_larger_than_a_pipe_does_not_hold_the_warden_up_where_the_kernel_reads_nothing(tmp_path, monkeypatch):
    (tmp_path / "deaf.py").write_text("import signal\nsignal.pause()\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    spec = encode_spec(SupervisorSpec("root", [ChildSpec(f"c{number}", CONDUCTOR) for number in range(1000)]))
    assert len(spec) > 64 * 1024
    made = []
    with contextlib.ExitStack() as cleanup:
        lock_fd = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
        cleanup.callback(os.close, lock_fd)
        maker = threading.Thread(
            target=lambda: made.append(KernelProcess(KernelPlan("t", str(tmp_path), spec), lock_fd, "deaf")), daemon=True
        )
        maker.start()
        maker.join(BOUND_S)

        assert made
        made[0].kill()
        assert made[0].reap() == -signal.SIGKILL
        made[0].close()


@pytest.mark.parametrize("part", ["root", "watcher"])
def test_a_kernel_whose_part_hangs_is_replaced(run_dir, odd_kernel, part):
    with running_warden(run_dir, "solo") as warden:
        before = warden.wait_for_tree(is_up, BOUND_S)
        (run_dir / "flag").write_text(part)
        os.kill(before.root.find("/solo").pid, signal.SIGKILL)

        warden.wait_for_tree(lambda tree: tree.root.pid != before.root.pid and is_up(tree), BOUND_S)


def test_kernels_that_cannot_start_are_given_a_moment_and_the_last_one_s_reason_is_told(run_dir, odd_kernel):
    with running_warden(run_dir, "solo") as warden:
        kernel = warden.wait_for_tree(is_up, BOUND_S).root.pid
        (run_dir / "flag").write_text("refuse")
        os.kill(kernel, signal.SIGKILL)
        began = time.monotonic()
        line = warden.read_line()

        assert time.monotonic() - began > 2.4
    assert "the kernel died 4 times" in line
    assert "no room for a kernel" in line


def test_a_kernel_that_is_stopped_when_its_warden_is_killed_ends_with_everything(run_dir):
    with running_warden(run_dir, "two_nodes") as warden:
        kernel = warden.wait_for_tree(is_up, BOUND_S).root.pid
        family = warden.descendants()
        os.kill(kernel, signal.SIGSTOP)
        assert psutil.Process(kernel).status() == psutil.STATUS_STOPPED
        warden.process.kill()

        assert are_gone(family, GONE_S)


ENDING = """
    import os, subprocess, sys
    import psutil
    from actors.runtime.warden.descendants import end_descendants

    real, failures = psutil.Process.children, []

    def children(self, recursive=False):
        if len(failures) < 3:
            failures.append(1)
            raise OSError(23, "Too many open files in system")
        return real(self, recursive)

    psutil.Process.children = children
    lasting = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    failing = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
    os.waitid(os.P_PID, failing.pid, os.WEXITED | os.WNOWAIT)
    end_descendants(0.0, failing)
    print(len(failures), psutil.pid_exists(lasting.pid), failing.poll())
"""


def test_descendants_that_cannot_be_listed_for_a_moment_are_ended_and_the_status_of_the_warden_s_own_is_kept():
    done = subprocess.run(
        [sys.executable, "-P", "-c", dedent(ENDING)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        check=False,
    )
    assert done.stdout.split() == ["3", "False", "7"], done.stderr


SHORT_OF_CHANCES = """
    from actors.runtime import Actor, ChildSpec, SupervisorSpec

    class Fine(Actor):
        pass

    tree = SupervisorSpec("short", [ChildSpec("fine", Fine, process=True)], intensity=0)
"""


def test_a_kernel_whose_root_fails_says_which_child_it_was_and_how_that_ended(tmp_path):
    (tmp_path / "short.py").write_text(dedent(SHORT_OF_CHANCES))
    with short_run_dir() as place, Foreground(place, tmp_path, "short:tree") as up:
        up.read_until(up.process.stdout, "ready in")
        with ControlClient(place.control_socket) as client:
            client.kill("/fine")

        assert "/fine used up its restarts: " in up.read_until(up.process.stderr, "the kernel ended with exit code 1")
        up.process.send_signal(signal.SIGTERM)
        up.process.wait(BOUND_S)
