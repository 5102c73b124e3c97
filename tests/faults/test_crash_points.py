"""Processes that are killed at each step of their way in turn: the tree heals, nothing is left, and no path has two lives."""

import os
import signal

import pytest

from actors.runtime import ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.errors import StartError
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant
from tests.support.crash_points import NODE_MAIN, CrashPoints
from tests.support.marked import marked
from tests.support.process_ends import gone
from tests.support.wardens import are_gone, running_warden, wait_until

HEALED_S, GONE_S, STOPPED_S = 5.0, 2.0, 5.0
NODE_STEPS = ("connected", "booted", "set_up", "built", "starting", "ready")
KERNEL_STARTS = ("plan_read", "claimed", "assembled", "begun", "started")
SUPERVISOR_STARTS = ("kernel.started:/", "actor.started:/solo", "actor.started:/")
SUPERVISOR_RESTARTS = ("node.exited:/solo", "actor.exited:/solo", "actor.restarted:/solo")
SUPERVISOR_STOPS = ("node.exited:/solo", "actor.exited:/solo")
KERNEL_STOPS = ("stop_requested", "stopped", "tidied")


@pytest.fixture
def points():
    points = CrashPoints()
    points.open()
    try:
        yield points
        assert points.overlaps() == [], "one began while an earlier one lived"
        gone({reached.pid for reached in points.steps()})
    finally:
        points.close()


def child(notes):
    return ChildSpec("s", Servant, kwargs={"notes": str(notes)}, process=True, backoff=Backoff(min=0, max=0))


def test_every_step_of_a_node_and_of_a_kernel_is_known_here(points, run_dir):
    with running_warden(run_dir, "solo") as warden:
        warden.process.terminate()
        assert warden.read_line() == "ended"

    named = [one.step for one in points.steps() if one.who == "kernel"]
    assert tuple(step for step in named if ":" not in step) == KERNEL_STARTS + KERNEL_STOPS
    assert set(SUPERVISOR_STARTS + SUPERVISOR_STOPS) <= set(named)
    assert tuple(one.step for one in points.steps() if one.who == "node") == NODE_STEPS


@pytest.mark.parametrize("step", NODE_STEPS)
def test_a_node_that_is_killed_at_a_step_of_its_first_start_is_up_all_the_same(points, tmp_path, step):
    """Who is killed from outside says nothing of the child: it has one more try."""
    points.kill_at("node", step)

    with ActorSystem("t", SupervisorSpec("root", [child(tmp_path / "notes")]), node_main=NODE_MAIN) as system:
        assert wait_until(lambda: shown(system) == ("running", 2), HEALED_S)
        assert points.was_hit()
        ended = system.snapshot().root.find("/s").last_exit
        assert (ended.reason, ended.signal) == ("killed", "SIGKILL")
        assert system.ref("/s").ask(["who"])["incarnation"] == 2

    lives = [line for line in (tmp_path / "notes").read_text().splitlines() if line.startswith("started")]
    assert len(lives) == len(set(lives))


@pytest.mark.parametrize("step", NODE_STEPS[:-1])
def test_a_node_that_is_killed_at_a_step_of_a_start_that_somebody_waits_for_says_so_and_leaves_nothing(points, tmp_path, step):
    with ActorSystem("t", node_main=NODE_MAIN) as system:
        system.spawn(Servant, name="other")
        points.kill_at("node", step)

        with pytest.raises(StartError, match="/s did not start"):
            system.spawn(child(tmp_path / "notes"))

        assert points.was_hit()
        assert shown(system) is None
        assert system.spawn(child(tmp_path / "notes")).ask(["who"])["incarnation"] > 1


@pytest.mark.parametrize("step", NODE_STEPS)
def test_a_node_that_is_killed_at_a_step_of_its_restart_is_tried_again(points, tmp_path, step):
    with ActorSystem("t", SupervisorSpec("root", [child(tmp_path / "notes")]), node_main=NODE_MAIN) as system:
        events = EventProbe(system.events)
        pid = system.ref("/s").ask(["who"])["pid"]
        points.kill_at("node", step)

        os.kill(pid, signal.SIGKILL)

        for incarnation in (1, 2):
            events.expect("actor.exited", "/s", incarnation=incarnation, reason="killed", signal="SIGKILL")
        events.expect("actor.restarted", "/s", incarnation=3)
        assert points.was_hit()
        assert system.ref("/s").ask(["who"])["incarnation"] == 3
        events.close()


def test_a_node_that_is_killed_at_the_same_step_again_and_again_is_parked_at_exactly_the_limit(points, tmp_path):
    root = SupervisorSpec("root", [child(tmp_path / "notes")], intensity=2, period=60.0, on_exhausted="park")
    with ActorSystem("t", root, node_main=NODE_MAIN) as system:
        events = EventProbe(system.events)
        pid = system.ref("/s").ask(["who"])["pid"]
        points.kill_at("node", NODE_STEPS[1], always=True)

        os.kill(pid, signal.SIGKILL)

        events.expect("actor.parked", "/s", restarts=3)
        events.close()
        assert shown(system) == ("parked", 3)
        assert len({reached.pid for reached in points.steps()}) == 3


@pytest.mark.parametrize("step", KERNEL_STARTS + SUPERVISOR_STARTS)
def test_a_kernel_that_is_killed_at_a_step_of_its_start_is_replaced(points, run_dir, step):
    points.kill_at("kernel", step)

    with running_warden(run_dir, "solo") as warden:
        assert wait_until(points.was_hit, HEALED_S)
        first = points.steps()[0].pid
        tree = warden.wait_for_tree(lambda tree: tree.root.pid != first and solo_runs(tree), HEALED_S)

    assert [one.pid for one in points.steps() if one.step == KERNEL_STARTS[0]] == [first, tree.root.pid]


@pytest.mark.parametrize("step", NODE_STEPS)
def test_a_kernel_that_is_killed_while_a_node_is_at_a_step_of_its_start_is_replaced_and_that_node_gone(points, run_dir, step):
    points.kill_at("node", step, victim="kernel")

    with running_warden(run_dir, "solo") as warden:
        assert wait_until(points.was_hit, HEALED_S)
        first = points.steps()[0].pid
        tree = warden.wait_for_tree(lambda tree: tree.root.pid != first and solo_runs(tree), HEALED_S)

    nodes = {one.pid for one in points.steps() if one.who == "node"}
    assert tree.root.find("/solo").pid in nodes
    assert len(nodes) <= 2


@pytest.mark.parametrize("step", SUPERVISOR_RESTARTS)
def test_a_kernel_that_is_killed_at_a_step_of_a_nodes_restart_is_replaced_and_there_is_one_node(points, run_dir, step):
    with running_warden(run_dir, "solo") as warden:
        before = warden.tree()
        points.kill_at("kernel", step)

        os.kill(before.root.find("/solo").pid, signal.SIGKILL)

        assert wait_until(points.was_hit, HEALED_S)
        tree = warden.wait_for_tree(lambda tree: tree.root.pid != before.root.pid and solo_runs(tree), HEALED_S)

    assert tree.root.find("/solo").incarnation > before.root.find("/solo").incarnation


@pytest.mark.parametrize("step", SUPERVISOR_STOPS + KERNEL_STOPS)
def test_a_kernel_that_is_killed_at_a_step_of_the_stop_takes_everything_along(points, run_dir, step):
    with running_warden(run_dir, "solo") as warden:
        points.kill_at("kernel", step)
        family = [one for one in marked("SYMPHONY_TEST_FLAG", str(run_dir / "flag")) if one.pid != warden.process.pid]

        warden.process.terminate()

        assert warden.read_line().startswith(("ended", "failed the kernel ended with signal SIGKILL"))
        warden.process.wait(STOPPED_S)
        assert points.was_hit()
        assert are_gone(family, GONE_S)
    assert not list((run_dir / "nodes").iterdir())
    assert not (run_dir / "control.sock").exists()
    assert len({one.pid for one in points.steps() if one.who == "kernel"}) == 1, "nobody starts what was to be stopped"


def shown(system):
    found = system.snapshot().root.find("/s")
    return None if found is None else (found.state, found.incarnation)


def solo_runs(tree):
    found = tree.root.find("/solo")
    return found is not None and found.state == "running"
