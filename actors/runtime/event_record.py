"""EventRecord: the kernel's events and lives on disk, written behind the events' back by a thread of its own.

A disk that is slow or full costs lines of the record, which are counted, and never holds the tree up.
"""

import contextlib
import queue
import threading
from collections.abc import Callable

import msgspec
import structlog

from .events import Event, EventLog
from .run_directory import RunDirectory

_log = structlog.get_logger("actors.runtime")

MAX_WAITING = 10_000
ROTATE_ABOVE = 16 * 1024 * 1024


class EventRecord:
    """Appends every event to the run directory's `events.jsonl` and keeps `lives` up to date. `close` it last."""

    def __init__(self, run_dir: RunDirectory, events: EventLog, lives: dict[str, int]) -> None:
        self._run_dir = run_dir
        self._lives = lives
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
        while (event := self._waiting.get()) is not None:
            self._attempt(self._write, event)
            if event.type in ("actor.started", "actor.restarted"):
                self._attempt(self._write_lives, event)

    def _attempt(self, write: Callable[[Event], None], event: Event) -> None:
        try:
            write(event)
        except Exception as error:  # a full disk or a text that is no unicode costs this line, and never the thread
            self._lost += 1
            _log.warning("event_record.write_failed", reason=repr(error), lost=self._lost)

    def _write(self, event: Event) -> None:
        with self._run_dir.events.open("ab") as file:
            file.write(msgspec.json.encode(event.document()) + b"\n")
            size = file.tell()
        if size > ROTATE_ABOVE:
            rotate(self._run_dir)

    def _write_lives(self, _event: Event) -> None:
        new = self._run_dir.lives.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(dict(self._lives)))
        new.replace(self._run_dir.lives)


def read_lives(run_dir: RunDirectory) -> dict[str, int]:
    """Give the last incarnation of each path that an earlier kernel has recorded; none where there is no such record."""
    with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
        return msgspec.json.decode(run_dir.lives.read_bytes(), type=dict[str, int])
    return {}


def rotate(run_dir: RunDirectory) -> None:
    """Start a new record where the old one is over 16 MiB; the last one is kept."""
    with contextlib.suppress(OSError):
        if run_dir.events.stat().st_size > ROTATE_ABOVE:
            run_dir.events.replace(run_dir.events.with_suffix(".old.jsonl"))
