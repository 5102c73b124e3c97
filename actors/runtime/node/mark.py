"""The mark of a node: a variable that whatever a node starts inherits, so that it is known whose it is after any number of forks.

It is found only in what was started by `exec`: the system keeps the environment that a program began with.
"""

import contextlib
import os
from pathlib import Path

NODE_MARK = "ACTORS_NODE"


def mark_of(path: str, incarnation: int, pid: int) -> str:
    """Give the mark of a node's life. With its pid, so that it is no other's in a tree that runs within another's node."""
    return f"{path}#{incarnation}@{pid}"


def wear_mark(path: str, incarnation: int) -> None:
    """Mark what this process starts from now on."""
    os.environ[NODE_MARK] = mark_of(path, incarnation, os.getpid())


def variable_of(pid: int, name: str) -> str | None:
    """Give a variable of the environment that a process began with, None where it has none or may not be asked."""
    with contextlib.suppress(OSError):
        for variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            found, is_set, value = variable.partition(b"=")
            if is_set and found == name.encode():
                return os.fsdecode(value)
    return None
