"""Corner cases of processes: what dead ones leave behind, who started them, and resources that run out."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from actors.runtime import Backoff, ChildSpec
from tests.support.actors_for_tests import Servant
from tests.support.marked import marked
from tests.support.process_ends import wait_until
from tests.support.wardens import are_gone, running_warden

ROOT = Path(__file__).parents[2]
GONE_S, HEALED_S = 2.0, 5.0
FULL = 1
"""No file may become longer than this, in bytes: a disk that is full, for whoever writes."""


def all_running(tree):
    return all(actor.state == "running" for actor in tree.root.walk())


def breed(warden):
    """Let the villain start a child and a daemon; gives them, after the tree has come up."""
    warden.wait_for_tree(all_running, HEALED_S)
    with warden.client() as client:
        return [psutil.Process(pid) for pid in client.ask("/villain", ["breed"])]


def test_the_kernel_is_killed_and_grandchildren_and_daemons_are_gone_with_the_rest(run_dir):
    with running_warden(run_dir, "villain") as warden:
        child, daemon = breed(warden)
        assert daemon.ppid() != psutil.Process(child.pid).ppid(), "it has left its parent"
        family = [process for process in marked("SYMPHONY_TEST_FLAG", str(run_dir / "flag")) if process.pid != warden.process.pid]
        assert {child.pid, daemon.pid} <= {process.pid for process in family}

        os.kill(warden.tree().root.pid, signal.SIGKILL)

        assert are_gone(family, GONE_S)
        warden.wait_for_tree(lambda tree: tree.root.incarnation == 2 and all_running(tree), HEALED_S)


def test_a_node_is_killed_and_its_grandchildren_and_daemons_are_ended_and_reaped(run_dir):
    with running_warden(run_dir, "villain") as warden:
        bred = breed(warden)
        os.kill(warden.tree().root.find("/villain").pid, signal.SIGKILL)

        assert are_gone(bred, HEALED_S)
        warden.wait_for_tree(lambda tree: tree.root.find("/villain").incarnation == 2 and all_running(tree), HEALED_S)
        wait_until(lambda: not any(process.is_running() for process in bred))
        zombies = [process for process in warden.descendants() if process.status() == psutil.STATUS_ZOMBIE]
        assert zombies == []


def test_the_warden_is_killed_and_grandchildren_and_daemons_are_gone_with_the_rest(run_dir):
    with running_warden(run_dir, "villain") as warden:
        breed(warden)
        family = marked("SYMPHONY_TEST_FLAG", str(run_dir / "flag"))

        warden.process.kill()

        assert are_gone([process for process in family if process.pid != warden.process.pid], GONE_S)


def test_a_node_outlives_the_thread_that_asked_for_it(system, types_at):
    """Had that thread made the process, the kernel's parent-death signal would end it now."""
    refs = []
    thread = threading.Thread(target=lambda: refs.append(system.spawn(Servant, name="s", process=True)))
    thread.start()
    thread.join(10)
    assert not thread.is_alive()

    assert refs[0].ask(["who"])["incarnation"] == 1
    assert types_at(system, "/s", "actor.exited") == []


BE_A_NODE = """
import socket, sys
from actors.runtime.node_process.main import run_node
run_node(socket.socket(fileno=int(sys.argv[1])))
"""


@pytest.mark.parametrize("goes", ["before", "after"])
def test_a_parent_that_goes_while_its_node_is_made_takes_the_node_along(goes):
    """There is no moment too early: the end of the channel is there whenever the node looks."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-P", "-c", BE_A_NODE, str(theirs.fileno())]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    if goes == "before":
        ours.close()
    with theirs, subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environ) as node:
        theirs.close()
        ours.close()
        try:
            assert node.wait(HEALED_S) == 1
        finally:
            node.kill()


def test_a_kill_that_comes_after_the_death_reaches_nobody(system, events):
    """Its pid may be another's by then; a descriptor of the process cannot be."""
    backoff = Backoff(min=60, max=60, jitter=0)
    ref = system.spawn(ChildSpec("s", Servant, kwargs={"lives": ["ok", "raise", "ok"]}, process=True, backoff=backoff))
    bystander = system.spawn(Servant, name="b", process=True)
    before = bystander.ask(["who"])["pid"]
    ref.tell(["exit", 0])
    events.expect("actor.restart_scheduled", "/s")

    for _ in range(3):
        system.kill_node("/s")

    assert bystander.ask(["who"])["pid"] == before
    assert system.snapshot().root.find("/s").state == "restarting"


MANY_RESTARTS = """
import json, sys
from pathlib import Path
import psutil
from actors.runtime import ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant
from tests.support.leaks import Held

def held(folder):
    now, me = Held.now(), psutil.Process()
    return {
        "zombies": sum(child.status() == psutil.STATUS_ZOMBIE for child in me.children(recursive=True)),
        "threads": len(now.threads),
        "processes": len(me.children(recursive=True)),
        "descriptors": len(now.descriptors),
        "files": sum(1 for path in folder.rglob("*") if not path.is_dir()),
        "shared": sum(1 for _ in Path("/dev/shm").iterdir()),
        "resident": me.memory_info().rss,
    }

child = ChildSpec("s", Servant, process=True, backoff=Backoff(min=0, max=0))
with ActorSystem("many", SupervisorSpec("root", [child], intensity=100_000, period=1.0)) as system:
    events = EventProbe(system.events)
    for incarnation in range(2, 202):
        system.ref("/s").tell(["exit", 3])
        events.expect("actor.restarted", "/s", incarnation=incarnation)
        if incarnation in (40, 201):
            system.ref("/s").ask(["who"])
            print(json.dumps(held(system._run_dir.path)))
    events.close()
"""
SLACK = {"descriptors": 3, "shared": 3, "resident": 16 * 1024 * 1024}


def test_hundreds_of_restarts_leave_no_zombie_descriptor_thread_or_file():
    """The long form of this is `python -m benchmarks restart`."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", MANY_RESTARTS]

    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr
    early, late = (json.loads(line) for line in done.stdout.splitlines())
    assert late["zombies"] == 0
    assert {key: (early[key], late[key]) for key in late if late[key] > early[key] + SLACK.get(key, 0)} == {}


RESTART_WITHOUT_DESCRIPTORS = """
import os, resource, signal
from actors.runtime import ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant

child = ChildSpec("s", Servant, process=True, backoff=Backoff(min=0.02, max=0.05))
with ActorSystem("t", SupervisorSpec("root", [child], intensity=100_000, period=1.0)) as system:
    events = EventProbe(system.events)
    here = system.spawn(Servant, name="here")
    pid = system.ref("/s").ask(["who"])["pid"]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    held = []
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    os.kill(pid, signal.SIGKILL)
    for _ in range(20):
        os.close(held.pop())
        try:
            held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        failed = events.expect("actor.exited", "/s")
        if failed.fields["reason"] == "start_failed":
            break
    print(failed.fields["error"])
    print(here.ask(["who"])["incarnation"], system.snapshot().root.find("/s").state)
    for fd in held:
        os.close(fd)
    events.expect("actor.restarted", "/s")
    print(system.ref("/s").ask(["who"])["path"])
    events.close()
"""


def test_no_descriptor_is_free_for_a_restart_and_it_is_tried_again_until_there_is_one():
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", RESTART_WITHOUT_DESCRIPTORS], env=environ, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stderr
    problem, meanwhile, back = done.stdout.splitlines()[-3:]
    assert problem.startswith("cannot start a process: OSError: [Errno 24]")
    assert meanwhile == "1 restarting"
    assert back == "/s"


def test_a_disk_that_is_full_keeps_nobody_from_being_restarted(run_dir):
    with running_warden(run_dir, "villain") as warden:
        before = warden.wait_for_tree(all_running, HEALED_S)
        for process in [psutil.Process(before.root.pid), *psutil.Process(before.root.pid).children(recursive=True)]:
            process.rlimit(resource.RLIMIT_FSIZE, (FULL, FULL))
        os.kill(before.root.find("/villain").pid, signal.SIGKILL)

        after = warden.wait_for_tree(lambda tree: tree.root.find("/villain").incarnation == 2 and all_running(tree), HEALED_S)

        assert after.root.pid == before.root.pid
        with warden.client() as client:
            assert client.ask("/villain", ["return", 5]) == 5
