"""What a dead node leaves behind is found by its session, given the time that it was granted, and ended."""

import os
import signal
import subprocess
import sys

import pytest

from actors.runtime.node.mark import NODE_MARK, mark_of, variable_of
from actors.runtime.node.orphans import LEAVES_WITHIN, MOST_GRACE_S, Orphans, children_of, granted_s, members_of
from tests.support.process_ends import gone, has_ended

SLEEPER = "import signal, sys; print('there', flush=True); signal.pause()"
LEADER = f"""
import os, subprocess, sys
left = subprocess.Popen([sys.executable, "-I", "-c", {SLEEPER!r}], stdout=subprocess.PIPE)
left.stdout.readline()
print(left.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def orphans():
    orphans = Orphans(dict, adopts=False)
    yield orphans
    orphans.close()


@pytest.fixture
def left_behind():
    """A dead leader of a session, and what it has left in it."""
    command = [sys.executable, "-I", "-c", LEADER]
    leader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    child = int(leader.stdout.readline())
    leader.kill()
    leader.communicate()
    yield leader.pid, child
    if not has_ended(child):
        os.kill(child, signal.SIGKILL)


def test_what_is_left_of_a_session_is_found_and_ended(orphans, left_behind):
    leader, child = left_behind
    assert members_of({leader}) == {child: leader}

    orphans.node_died(leader)

    gone({child})


def test_who_is_in_no_dead_session_is_left_alone(orphans, left_behind):
    leader, child = left_behind
    bystander = subprocess.Popen([sys.executable, "-I", "-c", SLEEPER], stdout=subprocess.PIPE, start_new_session=True)
    bystander.stdout.readline()

    orphans.node_died(leader)
    gone({child})

    assert bystander.poll() is None
    bystander.kill()
    bystander.communicate()


@pytest.mark.parametrize(("value", "granted"), [("1.5", 1.5), ("3600", MOST_GRACE_S), ("-1", 0.0), ("soon", None)])
def test_the_environment_grants_time_within_bounds(value, granted):
    environment = {**os.environ, LEAVES_WITHIN: value}
    process = subprocess.Popen([sys.executable, "-I", "-c", SLEEPER], stdout=subprocess.PIPE, env=environment)
    process.stdout.readline()

    assert granted_s(process.pid) == granted
    assert process.pid in children_of(os.getpid())
    process.kill()
    process.communicate()


def test_a_process_that_is_gone_has_nothing(left_behind):
    _, child = left_behind
    os.kill(child, signal.SIGKILL)
    gone({child})

    assert granted_s(child) is None
    assert children_of(child) == set()


TAKES_ITS_TIME = """
import pathlib, signal, sys, threading
print('there', flush=True)
sys.stdin.read()
threading.Event().wait(0.5)
pathlib.Path(sys.argv[1]).touch()
"""
LEADER_OF_A_SLOW_ONE = f"""
import subprocess, sys
command = [sys.executable, "-I", "-c", {TAKES_ITS_TIME!r}, sys.argv[1]]
left = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
left.stdout.readline()
print(left.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(("granted", "has_left"), [("2.5", True), ("0", False)])
def test_closing_lets_what_is_left_have_the_time_that_it_was_granted(tmp_path, granted, has_left):
    orphans = Orphans(dict, adopts=False)
    command = [sys.executable, "-I", "-c", LEADER_OF_A_SLOW_ONE, str(tmp_path / "left")]
    environ = {**os.environ, LEAVES_WITHIN: granted}
    leader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, env=environ)
    child = int(leader.stdout.readline())
    leader.kill()
    leader.communicate()

    orphans.node_died(leader.pid)
    orphans.close()

    gone({child})
    assert (tmp_path / "left").exists() is has_left


def test_a_look_that_fails_is_not_the_last(left_behind):
    """Not even at the end: the thread ends in any case."""
    failures = [OSError(24, "Too many open files")] * 2

    def own():
        if failures:
            raise failures.pop()
        return {}

    leader, child = left_behind
    orphans = Orphans(own, adopts=False)
    orphans.node_died(leader)
    orphans.close()

    gone({child})
    assert not orphans._thread.is_alive()


def test_what_is_below_a_node_that_is_killed_is_known_although_it_has_left_its_session(orphans):
    command = [
        sys.executable,
        "-I",
        "-c",
        LEADER.replace("stdout=subprocess.PIPE", "stdout=subprocess.PIPE, start_new_session=True"),
    ]
    node = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    child = int(node.stdout.readline())

    orphans.node_doomed(node.pid)
    node.kill()
    node.communicate()
    orphans.node_died(node.pid)

    gone({child})


def test_a_process_is_known_by_the_mark_of_the_node_that_started_it():
    mark = mark_of("/engine", 3, 17)
    process = subprocess.Popen([sys.executable, "-I", "-c", SLEEPER], stdout=subprocess.PIPE, env={NODE_MARK: mark})
    process.stdout.readline()

    assert variable_of(process.pid, NODE_MARK) == mark
    process.kill()
    process.communicate()
    assert variable_of(process.pid, NODE_MARK) is None
