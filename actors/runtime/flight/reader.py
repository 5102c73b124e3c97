"""Reading what the processes of a run directory have left behind: recordings, crash files, events and log lines.

Everything here may be read while it is written, half written or gone by the time it is opened: what cannot be read is left out.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ..clock import seconds_of
from ..event import Event
from ..run_directory import RunDirectory
from . import ring
from .files import LifeFiles, lives_in

MAX_CRASH = 64 * 1024
MAX_EVENTS = 8 * 1024 * 1024
MAX_LOG = 4 * 1024 * 1024
_HEAD = ("schema", "seq", "at", "type", "path", "node")


class Recorded(NamedTuple):
    """One life of a node, as its files tell it. `crash` is empty where the interpreter had no fault of its own."""

    files: LifeFiles
    recording: ring.Recording
    crash: str


def recordings(run_dir: RunDirectory, node: str) -> list[Recorded]:
    """Give the recorded lives of a node, the newest first."""
    found = []
    for life in lives_in(run_dir.flight, run_dir.log_of(node).stem):
        recording = read_recording(life.flight)
        if recording is not None and recording.header.node == node:
            found.append(Recorded(life, recording, read_crash(life.crash)))
    return found


def recorded_nodes(run_dir: RunDirectory) -> set[str]:
    """Give the nodes that have recordings."""
    headers = (read_recording(life.flight, ring.HEADER_SIZE) for life in lives_in(run_dir.flight))
    return {recording.header.node for recording in headers if recording is not None}


def read_recording(file: Path, size: int = ring.FILE_SIZE) -> ring.Recording | None:
    """Give what the first `size` bytes of a file say; None where it is not there, or no recording."""
    with suppress(OSError), file.open("rb") as stream:
        return ring.decode(stream.read(size))
    return None


def read_crash(file: Path) -> str:
    """Give what `faulthandler` has written; nothing where there is no such file."""
    with suppress(OSError), file.open("rb") as stream:
        return stream.read(MAX_CRASH).decode("utf-8", "replace").strip()
    return ""


def read_events(run_dir: RunDirectory) -> list[Event]:
    """Give the recorded events, oldest first: the last 8 MiB of them at most."""
    data = _tail(run_dir.events, MAX_EVENTS)
    if len(data) < MAX_EVENTS:
        data = _tail(run_dir.events.with_suffix(".old.jsonl"), MAX_EVENTS - len(data)) + data
    return [event for document in _documents(data) if (event := _event(document)) is not None]


def read_log(file: Path, path: str) -> list[dict[str, Any]]:
    """Give the log records about the actor at `path` in a node's log, oldest first: from the last 4 MiB at most."""
    return [record for record in _documents(_tail(file, MAX_LOG)) if record.get("path") == path]


def _tail(file: Path, limit: int) -> bytes:
    with suppress(OSError), file.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - limit))
        return stream.read(limit)
    return b""


def _documents(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.splitlines():
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            yield msgspec.json.decode(line, type=dict[str, Any])


def _event(document: dict[str, Any]) -> Event | None:
    fields = {name: value for name, value in document.items() if name not in _HEAD}
    with suppress(KeyError, TypeError, ValueError):
        at = seconds_of(document["at"])
        return Event(int(document["seq"]), at, str(document["type"]), str(document["path"]), str(document["node"]), fields)
    return None
