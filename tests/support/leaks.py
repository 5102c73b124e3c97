"""What a test left behind: threads, processes, file descriptors.

Compared by number, so that a fixture of a wider scope may replace what it holds (a node restarted by a fault test), and named by
what is new. The look is a few reads under /proc, because every test pays for it; only what seems to be a leak is waited for,
since a thread or process on its way out is none. Without a /proc (macOS) only threads are seen.
"""

import gc
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Self

import psutil

# multiprocessing starts a forkserver and a resource tracker once, and keeps them for as long as the session lives.
# A pipe to each, and one more, is what their first use may keep open.
SPARE_DESCRIPTORS = 3
ENDED = {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds at one moment."""

    threads: frozenset[threading.Thread]
    processes: frozenset[int]
    descriptors: frozenset[int]

    @classmethod
    def now(cls) -> Self:
        """Look, without waiting."""
        return cls(_threads(), frozenset(_processes()), _descriptors())


def left_behind(before: Held, *, grace_s: float) -> list[str]:
    """Name what there is more of now than `before`, one line each; waits up to `grace_s` seconds for what is leaving.

    Processes that were left behind are killed, so that one bad test does not spoil the next.
    """
    deadline = time.monotonic() + grace_s
    return [*_threads_left(before, deadline), *_processes_left(before, deadline), *_descriptors_left(before)]


def survivors(variable: str, value: str, *, grace_s: float) -> list[str]:
    """Name and kill the processes whose environment says `variable=value`, this one and multiprocessing's helpers excepted.

    It finds what no longer descends from us: a daemon, an orphan that init adopted. Waits up to `grace_s` seconds first.
    """
    kept = {os.getpid(), *_helpers()}
    found = {p: _environ(p) for p in psutil.process_iter() if p.pid not in kept and _environ(p).get(variable) == value}
    alive = _wait(list(found), grace_s)
    lines = [f"process {_command(p)}, started in {found[p].get('PYTEST_CURRENT_TEST', 'no test')}" for p in alive]
    _kill(alive)
    return lines


def _threads_left(before: Held, deadline: float) -> list[str]:
    if len(_threads()) <= len(before.threads):
        return []
    new = _threads() - before.threads
    for thread in new:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [f"thread {thread.name!r}" for thread in new if thread.is_alive()] if len(_threads()) > len(before.threads) else []


def _processes_left(before: Held, deadline: float) -> list[str]:
    if len(_processes()) <= len(before.processes):
        return []
    new = []
    for pid in _processes() - before.processes:
        with suppress(psutil.NoSuchProcess):
            new.append(psutil.Process(pid))
    alive = _wait(new, max(0.0, deadline - time.monotonic()))
    if len(_processes()) <= len(before.processes):
        return []
    lines = [f"process {_command(process)}" for process in alive]
    _kill(alive)
    return lines


def _descriptors_left(before: Held) -> list[str]:
    most = len(before.descriptors) + SPARE_DESCRIPTORS
    if len(_descriptors()) <= most:
        return []
    gc.collect()  # what only a reference cycle keeps open is closed here, with a ResourceWarning of its own
    now = _descriptors()
    return [f"descriptor {fd}, {_target(fd)}" for fd in sorted(now - before.descriptors)] if len(now) > most else []


def _threads() -> frozenset[threading.Thread]:
    """All but those that Python did not start: nobody here can end such a one, nor wait for it."""
    return frozenset(thread for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread))


def _processes() -> set[int]:
    """Our children and those of multiprocessing's helpers (what the forkserver forks is its child), without the helpers."""
    helpers = _helpers()
    return set(_children(os.getpid())).union(*map(_children, helpers)) - helpers


def _helpers() -> set[int]:
    """Return the pids that multiprocessing remembers: a command line tells as much only after the exec, which is a race."""
    pids = {getattr(forkserver._forkserver, "_forkserver_pid", None), getattr(resource_tracker._resource_tracker, "_pid", None)}
    return {pid for pid in pids if pid is not None}


def _children(pid: int) -> Iterator[int]:
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            yield from map(int, _read(task / "children").split())


def _read(path: Path) -> bytes:
    """Read a file under /proc; nothing, when what it told of has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return path.read_bytes()
    return b""


def _descriptors() -> frozenset[int]:
    with suppress(FileNotFoundError):
        listed = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
        return frozenset(fd for fd in listed if _is_open(fd))  # the listing lists its own, which is closed again
    return frozenset()


def _is_open(fd: int) -> bool:
    with suppress(OSError):
        os.fstat(fd)
        return True
    return False


def _target(fd: int) -> str:
    with suppress(FileNotFoundError):
        return str(Path(f"/proc/self/fd/{fd}").readlink())
    return "closed since"


def _command(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return f"{process.pid}: {' '.join(process.cmdline())[:200]}"
    return f"{process.pid}: ended since"


def _environ(process: psutil.Process) -> dict[str, str]:
    with suppress(psutil.Error):
        return process.environ()
    return {}


def _wait(processes: list[psutil.Process], timeout_s: float) -> list[psutil.Process]:
    """Return those that run on. A zombie does not: its parent buries it, and not every init does so (psutil waits for that)."""
    deadline, pause = time.monotonic() + timeout_s, threading.Event()
    while (alive := [p for p in processes if _status(p) not in ENDED]) and time.monotonic() < deadline:
        pause.wait(0.01)
    return alive


def _status(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return str(process.status())
    return psutil.STATUS_DEAD


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait(processes, 5.0)
