"""WorkerLog: the file of everything that one extension prints and logs, over all lives of its worker.

The worker writes to the descriptor itself, so that its last words are there whatever killed it; its log records, which come as
messages, are added as lines of JSON.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from actors.runtime.clock import Clock, timestamp
from symphony.domain.errors import UnavailableError

MAX_SIZE = 16 * 1024 * 1024
"""The bytes over which a new life starts a new file; the old one is kept as `*.old.log`. One life alone is not bounded yet."""


class WorkerLog:
    """An open log file. `close` it; `fd` is -1 from then on. One thread at a time."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists() and path.stat().st_size > MAX_SIZE:
                path.replace(path.with_suffix(".old.log"))
            # Open for reading too: errors quote a dead worker's last output.
            self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UnavailableError(f"{path}, the extension's log, cannot be opened: {error.strerror}") from error

    def add(self, event: str, fields: Mapping[str, object]) -> None:
        """Add a record. A disk that refuses it costs the record, and not the call during which it was logged."""
        line = {"at": timestamp(self._clock.wall()), "event": event, "fields": fields}
        with suppress(OSError):
            os.write(self.fd, msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Close the file; again is the same as once."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)
