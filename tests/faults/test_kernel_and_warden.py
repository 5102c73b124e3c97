"""What happens when the kernel, the warden or a node is killed, with real processes and the bounds that are promised."""

import os
import signal
import socket
from contextlib import suppress

import psutil
import pytest

from actors.runtime.control.client import KernelRefusedError
from actors.runtime.errors import NodeUnavailableError
from tests.support.wardens import RunningWarden, are_gone, running_warden, wait_until

GONE_S, HEALED_S = 2.0, 5.0


def all_running(tree):
    return all(actor.state == "running" for actor in tree.root.walk())


@pytest.fixture
def run_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("w")


def test_kernel_killed_ends_every_old_process_and_starts_a_new_tree(run_dir):
    with running_warden(run_dir, "two_nodes") as warden:
        before = warden.wait_for_tree(all_running, HEALED_S)
        old = warden.descendants()
        os.kill(before.root.pid, signal.SIGKILL)

        assert are_gone(old, GONE_S)
        after = warden.wait_for_tree(lambda tree: tree.root.pid != before.root.pid and all_running(tree), HEALED_S)

    lives = {actor.path: actor.incarnation for actor in before.root.walk()}
    for actor in after.root.walk():
        assert actor.incarnation > lives[actor.path]
        assert actor.last_exit is not None
        assert actor.last_exit.signal == "SIGKILL"


def test_kernel_killed_again_and_again_makes_the_warden_give_up_and_leave_nothing(run_dir):
    with running_warden(run_dir, "two_nodes") as warden:
        family = []
        for _ in range(4):
            tree = warden.wait_for_tree(all_running, HEALED_S)
            family += warden.descendants()
            kernel = psutil.Process(tree.root.pid)
            kernel.kill()
            assert are_gone([kernel], GONE_S)

        assert warden.read_line().startswith("failed the kernel died 4 times")
        assert are_gone(family, GONE_S)


def test_warden_killed_leaves_nothing(run_dir):
    with running_warden(run_dir, "two_nodes") as warden:
        warden.wait_for_tree(all_running, HEALED_S)
        family = warden.descendants()
        warden.process.kill()

        assert are_gone(family, GONE_S)
    assert not list((run_dir / "nodes").iterdir())
    assert not (run_dir / "control.sock").exists()


@pytest.mark.parametrize("paths", [("/engine",), ("/solo",), ("/engine", "/solo")], ids=["one", "other", "both"])
def test_node_killed_is_running_again_with_a_higher_incarnation(run_dir, paths):
    with running_warden(run_dir, "two_nodes") as warden:
        before = warden.wait_for_tree(all_running, HEALED_S)
        for path in paths:
            os.kill(before.root.find(path).pid, signal.SIGKILL)

        after = warden.wait_for_tree(
            lambda tree: all_running(tree) and all(tree.root.find(path).incarnation == 2 for path in paths), HEALED_S
        )

    for path in paths:
        ended = after.root.find(path).last_exit
        assert (ended.reason, ended.signal) == ("killed", "SIGKILL")
        assert ended.ready_ms < HEALED_S * 1000
    assert after.root.pid == before.root.pid


def test_terminated_warden_stops_everything_in_order_and_removes_the_sockets(run_dir):
    with running_warden(run_dir, "two_nodes") as warden:
        family = warden.descendants()
        warden.process.terminate()

        assert warden.read_line() == "ended"
        assert are_gone(family, GONE_S)
        assert warden.process.wait(GONE_S) == 0
    assert not list((run_dir / "nodes").iterdir())
    assert not (run_dir / "control.sock").exists()


def test_a_second_warden_on_one_run_directory_is_refused_and_told_the_kernel_s_pid(run_dir):
    with running_warden(run_dir, "two_nodes") as warden:
        kernel = warden.tree().root.pid
        second = RunningWarden(run_dir, "two_nodes")
        with second.process:
            assert second.read_line() == f"busy {kernel}"
            assert second.process.wait(HEALED_S) == 6
        assert all_running(warden.tree())


def test_a_tree_that_cannot_start_says_why_and_leaves_nothing(run_dir):
    warden = RunningWarden(run_dir, "no_such_actor")
    with warden.process:
        line = warden.read_line()

        assert warden.process.wait(HEALED_S) == 1
    assert line.startswith("failed")
    assert "actors.conductor has no NoSuchActor" in line
    assert not list((run_dir / "nodes").iterdir())


def test_a_process_left_behind_by_a_killed_node_is_ended(run_dir):
    with running_warden(run_dir, "parent") as warden:
        parent = warden.tree().root.find("/parent")
        orphan = psutil.Process(parent.os_process.pid)
        os.kill(parent.pid, signal.SIGKILL)

        assert are_gone([orphan], HEALED_S)
        warden.wait_for_tree(all_running, HEALED_S)


def test_an_actor_that_does_not_stop_is_ended_when_its_shutdown_is_over(run_dir):
    with running_warden(run_dir, "stubborn") as warden:
        family = warden.descendants()
        with warden.client() as client:
            client.stop()

        assert warden.read_line() == "ended"
        assert are_gone(family, GONE_S)


@pytest.mark.parametrize(
    "garbage",
    [b"\x00\x00\x00\x05hello", b"\xff\xff\xff\xff", b"\x00\x00\x00\x02\x91\x91" + b"\x91" * 64, b"\x00\x00\x00\x01\xc1"],
    ids=["no msgpack", "a length of 4 GiB", "not a question", "a reserved byte"],
)
def test_a_malformed_frame_on_the_control_socket_is_rejected_and_harms_nobody(run_dir, garbage):
    with running_warden(run_dir, "two_nodes") as warden:
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(HEALED_S)
            raw.connect(str(run_dir / "control.sock"))
            raw.sendall(garbage)
            while raw.recv(65536):
                pass
        with warden.client() as client:
            events = [event for batch in client.events() for event in batch.events]

            assert any(event.type == "frame.rejected" for event in events)
        assert all_running(warden.tree())


@pytest.mark.parametrize(
    ("path", "tag", "kind"),
    [
        ("/nobody", "", "NoSuchActorError"),
        ("/solo", "NoSuchMessage", "RejectedError"),
        ("/", "", "RejectedError"),
        ("x", "", "InvalidPathError"),
    ],
)
def test_asking_nobody_or_nonsense_is_refused_by_name(run_dir, path, tag, kind):
    with running_warden(run_dir, "two_nodes") as warden, warden.client() as client:
        with pytest.raises(KernelRefusedError) as refused:
            client.ask(path, {}, tag=tag)

        assert refused.value.kind == kind


def test_the_kernel_itself_is_not_killed_on_request(run_dir):
    with running_warden(run_dir, "two_nodes") as warden, warden.client() as client:
        with pytest.raises(KernelRefusedError, match="the kernel itself"):
            client.kill("/")

        assert client.kill("/engine/conductor").paths == ["/engine", "/engine/conductor"]


def test_a_follower_of_events_hears_each_once_in_order_until_the_kernel_goes(run_dir):
    with running_warden(run_dir, "two_nodes") as warden, warden.client() as follower:
        seen = []
        batches = follower.events(follow=True, wait_s=HEALED_S)
        with warden.client() as client:
            client.kill("/solo")
            while not any(event.type == "actor.restarted" for event in seen):
                seen += next(batches).events
            client.stop()
        with suppress(NodeUnavailableError):
            for batch in batches:
                seen += batch.events

        assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
        assert wait_until(lambda: warden.process.poll() == 0, HEALED_S)


def state_of(warden, path):
    return warden.tree().root.find(path).state


def test_a_part_that_cannot_start_is_parked_and_another_kernel_runs_the_rest_all_the_same(run_dir):
    with running_warden(run_dir, "flagged") as warden:
        (run_dir / "flag").touch()
        os.kill(warden.tree().root.find("/flagged").pid, signal.SIGKILL)
        assert wait_until(lambda: state_of(warden, "/flagged") == "parked", HEALED_S)

        os.kill(warden.tree().root.pid, signal.SIGKILL)
        tree = warden.wait_for_tree(lambda tree: tree.root.state == "running" and tree.root.incarnation == 2, HEALED_S)

        assert tree.root.find("/engine").state == "running"
        assert wait_until(lambda: state_of(warden, "/flagged") == "parked", HEALED_S)


def test_a_parked_part_is_started_again_on_request_and_one_that_runs_is_left_alone(run_dir):
    with running_warden(run_dir, "flagged") as warden, warden.client() as client:
        (run_dir / "flag").touch()
        client.kill("/flagged")
        assert wait_until(lambda: state_of(warden, "/flagged") == "parked", HEALED_S)
        (run_dir / "flag").unlink()

        client.start_again("/flagged")

        assert state_of(warden, "/flagged") == "running"
        with pytest.raises(KernelRefusedError, match="is running"):
            client.start_again("/flagged")
        with pytest.raises(KernelRefusedError, match="has no supervisor"):
            client.start_again("/")


@pytest.mark.parametrize("path", ["/here/flagged", "/there/flagged"], ids=["of the kernel's supervisor", "inside a node"])
def test_a_parked_part_further_down_is_started_again_too_and_what_keeps_it_from_that_is_said(run_dir, path):
    with running_warden(run_dir, "nested") as warden, warden.client() as client:
        (run_dir / "flag").touch()
        with suppress(KernelRefusedError):
            client.ask(path, "fail")
        assert wait_until(lambda: state_of(warden, path) == "parked", HEALED_S)
        with pytest.raises(KernelRefusedError, match="the flag is up"):
            client.start_again(path)
        assert wait_until(lambda: state_of(warden, path) == "parked", HEALED_S)
        (run_dir / "flag").unlink()

        client.start_again(path)

        assert state_of(warden, path) == "running"


def test_more_clients_than_there_is_room_for_are_told_so(run_dir):
    with running_warden(run_dir, "two_nodes") as warden:
        idle = [warden.client() for _ in range(32)]
        try:
            for client in idle:
                client.ping()
            with warden.client() as one_more, pytest.raises(KernelRefusedError, match="32 clients"):
                one_more.ping()
        finally:
            for client in idle:
                client.close()
        assert wait_until(lambda: all_running(warden.tree()), HEALED_S)
