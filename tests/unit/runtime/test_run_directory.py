"""The run directory is one user's and one kernel's, and says so clearly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.runtime.errors import RunDirectoryBusyError, RunDirectoryError
from actors.runtime.run_directory import MAX_SOCKET_PATH, Holder, RunDirectory
from tests.support.leaks import Held


@pytest.fixture
def folder(tmp_path_factory):
    """A short one: there must be room for sockets."""
    return tmp_path_factory.mktemp("r") / "run"


@pytest.fixture
def claimed(folder):
    run_dir = RunDirectory(folder)
    run_dir.claim()
    yield run_dir
    run_dir.release()


def test_it_is_made_for_its_user_alone(folder):
    RunDirectory(folder).prepare()

    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_one_that_is_open_to_others_is_refused_and_says_what_to_run(folder, mode):
    folder.mkdir()
    folder.chmod(mode)

    with pytest.raises(RunDirectoryError, match=rf"is open to others \(mode {mode:04o}\): run `chmod 700 "):
        RunDirectory(folder).claim()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_one_of_another_user_is_refused(folder):
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)

    with pytest.raises(RunDirectoryError, match="belongs to another user"):
        RunDirectory(folder).claim()


def test_what_is_no_folder_is_refused(folder):
    folder.write_text("a file")

    with pytest.raises(RunDirectoryError, match="cannot make the run directory"):
        RunDirectory(folder).claim()


def test_a_path_that_leaves_no_room_for_sockets_is_refused_and_says_how_long_it_may_be(tmp_path):
    with pytest.raises(RunDirectoryError, match=r"use a path of at most \d+ bytes"):
        RunDirectory(tmp_path / ("x" * 90)).claim()


def test_the_longest_path_that_is_allowed_has_room_for_every_endpoint():
    room = MAX_SOCKET_PATH - len("/nodes/") - 40
    run_dir = RunDirectory(Path("/" + "x" * (room - 1)))

    endpoint = run_dir.endpoint("/" + "n" * 100 + "/" + "m" * 100, 9_999_999)

    assert len(endpoint.removeprefix("ipc://")) <= MAX_SOCKET_PATH


def test_endpoints_of_different_nodes_and_lives_differ(claimed):
    nodes = ["/", "/kernel", "/a", "/a/b", "/a.b", "/" + "n" * 50 + "a", "/" + "n" * 50 + "b"]
    endpoints = [claimed.endpoint(node, incarnation) for node in nodes for incarnation in (1, 2)]

    assert len(set(endpoints)) == len(endpoints)


def test_a_second_claim_is_refused_and_names_the_holder(claimed):
    claimed.sign(Holder(kernel=4711, warden=4710))

    with pytest.raises(RunDirectoryBusyError, match="is in use by kernel pid 4711") as raised:
        RunDirectory(claimed.path).claim()

    assert raised.value.holder == 4711
    assert claimed.is_held()


def test_a_second_claim_is_refused_although_the_first_has_not_signed_yet(claimed):
    with pytest.raises(RunDirectoryBusyError, match="pid unknown") as raised:
        RunDirectory(claimed.path).claim()

    assert raised.value.holder is None


def test_refused_claims_leave_no_descriptor(claimed):
    before = Held.now().descriptors
    for _ in range(5):
        with pytest.raises(RunDirectoryBusyError):
            RunDirectory(claimed.path).claim()

    assert Held.now().descriptors == before


def test_the_claim_of_another_process_ends_with_it_however_it_dies(folder):
    code = (
        "import pathlib, sys, threading\n"
        "from actors.runtime.run_directory import RunDirectory\n"
        "RunDirectory(pathlib.Path(sys.argv[1])).claim()\n"
        "print('claimed', flush=True)\n"
        "threading.Event().wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "claimed\n"
        with pytest.raises(RunDirectoryBusyError):
            RunDirectory(folder).claim()
        other.kill()
        other.wait(10)

    run_dir = RunDirectory(folder)
    run_dir.claim()
    run_dir.release()


def test_after_the_release_it_can_be_claimed_again(claimed):
    claimed.release()

    assert not claimed.is_held()
    claimed.claim()


def test_a_lock_that_cannot_be_opened_is_one_clear_error(folder):
    (folder / "lock").mkdir(parents=True)
    folder.chmod(0o700)

    with pytest.raises(RunDirectoryError, match="cannot lock "):
        RunDirectory(folder).claim()


@pytest.mark.parametrize("content", [b"", b"not json", b"\xff\xfe", b'{"kernel": "x"}', b"[]"])
def test_a_lock_file_that_makes_no_sense_names_nobody(claimed, content):
    (claimed.path / "lock").write_bytes(content)

    assert claimed.holder() == Holder()


def test_a_shorter_signature_leaves_nothing_of_the_longer_one(claimed):
    claimed.sign(Holder(kernel=123456789, warden=123456789))
    claimed.sign(Holder(kernel=1))

    assert claimed.holder() == Holder(kernel=1)


def test_the_sweep_removes_what_an_earlier_kernel_left_and_keeps_logs_and_lives(claimed):
    claimed.sweep()
    stale = claimed.path / "nodes" / "engine-00000000.1"
    for path in (stale, claimed.control_socket, claimed.logs / "kernel.jsonl", claimed.lives):
        path.write_text("left")

    claimed.sweep()

    assert not stale.exists()
    assert not claimed.control_socket.exists()
    assert (claimed.logs / "kernel.jsonl").exists()
    assert claimed.lives.exists()


def test_the_tidying_of_an_orderly_end_removes_sockets_and_lives(claimed):
    claimed.sweep()
    (claimed.path / "nodes" / "x").write_text("")
    claimed.lives.write_text("{}")

    claimed.tidy()

    assert list((claimed.path / "nodes").iterdir()) == []
    assert not claimed.lives.exists()
    RunDirectory(claimed.path / "never made").tidy()


def test_each_node_has_a_log_of_its_own(tmp_path):
    nodes = ["/", "/kernel", "/a/b", "/a.b", "/a"]

    assert len({RunDirectory(tmp_path).log_of(node) for node in nodes}) == len(nodes)
    assert RunDirectory(tmp_path).log_of("kernel") == RunDirectory(tmp_path).log_of("/")
