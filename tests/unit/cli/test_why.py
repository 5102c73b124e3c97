"""`symphony why`: from a tree that runs and from the files of one that is dead, for people and for scripts."""

import json

import pytest

from actors.runtime.control import words
from actors.runtime.event import Event
from actors.runtime.flight.files import name_life
from actors.runtime.flight.recorder import open_recorder
from tests.support.clock import FakeClock
from tests.unit.cli.fake_kernel import FakeKernel, answering
from tests.unit.cli.samples import EVENTS, TREE

PONG = words.Pong(1, 100, 99, "symphony", ready=True)
XI_DIED = 1_767_225_601.5


class RunMelody:
    pass


@pytest.fixture
def left_behind(run_dir):
    """The files of a tree whose /xi was killed while it handled a message, and in which /engine never ended."""
    lines = [json.dumps(event.document()) for event in EVENTS]
    run_dir.events.write_text("\n".join(lines) + "\n")
    clock = FakeClock(wall=XI_DIED - 60.0)
    recorder = open_recorder(name_life(run_dir.flight, "xi", clock.wall(), 1), "/xi", clock)
    clock.advance(59.5)
    recorder.seat("/xi").begin(RunMelody, clock.monotonic())
    recorder.on_log(b'{"event":"last.words","level":"warning","path":"/xi"}')
    recorder.close()
    return run_dir


def test_a_tree_that_runs_is_asked_and_its_files_are_read(left_behind, symphony):
    with FakeKernel(left_behind, answering(tree=[words.Tree(TREE)], ping=[PONG])):
        done = symphony("why", "/xi")

    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "/xi is running, for 12.5 s (incarnation 2)."
    assert any("/xi died by SIGKILL, at 2026-01-01 00:00:01." in line for line in lines)
    assert "It was handling RunMelody in /xi for 500 ms." in lines
    assert "It was replaced in 210 ms (incarnation 2)." in lines
    assert "  00:00:01.000  log  last.words  /xi  level=warning" in lines


def test_a_dead_tree_is_told_of_from_its_files(left_behind, symphony):
    done = symphony("why", "/xi")

    assert done.code == 0
    assert "told from its files alone" in done.out
    assert "It was handling RunMelody in /xi for 500 ms." in done.out


def test_a_kernel_that_dies_over_the_question_leaves_the_files(left_behind, symphony):
    with FakeKernel(left_behind, lambda _: None):
        done = symphony("why", "/xi")

    assert done.code == 0
    assert "told from its files alone" in done.out


def test_as_json_it_is_one_document_with_its_schema(left_behind, symphony):
    document = json.loads(symphony("why", "/xi", "--json").out)

    assert document["schema"] == "symphony.why/1"
    assert (document["path"], document["node"], document["cause"], document["state"]) == ("/xi", "/xi", "killed", None)
    assert document["at"] == "2026-01-01T00:00:01.500000Z"
    assert document["exit"]["signal"] == "SIGKILL"
    assert document["handling"][0] == {
        "path": "/xi",
        "kind": "RunMelody",
        "for_s": pytest.approx(0.5, abs=0.01),
        "several": False,
        "ended_s": None,
    }
    assert {statement["certainty"] for statement in document["statements"]} == {"known"}


def test_nothing_wrong_is_said_so(run_dir, symphony):
    with FakeKernel(run_dir, answering(tree=[words.Tree(TREE)], ping=[PONG])):
        done = symphony("why", "/engine/core")

    assert done.code == 0
    assert "Nothing is wrong with it" in done.out


@pytest.mark.parametrize(("path", "code"), [("/nobody", 4), ("no path", 2)])
def test_a_path_that_nothing_is_known_of_is_not_found_and_a_wrong_one_is_refused(left_behind, symphony, path, code):
    done = symphony("why", path)

    assert done.code == code
    assert path in done.err


def test_without_a_run_directory_nothing_runs(run_dir, symphony, monkeypatch):
    monkeypatch.setenv("SYMPHONY_RUN_DIR", str(run_dir.path / "none"))

    done = symphony("why", "/engine")

    assert done.code == 3
    assert "nothing is recorded" in done.err


def test_what_others_wrote_cannot_steer_the_terminal_or_fill_it(run_dir, symphony):
    error = "\x1b[31mred\x1b[0m"
    event = Event(1, XI_DIED, "actor.exited", "/xi", "kernel", {"reason": "failed", "incarnation": 1, "error": error})
    run_dir.events.write_text(json.dumps(event.document()) + "\n")
    run_dir.logs.mkdir()
    record = {"event": "actor.failed", "path": "/xi", "at": event.document()["at"], "exception": "\x1b[31m\n" * 500}
    run_dir.log_of("kernel").write_text(json.dumps(record) + "\n")

    done = symphony("why", "/xi")

    assert "\x1b" not in done.out
    assert "\\x1b[31mred" in done.out
    assert len(done.out.splitlines()) < 80
    assert "  … 440 more lines …" in done.out
