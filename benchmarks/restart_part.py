"""Part: some rows of the question how quickly and how cleanly a tree heals; each part has its own trees and its method."""

import gc
import threading
import time
from collections.abc import Callable, Sequence

import psutil
from msgspec import Struct

from actors.runtime.control.client import ControlClient
from actors.runtime.event import Event

from .report import Bar, NotMeasuredError, Row

WAIT_S = 30.0


class Part(Struct, frozen=True):
    """What one part measured."""

    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    notes: tuple[str, ...] = ()


def wait_until(holds: Callable[[], bool], what: str, *, within_s: float = WAIT_S, pause_s: float = 0.002) -> None:
    """Wait until `holds`. Raises `NotMeasuredError` with `what`, which did not come about in time."""
    pacing, deadline = threading.Event(), time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise NotMeasuredError(f"{what} within {within_s:g} s")
        pacing.wait(pause_s)


def events_since(client: ControlClient, seq: int) -> list[Event]:
    """Give the events with a higher number."""
    return [event for batch in client.events(since=seq) for event in batch.events]


def newest(client: ControlClient) -> int:
    """Give the number of the newest event, 0 before the first."""
    return max((event.seq for event in events_since(client, 0)), default=0)


def alive(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Give those that have not ended; a zombie has."""
    left = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                left.append(process)
        except psutil.NoSuchProcess:
            continue
    return left


def equal_to(metric: str, wanted: float, unit: str, measured: float) -> Bar:
    """Give a bar that a figure must meet exactly."""
    return Bar(metric, f"= {wanted:g} {unit}".rstrip(), measured, measured == wanted)


def settle() -> None:
    """Collect garbage now, so that none is collected in the middle of a measurement."""
    gc.collect()
