"""Survivors: whatever of a started tree is still there, found by a variable that every process below inherits."""

import os
import threading
import time

import psutil

VARIABLE = "SYMPHONY_DEMO"


def survivors(mark: str, *, timeout_s: float) -> list[str]:
    """Give the processes, but this one, that carry `mark` after waiting up to `timeout_s` seconds for them to leave."""
    deadline = time.monotonic() + timeout_s
    pacing = threading.Event()
    while (left := _marked(mark)) and time.monotonic() < deadline:
        pacing.wait(0.05)
    return left


def _marked(mark: str) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(VARIABLE) == mark:
                found.append(f"{process.pid} ({' '.join(process.cmdline())[:100]})")
        except psutil.Error:
            continue  # it has ended, or is another user's
    return found
