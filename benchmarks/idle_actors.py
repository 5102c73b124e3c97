"""What a crowd of idle actors costs: resident memory each, and the time to spawn them. To be called in a fresh process."""

import gc
import os
import time
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from actors.runtime import Actor, ActorSystem
from actors.runtime.errors import ActorRuntimeError

from .report import NotMeasuredError

STATM = Path("/proc/self/statm")


class IdleCost(Struct, frozen=True):
    """What the crowd cost. `bytes_each` is resident memory; spawning took `spawned_s` seconds in all.

    `trouble` says why the system could not be stopped; the figures are from before that, and stand.
    """

    bytes_each: float
    spawned_s: float
    trouble: str | None = None


class Idle(Actor):
    """Does nothing."""


def idle_cost(count: int) -> IdleCost:
    """Spawn `count` actors into one system, all under its root. Raises `NotMeasuredError` where the kernel has no statm."""
    cost: IdleCost | None = None
    try:
        with ActorSystem("idle") as system:
            before = _resident_bytes()
            began = time.perf_counter()
            for n in range(count):
                system.spawn(Idle, name=f"idle-{n}")
            spawned_s = time.perf_counter() - began
            cost = IdleCost((_resident_bytes() - before) / count, spawned_s)
    except ActorRuntimeError as error:
        if cost is None:
            raise
        return replace(cost, trouble=f"{count:,} idle actors could not be stopped: {type(error).__name__}: {error}")
    return cost


def _resident_bytes() -> int:
    gc.collect()
    try:
        pages = int(STATM.read_text().split()[1])
    except FileNotFoundError:
        raise NotMeasuredError(f"resident memory is read from {STATM}, which this system does not have") from None
    return pages * os.sysconf("SC_PAGE_SIZE")
