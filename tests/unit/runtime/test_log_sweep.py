"""Logs of nodes that are gone do not fill the folder; those of nodes that go on stay."""

import os

import pytest

from actors.runtime.flight.files import name_life
from actors.runtime.flight.recorder import open_recorder
from actors.runtime.log_sweep import EVERY, LogSweep
from actors.runtime.run_directory import RunDirectory
from tests.support.clock import FakeClock


@pytest.fixture
def run_dir(tmp_path, monkeypatch):
    monkeypatch.setattr("actors.runtime.log_sweep.MOST", 10)
    run_dir = RunDirectory(tmp_path)
    run_dir.logs.mkdir()
    return run_dir


def write(run_dir, node, at):
    file = run_dir.log_of(node)
    file.write_bytes(b"{}")
    os.utime(file, (at, at))
    return file


def test_the_oldest_logs_of_nodes_that_are_gone_go(run_dir):
    old = run_dir.logs / "job-0.old.jsonl"
    files = [write(run_dir, f"/job-{number}", 1000.0 + number) for number in range(15)]
    old.write_bytes(b"{}")
    os.utime(old, (900.0, 900.0))

    LogSweep(run_dir).on_new_log()

    assert [file.exists() for file in files] == [False] * 5 + [True] * 10
    assert not old.exists()


def test_the_log_of_a_node_that_goes_on_and_the_kernel_s_stay(run_dir):
    lives, kernel = write(run_dir, "/lives", 1.0), write(run_dir, "kernel", 1.0)
    recorder = open_recorder(name_life(run_dir.flight, "lives", 1.0, 1), "/lives", FakeClock())
    gone = write(run_dir, "/gone", 2.0)
    for number in range(10):
        write(run_dir, f"/job-{number}", 1000.0 + number)

    LogSweep(run_dir).on_new_log()

    assert (lives.exists(), kernel.exists(), gone.exists()) == (True, True, False)
    recorder.close()


def test_jobs_that_come_and_go_leave_a_bounded_number_of_logs(run_dir):
    sweep = LogSweep(run_dir)
    for number in range(300):
        write(run_dir, f"/job-{number}", 1000.0 + number)
        sweep.on_new_log()

    assert len(list(run_dir.logs.iterdir())) <= 10 + EVERY


def test_a_folder_that_is_not_there_is_no_problem(run_dir):
    run_dir.logs.rmdir()

    LogSweep(run_dir).on_new_log()
