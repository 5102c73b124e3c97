"""What `symphony reload` says where the kernel goes away under it, or what it has added does not run."""

from actors.runtime.clock import SystemClock
from actors.runtime.events import EventLog
from actors.runtime.kernel.event_record import EventRecord
from actors.runtime.run_directory import RunDirectory
from actors.runtime.supervision.changes import Change
from symphony.cli.reload import _why_gone

CHANGES = [Change("/bad", "added")]


def record(tmp_path, *events):
    run_dir = RunDirectory(tmp_path)
    log = EventLog(SystemClock(), "kernel")
    written = EventRecord(run_dir, log, {})
    for type_, path, fields in events:
        log.publish(type_, path, **fields)
    written.close()
    return run_dir


def test_a_kernel_that_has_failed_by_it_is_told_of_with_the_error_of_what_failed(tmp_path):
    run_dir = record(tmp_path, ("kernel.stopped", "/", {"reason": "failed", "error": "/bad used up its restarts: no such till"}))

    assert _why_gone(run_dir, CHANGES, 0.0) == (
        "the tree has failed while it was reloaded: /bad used up its restarts: no such till"
    )


def test_a_kernel_that_has_said_nothing_is_told_of_with_what_its_children_came_to(tmp_path, monkeypatch):
    monkeypatch.setattr("symphony.cli.reload.LAST_WORD_S", 0.0)
    run_dir = record(tmp_path, ("actor.exited", "/bad", {"incarnation": 1, "reason": "failed", "error": "no such till"}))

    said = _why_gone(run_dir, CHANGES, 0.0)

    assert "the kernel ended while the tree was reloaded" in said
    assert "no such till" in said
