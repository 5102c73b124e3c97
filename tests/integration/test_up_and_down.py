"""`symphony up`, a look round, a kill and `symphony down`, all as real processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from actors.runtime.control.client import ControlClient
from actors.runtime.run_directory import RunDirectory
from tests.architecture.checkout import PACKAGES
from tests.support.own_trees import Shell, short_run_dir, write_shop

PATHS = {
    "/",
    "/engine",
    "/engine/pit",
    "/engine/pit/pool-manager",
    "/engine/pit/dag-tracker",
    "/engine/pit/artifact-store",
    "/engine/pit/arbitration-engine",
    "/engine/pit/stale-manager",
    "/engine/conductor",
    "/engine/core",
    "/xi",
}
PROGRAM = [sys.executable, "-P", "-m", "symphony"]


def symphony(run_dir, *arguments, cwd=None):
    command = [*PROGRAM, *map(str, arguments), "--run-dir", str(run_dir.path)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=90)


def actors_of(document):
    def walk(actor):
        yield actor
        for child in actor["children"]:
            yield from walk(child)

    return {actor["path"]: actor for actor in walk(document["root"])}


def is_alive(pid):
    """A process that only waits to be buried is not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_restarted(run_dir, path, *, since):
    """Wait until the actor at `path` has been restarted after the event `since`."""
    with ControlClient(run_dir.control_socket) as client:
        for batch in client.events(since=since, follow=True, wait_s=20.0):
            if any(event.type == "actor.restarted" and event.path == path for event in batch.events):
                return


def newest(run_dir):
    with ControlClient(run_dir.control_socket) as client:
        return max((event.seq for batch in client.events() for event in batch.events), default=0)


@pytest.fixture
def run_dir():
    path = Path(tempfile.mkdtemp(prefix="sy-"))
    yield RunDirectory(path)
    symphony(RunDirectory(path), "down", "--now")
    shutil.rmtree(path)


@pytest.fixture
def tree(run_dir):
    done = symphony(run_dir, "up", "--detach", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["tree"]


def test_up_lists_the_whole_tree_running_in_several_processes(tree):
    actors = actors_of(tree)

    assert set(actors) >= PATHS
    assert {actor["state"] for actor in actors.values()} == {"running"}
    assert len({actor["pid"] for actor in actors.values()}) >= 2
    assert actors["/xi"]["os_process"]["pid"] not in {actor["pid"] for actor in actors.values()}


def test_tree_and_status_say_the_same_later(run_dir, tree):
    later = json.loads(symphony(run_dir, "tree", "--json").stdout)

    assert {path: actor["pid"] for path, actor in actors_of(later).items()} == {
        path: actor["pid"] for path, actor in actors_of(tree).items()
    }
    assert symphony(run_dir, "status").returncode == 0
    assert symphony(run_dir, "status", "/engine/core").returncode == 0
    assert symphony(run_dir, "status", "/engine/nobody").returncode == 4


def test_a_second_up_is_refused_and_names_the_first(run_dir, tree):
    kernel = tree["root"]["pid"]
    for options in ([], ["--detach"]):
        done = symphony(run_dir, "up", *options)

        assert done.returncode == 6
        assert f"pid {kernel}" in done.stderr
    assert symphony(run_dir, "status").returncode == 0


def test_down_leaves_no_process_and_no_socket(run_dir, tree):
    pids = {actor["pid"] for actor in actors_of(tree).values()}
    pids |= {tree["warden"]["pid"], actors_of(tree)["/xi"]["os_process"]["pid"]}
    pids |= {child.pid for child in psutil.Process(tree["warden"]["pid"]).children(recursive=True)}

    done = symphony(run_dir, "down")

    assert done.returncode == 0, done.stderr
    assert [pid for pid in pids if is_alive(pid)] == []
    assert not run_dir.control_socket.exists()
    assert list((run_dir.path / "nodes").iterdir()) == []
    assert symphony(run_dir, "down").returncode == 3


def test_a_killed_node_is_back_with_a_higher_incarnation(run_dir, tree):
    since = newest(run_dir)
    done = symphony(run_dir, "kill", "/engine/core")

    assert done.returncode == 0
    assert "/engine/conductor" in done.stdout
    wait_restarted(run_dir, "/engine", since=since)
    engine = json.loads(symphony(run_dir, "tree", "/engine", "--json").stdout)["root"]
    assert (engine["state"], engine["incarnation"]) == ("running", 2)
    assert engine["last_exit"]["signal"] == "SIGKILL"
    assert engine["pid"] != actors_of(tree)["/engine"]["pid"]


def test_text_that_was_typed_and_not_saved_outlives_the_editors_process(run_dir, tree, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("one\ntwo\n")
    edited = symphony(run_dir, "edit", file, "--insert", "1:1", "zero\n", "--delete", "3:1-3:3", "--no-save")
    assert edited.returncode == 0, edited.stderr
    since = newest(run_dir)

    killed = symphony(run_dir, "kill", "/xi", "--os-process")

    assert f"killed pid {actors_of(tree)['/xi']['os_process']['pid']}" in killed.stdout
    wait_restarted(run_dir, "/xi", since=since)
    assert symphony(run_dir, "cat", file).stdout == "zero\none\no\n"
    assert file.read_text() == "one\ntwo\n"
    assert symphony(run_dir, "edit", file, "--insert", "1:1", "!").stdout.endswith("saved\n")
    assert file.read_text() == "!zero\none\no\n"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), 2),
        (lambda path: path.mkdir(), 2),
        (lambda path: path.with_name("other").touch(), 4),
    ],
    ids=["not UTF-8", "a folder", "missing"],
)
def test_a_file_that_cannot_be_edited_is_a_clear_error(run_dir, tree, tmp_path, make, code):
    make(tmp_path / "file")
    done = symphony(run_dir, "cat", tmp_path / "file")

    assert (done.returncode, done.stdout) == (code, "")
    assert str(tmp_path / "file") in done.stderr


def test_a_melody_runs_from_its_file_to_its_artifact(run_dir, tree, tmp_path):
    from symphony.cli.demonstration.sample import MELODY, repository, tidied

    text = "a  \r\n\n\n\nb\t"
    for name in ("one.md", "two.md"):
        (tmp_path / name).write_text(text, newline="")
    ids = set()
    for name in ("one.md", "two.md", "one.md"):
        done = symphony(run_dir, "melody", "run", repository() / MELODY, "--input", f"file={name}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / name).read_text() == tidied(text)
        ids.add(done.stdout)

    (artifact,) = ids
    stored = [
        path for path in (run_dir.path / "state").rglob("*") if path.is_file() and path.read_bytes() == tidied(text).encode()
    ]
    assert artifact == f"sha256:{stored[0].name}\n"
    assert len(stored) == 1
    assert len(json.loads(symphony(run_dir, "melody", "list", "--json").stdout)["runs"]) == 3


def test_in_the_foreground_it_prints_ready_and_ends_in_order_when_interrupted(run_dir):
    command = [*PROGRAM, "up", "--run-dir", str(run_dir.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("ready in"):
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)

    assert lines[0].startswith("symphony: kernel pid ")
    assert any("● /engine/core" in line for line in lines)
    assert process.returncode == 0
    assert errors.splitlines() == [
        "symphony: SIGINT: stopping in order, at most 15.0 s; a second SIGTERM or SIGINT hurries, a third kills"
    ]
    assert not run_dir.is_held()


def test_a_kernel_that_is_hung_is_named_and_can_be_ended_now(run_dir, tree):
    os.kill(tree["root"]["pid"], signal.SIGSTOP)

    assert symphony(run_dir, "tree", "--timeout", "0.5").returncode == 7
    done = symphony(run_dir, "down", "--now", "--timeout", "10")

    assert done.returncode == 0, done.stderr
    assert not run_dir.is_held()
    assert not is_alive(tree["warden"]["pid"])


def test_what_prevents_a_start_is_said_and_nothing_is_left(run_dir, tmp_path):
    (run_dir.path / "state").write_text("in the way")
    done = symphony(run_dir, "up", "--detach")

    assert done.returncode == 1
    assert done.stderr.startswith("symphony: ")
    assert not run_dir.is_held()


def test_a_start_that_takes_too_long_is_stopped_again(run_dir):
    done = symphony(run_dir, "up", "--detach", "--timeout", "0.01")

    assert (done.returncode, done.stdout) == (7, "")
    assert "has been stopped" in done.stderr
    assert not run_dir.is_held()


def test_no_package_of_the_current_folder_is_imported_by_any_process(run_dir, tmp_path):
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write(__name__)\n")
    (tmp_path / "a.txt").write_text("x")

    assert symphony(run_dir, "up", "--detach", cwd=tmp_path).returncode == 0
    assert symphony(run_dir, "cat", "a.txt", cwd=tmp_path).stdout == "x"
    assert symphony(run_dir, "down", cwd=tmp_path).returncode == 0
    assert not (tmp_path / "imported").exists()


def test_the_demo_does_the_main_job_and_leaves_nothing(tmp_path):
    done = subprocess.run([*PROGRAM, "demo", "--json"], capture_output=True, text=True, check=False, timeout=90, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["run"]["state"] == "done"
    assert [healed["incarnation"] for healed in document["healed"]] == [2, 2]
    assert all(healed["ready_ms"] < 5000 for healed in document["healed"])


def test_down_right_after_the_kernel_was_killed_waits_for_the_next_and_stops_that(tmp_path):
    with short_run_dir() as run_dir:
        shell = Shell(run_dir, write_shop(tmp_path))
        assert shell("up", "shop:tree", "--detach").returncode == 0
        os.kill(run_dir.holder().kernel, signal.SIGKILL)

        done = shell("down")

        assert (done.returncode, "processes have ended" in done.stdout) == (0, True), done
        assert not run_dir.is_held()


def test_up_refuses_an_empty_target(tmp_path):
    with short_run_dir() as run_dir:
        done = Shell(run_dir, tmp_path)("up", "", "--detach")

        assert (done.returncode, "TARGET is empty" in done.stderr) == (2, True), done
        assert not run_dir.is_held()
