"""What a warden does when it is signalled, when its kernel hangs, and what it tells a service manager; with real processes."""

import os
import pty
import signal
import socket
import subprocess
import sys
import threading

import psutil
import pytest

from actors.runtime.run_directory import RunDirectory
from tests.support.own_trees import BOUND_S, PROGRAM, Foreground, ask, short_run_dir, write_shop
from tests.support.wardens import are_gone, wait_until


@pytest.fixture
def run_dir():
    with short_run_dir() as path:
        yield path


@pytest.fixture
def app(tmp_path):
    return write_shop(tmp_path)


def test_a_service_manager_is_told_when_it_is_up_reloads_answers_and_stops(run_dir, app):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(run_dir.path / "notify"))
        manager.settimeout(BOUND_S)
        environ = {"NOTIFY_SOCKET": str(run_dir.path / "notify"), "WATCHDOG_USEC": "400000"}

        def hear(wanted):
            while not (said := manager.recv(4096).decode()).startswith(wanted):
                assert said == "WATCHDOG=1", said
            return said

        with Foreground(run_dir, app, "shop:tree", environ=environ) as up:
            assert f"MAINPID={up.process.pid}" in hear("READY=1")
            hear("WATCHDOG=1")
            up.process.send_signal(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in hear("RELOADING=1")
            assert "STATUS=running" in hear("READY=1")
            kernel = run_dir.holder().kernel
            os.kill(kernel, signal.SIGSTOP)
            assert_falls_silent(manager)
            os.kill(kernel, signal.SIGCONT)
            hear("WATCHDOG=1")
            up.process.send_signal(signal.SIGTERM)
            assert "at most 2.0 s" in hear("STOPPING=1")
            assert up.process.wait(BOUND_S) == 0


def assert_falls_silent(manager):
    """Assert that, but for what was on its way, nothing more comes for longer than a sign of life may stay out."""
    manager.settimeout(1.2)
    for _ in range(3):
        try:
            manager.recv(4096)
        except TimeoutError:
            break
    else:
        pytest.fail("there are signs of life of a kernel that is stopped")
    manager.settimeout(BOUND_S)


def test_a_second_signal_hurries_and_each_line_says_what_the_next_would_do(run_dir, app):
    with Foreground(run_dir, app, "stubborn:slow") as up:
        up.read_until(up.process.stdout, "ready in")
        family = psutil.Process(up.process.pid).children(recursive=True)
        up.process.send_signal(signal.SIGTERM)
        first = up.read_until(up.process.stderr, "SIGTERM")
        assert wait_until((app / "stopping").exists, BOUND_S)
        up.process.send_signal(signal.SIGINT)
        second = up.read_until(up.process.stderr, "SIGINT")

        assert up.process.wait(BOUND_S) == 0
        assert are_gone(family, BOUND_S)
    assert "stopping in order, at most 60.0 s; a second SIGTERM or SIGINT hurries, a third kills" in first
    assert "hurrying" in second
    assert not run_dir.is_held()


def test_a_hurry_also_ends_what_a_supervisor_that_is_not_stopping_yet_starts_again(run_dir, app):
    """The root stops its last child first; the nested supervisor before it would start its killed child again."""
    with Foreground(run_dir, app, "stubborn:nested") as up:
        up.read_until(up.process.stdout, "ready in")
        up.process.send_signal(signal.SIGTERM)
        assert wait_until((app / "stopping").exists, BOUND_S)
        up.process.send_signal(signal.SIGTERM)

        assert up.process.wait(BOUND_S) == 0
    assert not run_dir.is_held()


def test_a_third_signal_kills_and_the_exit_code_says_so(run_dir, app):
    with Foreground(run_dir, app, "stubborn:slow") as up:
        up.read_until(up.process.stdout, "ready in")
        family = psutil.Process(up.process.pid).children(recursive=True)
        kernel = RunDirectory(run_dir.path).holder().kernel
        os.kill(kernel, signal.SIGSTOP)  # so that neither a stop nor a hurry can be heard
        for number in (1, 2, 3):
            up.process.send_signal(signal.SIGTERM)
            line = up.read_until(up.process.stderr, "SIGTERM")
            assert ("stopping", "hurrying", "killing everything")[number - 1] in line

        assert up.process.wait(BOUND_S) == 1
        assert are_gone(family, BOUND_S)
    assert not run_dir.is_held()


def test_a_signal_in_the_middle_of_a_start_interrupts_it_and_stops_what_is_up(run_dir, app):
    with Foreground(run_dir, app, "stubborn:late") as up:
        assert wait_until((app / "starting").exists, BOUND_S)
        family = psutil.Process(up.process.pid).children(recursive=True)
        up.process.send_signal(signal.SIGTERM)

        assert up.process.wait(BOUND_S) == 1
        assert are_gone(family, BOUND_S)
        assert "stopped before it was up" in up.process.stderr.read()
    assert (app / "stopping").exists()
    assert not run_dir.is_held()


def test_a_kernel_that_is_stopped_is_replaced(run_dir, app):
    with Foreground(run_dir, app, "shop:tree") as up:
        up.read_until(up.process.stdout, "ready in")
        kernel = run_dir.holder().kernel
        assert ask(run_dir, "/till", 1) == 1
        os.kill(kernel, signal.SIGSTOP)

        assert "does not answer" in up.read_until(up.process.stderr, f"pid {kernel}")
        assert wait_until(lambda: run_dir.holder().kernel not in (0, kernel), BOUND_S)
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(BOUND_S) == 0


def test_a_signal_while_the_user_s_code_is_imported_ends_that_and_all_it_has_started(run_dir, app):
    (app / "stuck.py").write_text(
        "import pathlib, subprocess, sys, threading\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        f"pathlib.Path({str(app / 'child')!r}).write_text(str(child.pid))\n"
        "threading.Event().wait()\n"
    )
    with Foreground(run_dir, app, "stuck:tree") as up:
        assert wait_until(lambda: (app / "child").exists() and (app / "child").read_text(), BOUND_S)
        family = psutil.Process(up.process.pid).children(recursive=True)
        up.process.send_signal(signal.SIGTERM)

        assert up.process.wait(BOUND_S) == 1
        assert are_gone(family, BOUND_S)
        assert "interrupted" in up.process.stderr.read()


WITH_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, sys.argv[1:])
"""


def test_a_terminal_that_goes_away_stops_the_tree_and_reloads_nothing(run_dir, app):
    terminal, end = pty.openpty()
    arguments = [*PROGRAM, "up", "shop:tree", "--run-dir", str(run_dir.path)]
    command = [sys.executable, "-c", WITH_TERMINAL, *arguments]
    with subprocess.Popen(command, cwd=app, stdin=end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
        os.close(end)
        timer = threading.Timer(BOUND_S, up.kill)
        timer.start()
        assert any("ready in" in line for line in up.stdout)
        timer.cancel()
        os.close(terminal)

        assert up.wait(BOUND_S) == 0
        assert "SIGHUP: stopping in order" in up.stderr.read()
