"""Log lines get into their files behind everybody's back; under pressure they are dropped and counted, and nobody waits."""

import json
import threading

import pytest

from actors.runtime import ActorSystem, log_writer
from actors.runtime.log_writer import LogWriter
from actors.runtime.testing import EventProbe
from tests.support.wardens import wait_until

BOUND_S = 10.0


@pytest.fixture
def lost():
    return []


@pytest.fixture
def writer(lost):
    made = LogWriter(lambda node, count: lost.append((node, count)))
    yield made
    made.close()


def documents(file):
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def has_lines(file, count):
    return wait_until(lambda: file.exists() and len(file.read_bytes().splitlines()) >= count, BOUND_S)


def test_lines_are_appended_whole_and_in_order(writer, tmp_path):
    file = tmp_path / "a.jsonl"
    for number in range(50):
        writer.put(file, "/a", [b'{"n":%d}' % number, b'{"n":-1}'])

    assert has_lines(file, 100)
    assert [document["n"] for document in documents(file)][::2] == list(range(50))


def test_each_node_has_its_file(writer, tmp_path):
    writer.put(tmp_path / "a.jsonl", "/a", [b'{"of":"a"}'])
    writer.put(tmp_path / "b.jsonl", "/b", [b'{"of":"b"}'])

    for name in "ab":
        assert has_lines(tmp_path / f"{name}.jsonl", 1)
        assert documents(tmp_path / f"{name}.jsonl") == [{"of": name}]


def test_what_a_node_has_lost_is_said_before_its_next_line(writer, lost, tmp_path):
    file = tmp_path / "a.jsonl"
    writer.put(file, "/a", [b'{"n":1}'], 7)

    assert has_lines(file, 2)
    said, line = documents(file)
    assert (said["event"], said["count"], said["node"]) == ("log.dropped", 7, "/a")
    assert line == {"n": 1}
    assert wait_until(lambda: lost == [("/a", 7)], BOUND_S)


def test_a_flood_is_dropped_and_counted_while_the_disk_does_not_answer(lost, tmp_path, monkeypatch):
    """Every line is either in the file or in a count, and `put` returns at once."""
    monkeypatch.setattr(log_writer, "MAX_WAITING", 10_000)
    entered, go_on = threading.Event(), threading.Event()

    class SlowWriter(LogWriter):
        def _write(self, batch, lost):
            entered.set()
            go_on.wait(BOUND_S)
            super()._write(batch, lost)

    writer = SlowWriter(lambda node, count: lost.append((node, count)))
    file = tmp_path / "a.jsonl"
    writer.put(file, "/a", [b'{"n":0}'])
    assert entered.wait(BOUND_S)
    for _ in range(5000):
        writer.put(file, "/a", [b'{"n":1}'])
    go_on.set()

    assert wait_until(lambda: file.exists() and file.stat().st_size > 9000, BOUND_S)
    writer.put(file, "/a", [b'{"n":2}'])
    assert wait_until(lambda: documents(file)[-1] == {"n": 2}, BOUND_S)
    writer.close()
    found = documents(file)
    dropped = sum(document["count"] for document in found if "count" in document)
    assert dropped > 0
    assert dropped + sum("n" in document for document in found) == 5002
    assert sum(count for _, count in lost) <= dropped


def test_losses_are_told_not_more_often_than_every_few_seconds(writer, lost, tmp_path):
    file = tmp_path / "a.jsonl"
    for _ in range(20):
        writer.put(file, "/a", [b"{}"], 1)

    assert has_lines(file, 40)
    writer.close()
    assert lost == [("/a", 1)]


def test_a_full_disk_costs_lines_which_are_counted(lost, tmp_path):
    """The next line that gets through says how many were lost."""
    file = tmp_path / "a.jsonl"
    file.symlink_to("/dev/full")
    tried = threading.Semaphore(0)

    class Watched(LogWriter):
        def _write(self, batch, lost):
            try:
                super()._write(batch, lost)
            finally:
                tried.release()

    writer = Watched(lambda node, count: lost.append((node, count)))
    for _ in range(3):
        writer.put(file, "/a", [b'{"n":1}'])
        assert tried.acquire(timeout=BOUND_S)
    file.unlink()
    writer.put(file, "/a", [b'{"n":2}'])

    assert has_lines(file, 2)
    writer.close()
    found = [document for line in file.read_bytes().splitlines() if line for document in [json.loads(line)]]
    assert [document.get("count") for document in found] == [3, None]


def test_a_folder_that_is_gone_sends_lines_to_standard_error(writer, tmp_path, capfd):
    writer.put(tmp_path / "gone" / "a.jsonl", "/a", [b'{"n":1}'])
    writer.close()

    assert json.loads(capfd.readouterr().err) == {"n": 1}


def test_a_file_that_has_become_large_is_put_aside_once(writer, tmp_path, monkeypatch):
    monkeypatch.setattr(log_writer, "ROTATE_ABOVE", 100)
    file = tmp_path / "a.jsonl"
    writer.put(file, "/a", [b'{"n":"%s"}' % (b"x" * 200)])
    assert wait_until((tmp_path / "a.old.jsonl").exists, BOUND_S)
    writer.put(file, "/a", [b'{"n":2}'])

    assert has_lines(file, 1)
    assert documents(file) == [{"n": 2}]


def test_what_waits_at_the_end_is_written(tmp_path):
    writer = LogWriter()
    for number in range(100):
        writer.put(tmp_path / "a.jsonl", "/a", [b'{"n":%d}' % number])
    writer.close()

    assert len(documents(tmp_path / "a.jsonl")) == 100


def test_a_system_s_events_tell_of_lines_that_a_node_has_lost(tmp_path):
    with ActorSystem("lossy") as system:
        probe = EventProbe(system.events)
        system._logs.put(tmp_path / "a.jsonl", "/a", [b"{}"], 3)

        assert probe.expect("log.dropped", "/a", count=3)
        probe.close()


def test_a_writer_that_nobody_uses_has_no_thread(writer):
    assert writer._thread is None


def test_a_listener_that_fails_does_not_end_the_writing(tmp_path):
    file = tmp_path / "a.jsonl"

    def fail(_node, _count):
        raise RuntimeError("a listener's own fault")

    writer = LogWriter(fail)
    writer.put(file, "/a", [b'{"n":1}'], 3)
    writer.put(file, "/a", [b'{"n":2}'])
    assert has_lines(file, 3)
    writer.close()


def test_without_a_standard_error_lines_without_a_folder_are_lost_and_others_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    writer = LogWriter()
    writer.put(tmp_path / "no" / "a.jsonl", "/a", [b'{"n":1}'])
    writer.put(tmp_path / "b.jsonl", "/b", [b'{"n":2}'])
    assert has_lines(tmp_path / "b.jsonl", 1)
    writer.close()


def test_what_is_no_error_of_the_disk_costs_lines_and_not_the_thread(tmp_path):
    writer = LogWriter()
    writer.put(tmp_path / "a.jsonl", "/a", ["no bytes"])
    writer.put(tmp_path / "b.jsonl", "/b", [b'{"n":2}'])
    assert has_lines(tmp_path / "b.jsonl", 1)
    writer.close()


def test_each_file_that_is_new_is_told_of_once(tmp_path):
    new = []
    writer = LogWriter(on_new_file=lambda: new.append(True))
    for name in ("a", "b", "a", "b"):
        writer.put(tmp_path / f"{name}.jsonl", f"/{name}", [b'{"n":1}'])
    writer.close()

    assert len(new) == 2
