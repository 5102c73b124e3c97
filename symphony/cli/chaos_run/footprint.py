"""Footprint: what a tree holds of the machine before and after a run: descriptors, memory, processes, and nothing left behind."""

import threading
import time
from collections.abc import Sequence

import psutil
from msgspec import Struct

MIB = 1024 * 1024
SPARE_FDS = 8
SPARE_RSS = 16 * MIB
SPARE_SHARE = 0.25
SETTLE_S = 5.0
PAUSE_S = 0.05


class ProcessUse(Struct, frozen=True):
    """What one process holds."""

    pid: int
    fds: int
    rss: int


class Footprint(Struct, frozen=True):
    """What the tree holds: its two permanent processes, how many processes it has, and which of them should not be there."""

    kernel: ProcessUse
    warden: ProcessUse
    processes: int
    zombies: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()


def take_footprint(kernel: int, warden: int) -> Footprint:
    """Look, without waiting. Raises `psutil.Error` where the kernel or the warden is not there."""
    below = psutil.Process(warden).children(recursive=True)
    statuses = [(process, _status(process)) for process in below]
    zombies = tuple(f"{process.pid}" for process, status in statuses if status == psutil.STATUS_ZOMBIE)
    adopted = [process for process in psutil.Process(warden).children() if process.pid != kernel]
    alive = [process for process, status in statuses if status not in ("gone", psutil.STATUS_ZOMBIE)]
    orphans = tuple(_named(process) for process in adopted if process in alive)
    return Footprint(_use_of(kernel), _use_of(warden), len(alive), zombies, orphans)


def settled_footprint(kernel: int, warden: int, before: Footprint) -> Footprint:
    """Look until nothing is left behind any more, SETTLE_S seconds at most: what is on its way out is no leak."""
    pacing, deadline = threading.Event(), time.monotonic() + SETTLE_S
    while growth(before, now := take_footprint(kernel, warden)) and time.monotonic() < deadline:
        pacing.wait(PAUSE_S)
    return now


def growth(before: Footprint, now: Footprint) -> Sequence[str]:
    """Say what there is more of now than before, beyond what ordinary life moves."""
    found = [f"zombie: pid {zombie}" for zombie in now.zombies]
    found += [f"orphan: {orphan}" for orphan in now.orphans]
    if now.processes > before.processes:
        found.append(f"{now.processes} processes below the warden, and {before.processes} before")
    for name, old, new in (("kernel", before.kernel, now.kernel), ("warden", before.warden, now.warden)):
        if new.fds > old.fds + SPARE_FDS:
            found.append(f"the {name} has {new.fds} descriptors, and had {old.fds}")
        if new.rss > old.rss + max(SPARE_RSS, int(old.rss * SPARE_SHARE)):
            found.append(f"the {name} has {new.rss // MIB} MiB of memory, and had {old.rss // MIB}")
    return found


def _use_of(pid: int) -> ProcessUse:
    process = psutil.Process(pid)
    return ProcessUse(pid, process.num_fds(), process.memory_info().rss)


def _status(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return "gone"


def _named(process: psutil.Process) -> str:
    try:
        return f"pid {process.pid} ({' '.join(process.cmdline())[:100]})"
    except psutil.Error:
        return f"pid {process.pid}"
