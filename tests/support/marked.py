"""Processes found by a mark in their environment: descendants that nobody lists, such as daemons, have it too."""

from contextlib import suppress

import psutil


def marked(variable: str, value: str) -> list[psutil.Process]:
    """Give the processes that live and whose environment says `variable=value`."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(variable) == value:
                found.append(process)
    return found
