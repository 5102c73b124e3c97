"""What is left to tell when a process is dead: its last handler, the stacks of its crash, its last log lines."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from actors.runtime import ActorSystem
from actors.runtime.errors import ActorFailedError, ActorRuntimeError
from actors.runtime.flight.evidence import Evidence, RecordedLife
from actors.runtime.flight.reader import read_log, recordings
from actors.runtime.flight.story import tell
from actors.runtime.run_directory import RunDirectory
from actors.runtime.testing import EventProbe
from symphony.cli.program import run
from tests.support.actors_for_tests import Servant
from tests.support.wardens import running_warden, wait_until

BOUND_S = 10.0
SERVANT = "/servant"


@pytest.fixture
def run_dir(tmp_path_factory):
    run_dir = RunDirectory(tmp_path_factory.mktemp("f"))
    run_dir.prepare()
    run_dir.sweep()
    return run_dir


@pytest.fixture
def system(run_dir):
    with ActorSystem("flight", run_dir=run_dir) as system:
        yield system


@pytest.fixture
def events(system):
    probe = EventProbe(system.events)
    yield probe
    probe.close()


@pytest.fixture
def servant(system):
    return system.spawn(Servant, name="servant", process=True)


def documents(file):
    return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []


def evidence(system, run_dir):
    lives = [RecordedLife(life.recording, life.crash) for life in recordings(run_dir, SERVANT)]
    log = read_log(run_dir.log_of(SERVANT), SERVANT)
    return Evidence(SERVANT, SERVANT, system.clock.wall(), system.snapshot(), system.events.since(0), lives, log)


def test_a_node_killed_in_a_handler_leaves_that_handler_and_how_long_it_ran(system, run_dir, servant, events):
    """Written without a flush, and there after SIGKILL."""
    pid = servant.ask(["who"])["pid"]
    servant.tell(["hang"])
    assert events.expect("servant.hung", timeout=BOUND_S)
    os.kill(pid, signal.SIGKILL)
    assert events.expect("actor.restarted", timeout=BOUND_S)

    told = tell(evidence(system, run_dir))

    assert (told.cause, told.ended) == ("killed", SERVANT)
    assert [(one.path, one.kind) for one in told.handling] == [(SERVANT, "list")]
    assert 0.0 <= told.handling[0].for_s < BOUND_S
    assert any("came from outside" in statement.text for statement in told.statements)


def test_an_idle_node_killed_is_not_said_to_have_handled_anything(system, run_dir, servant, events):
    pid = servant.ask(["who"])["pid"]

    def is_idle():
        """The answer is on its way before the turn has ended."""
        (life,) = recordings(run_dir, SERVANT)
        return all(turn.ended is not None for turn in life.recording.turns)

    assert wait_until(is_idle, BOUND_S)
    os.kill(pid, signal.SIGKILL)
    assert events.expect("actor.restarted", timeout=BOUND_S)

    told = tell(evidence(system, run_dir))

    assert any(statement.text.startswith("No handler was running") for statement in told.statements)


def test_the_next_life_does_not_overwrite_the_recording_of_the_last(run_dir, servant, events):
    for _ in range(2):
        os.kill(servant.ask(["who"])["pid"], signal.SIGKILL)
        assert events.expect("actor.restarted", timeout=BOUND_S)
    servant.ask(["who"])

    assert [life.recording.header.incarnation for life in recordings(run_dir, SERVANT)] == [3, 2, 1]


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGFPE"])
def test_a_node_that_crashes_leaves_the_stacks_of_its_threads(system, run_dir, servant, events, name):
    servant.tell(["signal", name])
    assert events.expect("actor.restarted", timeout=BOUND_S)

    ended = system.snapshot().root.find(SERVANT).last_exit

    assert ended.signal == name
    assert "Fatal Python error" in ended.stack
    assert "do_signal" in ended.stack
    told = tell(evidence(system, run_dir))
    assert told.cause == "crashed"
    assert told.stack == ended.stack


def test_a_failure_s_traceback_gets_into_the_log_and_from_there_into_the_story(system, run_dir, servant, events):
    with pytest.raises(ActorFailedError):
        servant.ask(["raise", "ValueError", "no good"])
    assert events.expect("actor.restarted", timeout=BOUND_S)
    assert wait_until(lambda: tell(evidence(system, run_dir)).traceback is not None, BOUND_S)

    told = tell(evidence(system, run_dir))

    assert told.cause == "failed"
    assert "do_raise" in told.traceback
    assert any("no good" in statement.text for statement in told.statements)


def test_log_lines_of_a_node_are_written_in_order_by_its_parent_and_the_node_has_no_log_open(run_dir, servant):
    servant.ask(["log", "counted", 100])
    file = run_dir.log_of(SERVANT)

    assert wait_until(lambda: len(documents(file)) >= 100, BOUND_S)
    found = [document for document in documents(file) if document["event"] == "counted"]
    assert [document["number"] for document in found] == list(range(100))
    assert {document["node"] for document in found} == {SERVANT}
    assert {document["path"] for document in found} == {SERVANT}
    descriptors = Path(f"/proc/{servant.ask(['who'])['pid']}/fd")
    assert not any(str(entry.readlink()).startswith(str(run_dir.logs)) for entry in descriptors.iterdir())


def test_a_node_that_floods_its_log_goes_on_and_every_line_is_written_or_counted(run_dir, servant):
    count = 30_000
    assert servant.ask(["log", "flood " + "x" * 200, count], timeout=60.0) == count
    servant.ask(["log", "last", 1])
    file = run_dir.log_of(SERVANT)

    assert wait_until(lambda: any(document["event"] == "last" for document in documents(file)), BOUND_S)
    found = documents(file)
    written = sum(document["event"].startswith("flood") for document in found)
    dropped = sum(document["count"] for document in found if document["event"] == "log.dropped")
    assert written + dropped == count


def test_the_last_lines_before_an_orderly_end_are_written(run_dir):
    with ActorSystem("flight", run_dir=run_dir) as system:
        system.spawn(Servant, name="servant", process=True).ask(["log", "the last words", 500])

    found = [document for document in documents(run_dir.log_of(SERVANT)) if document["event"] == "the last words"]
    assert len(found) == 500


def test_a_run_directory_without_room_for_recordings_runs_all_the_same(run_dir):
    """A file is where the folder should be."""
    run_dir.flight.touch()
    with ActorSystem("flight", run_dir=run_dir) as system:
        servant = system.spawn(Servant, name="servant", process=True)

        assert servant.ask(["who"])["incarnation"] == 1
        file = run_dir.log_of(SERVANT)
        assert wait_until(lambda: any(d["event"] == "flight.unavailable" for d in documents(file)), BOUND_S)


def test_readers_see_whole_records_while_a_node_writes(run_dir, servant):
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            servant.ask(["who"])

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(50):
            (life,) = recordings(run_dir, SERVANT)
            assert {turn.path for turn in life.recording.turns} <= {SERVANT}
            assert {turn.kind for turn in life.recording.turns} <= {"list", "on_start"}
    finally:
        stop.set()
        thread.join()


def test_why_tells_of_a_live_tree_and_of_the_same_tree_when_all_of_it_was_killed(run_dir, capfd):
    def why(path):
        code = run(["why", path, "--run-dir", str(run_dir.path), "--json"])
        return code, json.loads(capfd.readouterr().out)

    with running_warden(run_dir.path, "two_nodes") as warden:
        os.kill(warden.tree().root.find("/solo").pid, signal.SIGKILL)
        warden.wait_for_tree(lambda tree: tree.root.find("/solo").incarnation == 2, BOUND_S)
        warden.wait_for_tree(lambda tree: tree.root.find("/solo").state == "running", BOUND_S)

        code, alive = why("/solo")
        assert (code, alive["state"], alive["cause"], alive["exit"]["signal"]) == (0, "running", "killed", "SIGKILL")
        code, sound = why("/engine/conductor")
        assert (code, sound["cause"], sound["node"]) == (0, "none", "/engine")

        for process in (warden.process.pid, *(child.pid for child in warden.descendants())):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        warden.process.wait(BOUND_S)

    code, dead = why("/solo")
    assert (code, dead["state"], dead["cause"], dead["exit"]["signal"]) == (0, None, "killed", "SIGKILL")
    code, dead = why("/engine/conductor")
    assert (code, dead["state"], dead["node"]) == (0, None, "/engine")
    assert any("not recorded" in statement["text"] for statement in dead["statements"])


def test_a_kernel_that_is_killed_leaves_its_own_recording(run_dir):
    with running_warden(run_dir.path, "two_nodes") as warden:
        before = warden.tree().root.pid
        os.kill(before, signal.SIGKILL)
        warden.wait_for_tree(lambda tree: tree.root.pid != before, BOUND_S)

        kernels = [life.recording for life in recordings(run_dir, "kernel")]

    assert [recording.header.pid == before for recording in kernels] == [False, True]
    assert any(note.type == "kernel.ready" for note in kernels[1].notes)


def test_whoever_asks_while_a_recording_is_gone_is_told_what_else_is_known(system, run_dir, servant, events):
    os.kill(servant.ask(["who"])["pid"], signal.SIGKILL)
    assert events.expect("actor.restarted", timeout=BOUND_S)
    for file in run_dir.flight.iterdir():
        file.unlink()

    told = tell(evidence(system, run_dir))

    assert (told.cause, told.handling) == ("killed", ())
    with pytest.raises(ActorRuntimeError):
        servant.ask(["signal", "SIGKILL"])
