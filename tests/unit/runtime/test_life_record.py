"""The record of lives: read again as written, at a cost that does not grow; lost numbers are made good by skipping some."""

import errno
from pathlib import Path

import pytest

from actors.runtime.clock import SystemClock
from actors.runtime.events import EventLog
from actors.runtime.kernel.event_record import EventRecord
from actors.runtime.kernel.life_record import SKIPPED, LifeRecord, read_lives
from actors.runtime.run_directory import RunDirectory
from tests.support.wardens import wait_until

BOUND_S = 10.0


@pytest.fixture
def run_dir(tmp_path):
    return RunDirectory(tmp_path)


@pytest.fixture
def full_disk(monkeypatch):
    """Make the disk full; call what this gives to empty it."""

    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    def write_some(path, data):
        with path.open("wb") as file:
            file.write(data[:3])
        fail()

    real_open = Path.open

    def fill():
        monkeypatch.setattr(Path, "write_bytes", write_some)
        monkeypatch.setattr(Path, "open", lambda path, mode="r": fail() if "a" in mode else real_open(path, mode))
        return monkeypatch.undo

    return fill


def test_every_life_is_read_again_and_the_last_counts(run_dir):
    lives = {}
    record = LifeRecord(run_dir, lives)
    for life in range(1, 8):
        lives[f"/a{life % 3}"] = life
        record.write()

    assert read_lives(run_dir) == lives == {"/a0": 6, "/a1": 7, "/a2": 5}


def test_a_life_costs_its_own_line_whatever_else_lives(run_dir):
    lives = {f"/worker-{number}": 1 for number in range(2000)}
    record = LifeRecord(run_dir, lives)
    record.write()
    whole = run_dir.lives.stat().st_size
    lives["/worker-7"] = 2
    record.write()

    assert run_dir.lives.stat().st_size - whole == len('{"/worker-7":2}\n')


def test_the_file_stays_within_a_bound_over_any_number_of_lives(run_dir):
    lives = {}
    record = LifeRecord(run_dir, lives)
    for life in range(1, 5000):
        lives["/solo"] = life
        record.write()

    assert run_dir.lives.stat().st_size < 20_000
    assert read_lives(run_dir) == lives


def test_a_line_that_was_cut_off_costs_no_other(run_dir):
    run_dir.lives.write_bytes(b'{"/a":3}\n{"/b":2}\n{"/a"')

    assert read_lives(run_dir) == {"/a": 3, "/b": 2}


def test_lives_that_a_full_disk_has_lost_are_made_good_by_numbers_that_are_skipped_until_it_is_empty_again(run_dir, full_disk):
    lives = {"/a": 1}
    record = LifeRecord(run_dir, lives)
    record.write()
    empty = full_disk()
    for life in (2, 3):
        lives["/a"] = life
        with pytest.raises(OSError, match="No space"):
            record.write()

    assert not list(run_dir.path.glob("*.new"))
    assert read_lives(run_dir) == {"/a": 1 + SKIPPED}
    empty()
    lives["/a"] = 4
    record.write()
    assert read_lives(run_dir) == {"/a": 4}
    assert not run_dir.lives_behind.exists()


def test_the_kernel_s_record_of_a_thousand_starts_takes_all_of_them(run_dir):
    lives: dict[str, int] = {}
    events = EventLog(SystemClock(), "k")
    record = EventRecord(run_dir, events, lives)
    for number in range(1000):
        lives[f"/w{number}"] = 1
        events.publish("actor.started", f"/w{number}", incarnation=1)

    assert wait_until(lambda: read_lives(run_dir) == lives, BOUND_S)
    record.close()
    assert len(run_dir.events.read_text().splitlines()) == 1000
    assert run_dir.lives.stat().st_size < 100_000


def test_a_text_that_is_no_unicode_costs_its_own_line_of_the_record_and_no_other(run_dir):
    events = EventLog(SystemClock(), "k")
    record = EventRecord(run_dir, events, {})
    for text in ("one", "\ud800", "two"):
        events.publish("some.told", "/a", text=text)
    record.close()

    lines = run_dir.events.read_text().splitlines()
    assert [text in "".join(lines) for text in ("one", "two")] == [True, True]
