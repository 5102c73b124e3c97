"""Waiting for processes to be gone."""

import threading
import time

import psutil

GONE_S = 2.0


def gone(pids):
    wait_until(lambda: not any(_lives(pid) for pid in pids))


def has_ended(pid):
    """Tell whether there is no such process any more, or only a zombie."""
    return not _lives(pid)


def wait_until(holds):
    deadline, pause = time.monotonic() + GONE_S, threading.Event()
    while not holds():
        assert time.monotonic() < deadline, f"not so within {GONE_S} s"
        pause.wait(0.005)


def _lives(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
