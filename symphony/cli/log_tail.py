"""The last log lines of an actor, read from its node's file without reading all of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

TAIL_BYTES = 256 * 1024


def last_log_records(file: Path, path: str, *, count: int) -> list[dict[str, Any]]:
    """Give the last `count` log events of the actor at `path`, oldest first; none where there is no such file.

    `file` is the log of its node. A line that is no JSON object, such as one that the tail cuts, is left out.
    """
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - TAIL_BYTES))
            data = stream.read()
    except OSError:
        return []
    return [record for record in _records(data) if record.get("path") == path][-count:]


def _records(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.splitlines():
        try:
            yield msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
