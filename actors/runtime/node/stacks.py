"""Stacks: have a node that hangs write down where its threads are, and read that, before it is killed.

The node's half is `node_process.stack_dump`. Everything here has a bound: a process that is stopped, or so far gone that it does
not take signals, writes nothing, and is killed all the same.
"""

import contextlib
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

DUMP_SIGNAL = signal.SIGURG
WAIT_S = 0.2
PAUSE_S = 0.01
STILL_LOOKS = 2
MOST_BYTES = 32 * 1024
STOPPED = ("T", "t")
"""States of a process, as /proc has them, in which it runs no handler of a signal."""


class Dump(NamedTuple):
    """The stacks as text, or the problem that there was with them."""

    text: str | None
    problem: str | None


def dump(pid: int, file: Path, send: Callable[[signal.Signals], None]) -> Dump:
    """Have the stacks of process `pid`, to which `send` sends a signal, written to `file`. Takes 0.2 s at most."""
    if state_of(pid) in STOPPED:
        return Dump(None, "the process is stopped, so it runs nothing that could write them")
    size = before = _size(file)
    send(DUMP_SIGNAL)
    pace = threading.Event()
    still = 0
    for _ in range(round(WAIT_S / PAUSE_S)):
        pace.wait(PAUSE_S)
        last, size = size, _size(file)
        # There is no end mark: they are written in one go, so what has not grown for a while is whole.
        still = still + 1 if size == last and size > before else 0
        if still == STILL_LOOKS:
            break
    text = _read(file, before)
    return Dump(text, None) if text else Dump(None, f"the process has written none within {WAIT_S} s")


def state_of(pid: int) -> str:
    """Give a process's state as one letter, or nothing where it is not known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # After the last bracket: the name between them may hold anything.
    return stat.rpartition(")")[2].split()[0]


def _size(file: Path) -> int:
    with contextlib.suppress(OSError):
        return file.stat().st_size
    return 0


def _read(file: Path, offset: int) -> str:
    with contextlib.suppress(OSError), file.open("rb") as stream:
        stream.seek(offset)
        return stream.read(MOST_BYTES).decode("utf-8", "replace").strip()
    return ""
