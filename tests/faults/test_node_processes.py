"""Processes of nodes and what starts them: each dies, stops or is refused at the worst moment, and the tree goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from actors.runtime import ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.node.launch import fork_server_pid
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant
from tests.support.orphans import ParentActor, StubbornActor
from tests.support.process_ends import gone
from tests.support.villains import Villain
from tests.support.wardens import are_gone, running_warden, wait_until

ROOT = Path(__file__).parents[2]
HEALED_S = 5.0
ORPHAN_GONE_S = 1.0
DETECTED_S = 0.05
KILLS = 5
"""The best of so many counts: a busy machine delays any one of them."""


@pytest.fixture
def servant(system):
    return system.spawn(ChildSpec("s", Servant, process=True, backoff=Backoff(min=0.02, max=0.05)))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_fork_server_is_killed_or_stopped_while_idle_and_the_next_node_has_another(servant, events, number):
    server, pid = fork_server_pid(), servant.ask(["who"])["pid"]
    os.kill(server, number)

    os.kill(pid, signal.SIGKILL)

    restarted = events.expect("actor.restarted", "/s", timeout=HEALED_S)
    assert restarted.fields["incarnation"] == 2, "no restart was used up by it"
    assert fork_server_pid() != server
    gone({server})


RESTART_WITH_A_FAULTY_FORK = """
import os, signal, sys
from pathlib import Path
from actors.runtime import ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant

fault, order = sys.argv[1], Path(os.environ["SYMPHONY_TEST_FORK"])
child = ChildSpec("s", Servant, process=True, backoff=Backoff(min=0.02, max=0.05))
root = SupervisorSpec("root", [child], intensity=100_000, period=1.0)
with ActorSystem("t", root, preload=["tests.support.faulty_fork"]) as system:
    events = EventProbe(system.events)
    pid = system.ref("/s").ask(["who"])["pid"]
    order.write_text(fault)
    os.kill(pid, signal.SIGKILL)
    if fault == "eagain":
        print(events.expect("actor.exited", "/s", reason="start_failed").fields["error"])
        order.unlink()
    incarnation = events.expect("actor.restarted", "/s").fields["incarnation"]
    print(incarnation, system.ref("/s").ask(["who"])["incarnation"])
    events.close()
"""


def restart_with(fault, tmp_path):
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "SYMPHONY_TEST_FORK": str(tmp_path / "fork")}
    command = [sys.executable, "-P", "-c", RESTART_WITH_A_FAULTY_FORK, fault]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("fault", ["kill", "stop"])
def test_the_fork_server_is_killed_or_stopped_during_a_spawn_and_the_node_is_started_all_the_same(fault, tmp_path):
    assert restart_with(fault, tmp_path) == ["2 2"]


def test_the_system_refuses_another_process_and_it_is_tried_again_until_it_does_not(tmp_path):
    problem, back = restart_with("eagain", tmp_path)

    assert problem.startswith("cannot start a process: StartError: the fork server was lost twice")
    assert int(back.split()[0]) > 2


SPAWN_WITHOUT_DESCRIPTORS = """
import os, resource, signal
from actors.runtime import ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant

def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True

def count():
    return sum(map(is_open, range(1000)))

child = ChildSpec("s", Servant, process=True, backoff=Backoff(min=0.001, max=0.002))
with ActorSystem("t", SupervisorSpec("root", [child], intensity=100_000, period=1.0)) as system:
    events = EventProbe(system.events)
    pid = system.ref("/s").ask(["who"])["pid"]
    resource.setrlimit(resource.RLIMIT_NOFILE, (8, 4096))
    os.kill(pid, signal.SIGKILL)
    left = []
    for number in range(15):
        failed = events.expect("actor.exited", "/s")
        if number == 5:
            left.append(count())
    left.append(count())
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    print(failed.fields["error"])
    print(left[1] - left[0])
    events.expect("actor.restarted", "/s")
    events.close()
"""


def test_no_descriptor_is_free_for_a_spawn_and_no_try_leaks_one():
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", SPAWN_WITHOUT_DESCRIPTORS]

    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    problem, leaked = done.stdout.splitlines()[-2:]
    assert problem.startswith("cannot start a process: OSError: [Errno 24]")
    assert int(leaked) <= 0


def test_the_watcher_of_the_nodes_ends_and_the_root_fails_rather_than_notice_no_death_any_more(events):
    with ActorSystem("blind", SupervisorSpec("root", on_exhausted="park")) as blind:
        blind.spawn(Servant, name="s", process=True)
        watcher = blind._host._watcher

        watcher.call(watcher._selector.close)

        ended = blind.ended.get(HEALED_S)
        assert (ended.reason, "the nodes are watched no more" in ended.error) == ("failed", True)


def test_a_daemon_of_a_living_node_is_left_alone_and_is_gone_soon_after_its_node(run_dir):
    with running_warden(run_dir, "villain") as warden, warden.client() as client:
        stray = psutil.Process(client.ask("/villain", ["daemon", False]))
        daemon = psutil.Process(client.ask("/villain", ["daemon", True]))

        assert are_gone([stray], HEALED_S), "it cannot be known whose it is"
        assert daemon.is_running()
        os.kill(warden.tree().root.find("/villain").pid, signal.SIGKILL)
        assert are_gone([daemon], ORPHAN_GONE_S)


def test_a_death_is_noticed_at_once_while_a_grandchild_holds_all_that_the_node_had_open():
    took, held = [], set()
    villain = ChildSpec("v", Villain, process=True, backoff=Backoff(healthy_after=0))
    with ActorSystem("t", SupervisorSpec("root", [villain], intensity=100)) as system:
        ref, events = system.ref("/v"), EventProbe(system.events)
        for incarnation in range(2, KILLS + 2):
            held.add(ref.ask(["fork"]))
            pid, killed_at = ref.ask(["who"])["pid"], time.time()

            os.kill(pid, signal.SIGKILL)

            took.append(events.expect("node.exited", "/v").at - killed_at)
            events.expect("actor.restarted", "/v", incarnation=incarnation)
        events.close()

    assert min(took) <= DETECTED_S
    gone(held)


def test_a_node_that_its_parent_kills_takes_along_a_child_with_a_session_of_its_own():
    """Here nobody adopts orphans, so it is found just before, or never."""
    system = ActorSystem("t")
    system.spawn(ParentActor, name="p", process=True)
    events = EventProbe(system.events)
    child = system.snapshot().root.find("/p").os_process.pid

    system.kill_node("/p")

    events.expect("actor.restarted", "/p")
    gone({child})
    child = system.snapshot().root.find("/p").os_process.pid
    system.close()
    gone({child})
    events.close()


def test_a_stop_that_takes_three_quarters_of_its_time_is_hurried_and_the_node_says_so_itself(system, events):
    system.spawn(StubbornActor, name="stubborn", process=True, shutdown=2.0)
    began = time.monotonic()

    system.remove("stubborn")

    took = time.monotonic() - began
    events.expect("actor.exited", "/stubborn", reason="killed", signal="SIGTERM", error="it was told to leave at once")
    assert 1.5 <= took < 2.0 + HEALED_S


def test_a_hurried_node_whose_link_never_closes_has_said_its_last_words_before():
    with ActorSystem("t", node_main="tests.support.never_closing:run_node") as system:
        events = EventProbe(system.events)
        system.spawn(Servant, name="s", process=True)

        system.hurry_nodes()

        events.expect("actor.exited", "/s", reason="killed", signal="SIGTERM", error="it was told to leave at once")
        events.expect("actor.restarted", "/s")
        events.close()
        system.kill_nodes()


def test_a_stopped_fork_server_holds_the_end_of_the_system_up_for_a_bounded_time():
    system = ActorSystem("t")
    ref = system.spawn(Servant, name="s", process=True)
    pid, server = ref.ask(["who"])["pid"], fork_server_pid()
    os.kill(server, signal.SIGSTOP)
    try:
        began = time.monotonic()
        system.stop()
        assert time.monotonic() - began < HEALED_S
    finally:
        os.kill(server, signal.SIGCONT)
    assert wait_until(lambda: not psutil.pid_exists(pid), HEALED_S)
