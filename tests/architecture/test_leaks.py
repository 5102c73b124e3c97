"""The check that runs after every test finds what a test leaves behind, and blames nothing else."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import psutil

from tests.support.leaks import SPARE_DESCRIPTORS, Held, left_behind, survivors

WAIT_FOR_EVER = [sys.executable, "-S", "-c", "import signal; signal.pause()"]


def runs(pid):
    """A zombie does not: its parent has yet to bury it."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_running_thread_is_found():
    before, release = Held.now(), threading.Event()
    thread = threading.Thread(target=release.wait, name="forgotten")
    thread.start()
    try:
        assert left_behind(before, grace_s=0.01) == ["thread 'forgotten'"]
    finally:
        release.set()
        thread.join()


def test_a_thread_that_is_about_to_end_is_waited_for():
    before, release = Held.now(), threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    release.set()

    assert left_behind(before, grace_s=10) == []


def test_a_child_process_is_found_and_killed():
    before = Held.now()
    with subprocess.Popen(WAIT_FOR_EVER) as child:
        (line,) = left_behind(before, grace_s=0.01)

        assert line.startswith(f"process {child.pid}: ")
        assert not runs(child.pid)


def test_a_process_of_the_forkserver_is_found_and_the_forkserver_is_not():
    context = multiprocessing.get_context("forkserver")
    before = Held.now()
    child = context.Process(target=signal.pause)
    child.start()
    try:
        lines = [line for line in left_behind(before, grace_s=0.01) if line.startswith("process")]

        assert len(lines) == 1
        assert lines[0].startswith(f"process {child.pid}: ")
    finally:
        child.join()
        child.close()

    assert left_behind(before, grace_s=0.01) == []


def test_a_fixture_of_wider_scope_may_replace_its_process():
    """A fault test kills a node that a module's fixture holds, and another takes its place."""
    with subprocess.Popen(WAIT_FOR_EVER) as first:
        before = Held.now()
        first.kill()
        first.wait()
        with subprocess.Popen(WAIT_FOR_EVER) as second:
            try:
                assert left_behind(before, grace_s=0.01) == []
            finally:
                second.kill()


def test_open_descriptors_are_found_and_named():
    before = Held.now()
    with ExitStack() as stack:
        for _ in range(SPARE_DESCRIPTORS + 1):
            stack.enter_context(Path(os.devnull).open("rb"))
        lines = left_behind(before, grace_s=0.01)

    assert len(lines) == SPARE_DESCRIPTORS + 1
    assert all(line.endswith(os.devnull) for line in lines)


def test_a_process_that_no_longer_descends_from_us_is_found_by_its_environment():
    """A shell starts it and ends: init adopts it, as it would a daemon."""
    environ = {**os.environ, "SYMPHONY_LEAK_PROBE": "this one"}
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" >&- 2>&- & echo $!', "sh", *WAIT_FOR_EVER],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    orphan = int(done.stdout)

    (line,) = survivors("SYMPHONY_LEAK_PROBE", "this one", grace_s=0.01)

    assert line.startswith(f"process {orphan}: ")
    assert "test_a_process_that_no_longer_descends_from_us" in line
    assert not runs(orphan)
