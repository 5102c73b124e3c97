"""Registry: which actor of this process lives at which path. One a system; nothing is global."""

import threading

from .address import ActorPath, is_within
from .cell import ActorCell
from .errors import NoSuchActorError


class Registry:
    """Paths to cells. Any thread may call; looking up takes no lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells: dict[str, ActorCell] = {}

    def add(self, cell: ActorCell) -> None:
        """Let the cell be found at its path; one that was there before is replaced and released."""
        with self._lock:
            before = self._cells.get(cell.path)
            self._cells[cell.path] = cell
        if before is not None:
            before.release()

    def remove(self, path: ActorPath) -> None:
        """Let nobody be found at `path`, nor below it where a supervisor was."""
        with self._lock:
            cell = self._cells.pop(path, None)
            if cell is not None and cell.kind.is_supervisor:
                for below in [known for known in self._cells if is_within(known, path)]:
                    del self._cells[below]

    def find(self, path: str) -> ActorCell:
        """Give the cell at `path`. Raises `NoSuchActorError`."""
        cell = self._cells.get(path)
        if cell is None:
            raise NoSuchActorError(f"nobody lives at {path}")
        return cell

    def has(self, path: str) -> bool:
        """Tell whether anybody lives at `path`."""
        return path in self._cells

    def life_at(self, path: ActorPath) -> int | None:
        """Give the number of the life at `path` in this process, of the last one between two; None where none is coming."""
        cell = self._cells.get(path)
        return None if cell is None or cell.state in ("stopped", "parked") else cell.incarnation

    def cells(self) -> list[ActorCell]:
        """Give every cell, in the order they were added."""
        with self._lock:
            return list(self._cells.values())
