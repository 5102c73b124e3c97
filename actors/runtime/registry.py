"""Registry: which actor of this process lives at which path. One a system; nothing is global."""

import threading
from typing import NamedTuple

from .actor import Actor
from .address import ActorPath, is_within
from .cell import ActorCell
from .errors import NoSuchActorError


class Entry(NamedTuple):
    """An actor's cell, and the class that says what it understands."""

    cell: ActorCell
    actor: type[Actor]


class Registry:
    """Paths to cells. Any thread may call; looking up takes no lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}

    def add(self, entry: Entry) -> None:
        """Let the cell be found at its path; one that was there before is replaced and released."""
        with self._lock:
            before = self._entries.get(entry.cell.path)
            self._entries[entry.cell.path] = entry
        if before is not None:
            before.cell.release()

    def remove(self, path: ActorPath) -> None:
        """Let nobody be found at `path`, nor below it where a supervisor was."""
        with self._lock:
            entry = self._entries.pop(path, None)
            if entry is not None and entry.cell.spec.is_supervisor:
                for below in [known for known in self._entries if is_within(known, path)]:
                    del self._entries[below]

    def find(self, path: str) -> Entry:
        """Give who lives at `path`. Raises `NoSuchActorError`."""
        entry = self._entries.get(path)
        if entry is None:
            raise NoSuchActorError(f"nobody lives at {path}")
        return entry

    def cells(self) -> list[ActorCell]:
        """Give every cell, in the order they were added."""
        with self._lock:
            return [entry.cell for entry in self._entries.values()]
