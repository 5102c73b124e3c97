"""Symphony's own tree, by its own command line, under SIGKILL: what was typed and not saved is still there."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.wardens import are_gone, wait_until

GONE_S, HEALED_S = 2.0, 5.0
MELODY = Path(__file__).parents[2] / "examples" / "melodies" / "tidy.melody.toml"
MANAGERS = ("pool-manager", "dag-tracker", "artifact-store", "arbitration-engine", "stale-manager")


class Tree:
    """A tree that was started by `up --detach`; `run` calls the command line on it."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-P", "-m", "symphony", *arguments, "--run-dir", str(self.run_dir)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def actors(self) -> dict[str, dict]:
        """Every actor by its path; empty while no kernel answers."""
        told = self.run("tree", "--json")
        found: dict[str, dict] = {}
        waiting = [json.loads(told.stdout)["root"]] if told.returncode == 0 else []
        while waiting:
            actor = waiting.pop()
            found[actor["path"]] = actor
            waiting += actor["children"]
        return found

    def warden(self) -> int:
        return json.loads(self.run("tree", "--json").stdout)["warden"]["pid"]

    def is_whole(self) -> bool:
        actors = self.actors()
        return "/xi" in actors and all(actor["state"] == "running" for actor in actors.values())

    def processes(self) -> list[psutil.Process]:
        warden = psutil.Process(self.warden())
        return [warden, *warden.children(recursive=True)]


@pytest.fixture
def tree(tmp_path_factory):
    tree = Tree(tmp_path_factory.mktemp("t"))
    started = tree.run("up", "--detach")
    assert started.returncode == 0, started.stderr
    yield tree
    tree.run("down", "--now")


@pytest.fixture
def typed(tree, tmp_path):
    """A file with something typed into it that is not saved."""
    file = tmp_path / "notes.txt"
    file.write_text("on disk\n")
    assert tree.run("edit", str(file), "--insert", "1:1", "typed, not ", "--no-save").returncode == 0
    return file


def test_the_tree_is_what_the_design_says_in_two_processes_besides_the_editor_s(tree):
    actors = tree.actors()

    paths = ["/engine", "/engine/core", "/engine/conductor", "/xi", *(f"/engine/pit/{name}" for name in MANAGERS)]
    assert all(actors[path]["state"] == "running" for path in paths)
    assert len({actors[path]["pid"] for path in ("/engine", "/xi", "/extensions")}) == 3
    assert actors["/xi"]["os_process"]["pid"] not in {actor["pid"] for actor in actors.values()}


@pytest.mark.parametrize("victims", [("editor",), ("engine",), ("editor", "engine")], ids="+".join)
def test_sigkill_heals_within_5_s_with_a_higher_incarnation_and_the_text_still_there(tree, typed, victims):
    before = tree.actors()
    pids = {"editor": before["/xi"]["os_process"]["pid"], "engine": before["/engine"]["pid"]}
    for victim in victims:
        os.kill(pids[victim], signal.SIGKILL)
    paths = [{"editor": "/xi", "engine": "/engine/core"}[victim] for victim in victims]

    def is_healed() -> bool:
        now = tree.actors()
        higher = all(path in now and now[path]["incarnation"] > before[path]["incarnation"] for path in paths)
        return higher and all(actor["state"] == "running" for actor in now.values())

    assert wait_until(is_healed, HEALED_S)
    after = tree.actors()
    assert all(after[path]["last_exit"]["signal"] == "SIGKILL" for path in paths)
    assert tree.run("cat", str(typed)).stdout == "typed, not on disk\n"
    assert typed.read_text() == "on disk\n"


def test_kernel_killed_leaves_no_old_process_and_the_new_tree_has_the_text(tree, typed):
    old = [process for process in tree.processes() if process.pid != tree.warden()]
    kernel = tree.actors()["/"]["pid"]
    os.kill(kernel, signal.SIGKILL)

    assert are_gone(old, GONE_S)
    assert wait_until(tree.is_whole, HEALED_S)
    assert tree.run("cat", str(typed)).stdout == "typed, not on disk\n"


def test_warden_killed_leaves_nothing_and_the_next_tree_has_the_text(tree, typed):
    family = tree.processes()
    os.kill(tree.warden(), signal.SIGKILL)

    assert are_gone(family, GONE_S)
    assert tree.run("tree").returncode == 3
    assert tree.run("up", "--detach").returncode == 0
    assert tree.run("cat", str(typed)).stdout == "typed, not on disk\n"


def test_down_leaves_no_process_and_no_socket(tree):
    family = tree.processes()

    assert tree.run("down").returncode == 0
    assert are_gone(family, GONE_S)
    assert not [path for path in tree.run_dir.rglob("*") if path.is_socket()]


def test_a_melody_run_twice_stores_the_content_once(tree, tmp_path):
    file = tmp_path / "untidy.md"
    file.write_text("# Title   \n\n\n\ntext\t")

    runs = [tree.run("melody", "run", str(MELODY), "--input", f"file={file}") for _ in range(2)]

    assert [run.returncode for run in runs] == [0, 0]
    assert file.read_text() == "# Title\n\ntext\n"
    assert runs[0].stdout == runs[1].stdout
    blobs = [path for path in (tree.run_dir / "state" / "pit" / "blobs").rglob("*") if path.is_file()]
    assert [f"sha256:{blob.name}" for blob in blobs] == [runs[0].stdout.strip()]


def test_what_was_typed_can_be_given_up(tree, typed):
    assert tree.run("edit", str(typed), "--discard").returncode == 0

    assert tree.run("cat", str(typed)).stdout == "on disk\n"


def test_an_edit_over_a_file_that_others_changed_is_refused_whole(tree, typed):
    typed.write_text("changed by others\n")

    refused = tree.run("edit", str(typed), "--insert", "1:1", "more ")

    assert refused.returncode == 2
    assert typed.read_text() == "changed by others\n"
    assert tree.run("cat", str(typed)).stdout == "typed, not on disk\n"
