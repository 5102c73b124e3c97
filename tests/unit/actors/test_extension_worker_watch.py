"""Watching and logging for one worker: what both do when the process dies, and when they are closed."""

import json
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from actors.extensions import worker_log
from actors.extensions.worker_log import WorkerLog
from actors.extensions.worker_watch import WorkerWatch
from actors.runtime.testing import FakeClock
from symphony.domain.errors import UnavailableError

BOUND_S = 20.0


@contextmanager
def watched(code: str) -> Iterator[tuple["subprocess.Popen[bytes]", WorkerWatch, "queue.Queue[int]"]]:
    told: queue.Queue[int] = queue.Queue()
    with subprocess.Popen([sys.executable, "-S", "-c", code], stdin=subprocess.PIPE) as process:
        pidfd = os.pidfd_open(process.pid)
        watch = WorkerWatch(pidfd, "acme.ext", told.put)
        os.close(pidfd)
        try:
            yield process, watch, told
        finally:
            watch.close()
            process.kill()


def test_an_end_is_told_with_its_status_and_the_process_is_left_to_its_parent():
    with watched("import sys; sys.stdin.read(); sys.exit(7)") as (process, _, told):
        process.stdin.close()

        assert told.get(timeout=BOUND_S) == 7
        assert process.wait() == 7


def test_a_killed_process_is_told_by_its_signal():
    with watched("import signal; signal.pause()") as (process, watch, told):
        watch.kill()

        assert told.get(timeout=BOUND_S) == -signal.SIGKILL
        assert process.wait() == -signal.SIGKILL


def test_a_closed_watch_tells_nothing_and_kills_nobody():
    with watched("import sys; sys.stdin.read()") as (process, watch, told):
        watch.close()
        watch.close()
        watch.kill()
        process.stdin.close()

        assert process.wait() == 0
        assert told.empty()


def test_killing_what_was_reaped_does_nothing():
    with watched("") as (process, watch, _):
        process.wait()
        watch.kill()


def test_records_are_lines_of_json_behind_what_was_printed(tmp_path):
    log = WorkerLog(tmp_path / "logs" / "a.log", FakeClock())
    os.write(log.fd, b"printed\n")
    log.add("heard", {"level": "info", "raw": b"\xff", "deep": [{"x": float("nan")}]})
    log.close()
    log.close()
    log.add("too late", {})

    printed, record = (tmp_path / "logs" / "a.log").read_text().splitlines()
    assert printed == "printed"
    assert json.loads(record) == {
        "at": "2023-11-14T22:13:20.000000Z",
        "event": "heard",
        "fields": {"level": "info", "raw": "/w==", "deep": [{"x": None}]},
    }


def test_a_large_log_is_put_aside_when_the_next_life_begins(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_log, "MAX_SIZE", 3)
    path = tmp_path / "a.log"
    path.write_text("four")
    WorkerLog(path, FakeClock()).close()

    assert (path.read_text(), path.with_suffix(".old.log").read_text()) == ("", "four")


def test_a_log_that_cannot_be_opened_is_told(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(UnavailableError, match="cannot be opened"):
        WorkerLog(tmp_path / "file" / "a.log", FakeClock())
