"""EventRecord: the kernel's events and lives on disk, written behind the events' back by a thread of its own.

A disk that is slow or full costs lines of the record, which are counted, and never holds the tree up.
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from functools import partial

import msgspec
import structlog

from ..event import Event
from ..events import EventLog
from ..run_directory import RunDirectory
from .life_record import LifeRecord

_log = structlog.get_logger("actors.runtime")

MAX_WAITING = 10_000
MAX_BATCH = 1000
ROTATE_ABOVE = 16 * 1024 * 1024


class EventRecord:
    """Appends every event to the run directory's `events.jsonl` and keeps `lives` up to date. `close` it last."""

    def __init__(self, run_dir: RunDirectory, events: EventLog, lives: dict[str, int]) -> None:
        self._run_dir = run_dir
        self._lives = LifeRecord(run_dir, lives)
        self._waiting: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._lost = 0
        self._stop = events.listen(self._take)
        self._thread = threading.Thread(target=self._write_forever, name="event-record", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what waits, within a second, and end the thread."""
        self._stop()
        self._waiting.put(None)
        self._thread.join(1.0)

    def _take(self, event: Event) -> None:
        if self._waiting.qsize() < MAX_WAITING:
            self._waiting.put(event)
        else:
            self._lost += 1

    def _write_forever(self) -> None:
        goes_on = True
        while goes_on:
            batch = [self._waiting.get()]
            # All that has come meanwhile in one go: a storm of restarts must not cost a file each.
            with contextlib.suppress(queue.Empty):
                while len(batch) < MAX_BATCH:
                    batch.append(self._waiting.get_nowait())
            goes_on = None not in batch
            events = [event for event in batch if event is not None]
            self._attempt(len(events), partial(self._write, events))
            if any(event.type in ("actor.started", "actor.restarted") for event in events):
                self._attempt(1, self._lives.write)

    def _attempt(self, lines: int, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception as error:  # a full disk costs these lines, and never the thread
            self._lost += lines
            _log.warning("event_record.write_failed", reason=repr(error), lost=self._lost)

    def _write(self, events: list[Event]) -> None:
        data = b"".join(map(self._line, events))
        if not data:
            return
        with self._run_dir.events.open("ab") as file:
            file.write(data)
            size = file.tell()
        if size > ROTATE_ABOVE:
            rotate(self._run_dir)

    def _line(self, event: Event) -> bytes:
        try:
            return msgspec.json.encode(event.document()) + b"\n"
        except Exception as error:  # a text that is no unicode, say, costs its own line and no other
            self._lost += 1
            _log.warning("event_record.write_failed", reason=repr(error), lost=self._lost)
            return b""


def rotate(run_dir: RunDirectory) -> None:
    """Start a new record where the old one is over 16 MiB; the last one is kept."""
    with contextlib.suppress(OSError):
        if run_dir.events.stat().st_size > ROTATE_ABOVE:
            run_dir.events.replace(run_dir.events.with_suffix(".old.jsonl"))
