"""History: a buffer's text as what it was at one time and the changes since; from it a lost buffer is made again.

Pure. The journal is the same on disk: a `Base`, then a `Change` a revision. Old changes are folded into the base, so that a
buffer that is never saved is restored in bounded time, and the counts of what can be undone keep what lies below the base (which
may be nobody's edit at all) out of the user's reach.
"""

from typing import Final, Literal

from msgspec import Struct

from actors.xi_proxy.replacement import Replacement

MOST_KEPT: Final = 500
_LEAST_KEPT: Final = 16
_COPIED: Final = 256 * 1024 * 1024  # code points that a restoration may copy, each change copying the text


class Base(Struct, frozen=True, array_like=True, tag="base"):
    """The text at `revision`. `disk` is the SHA-256 of what the file at `path` held when it was last read or saved."""

    path: str
    revision: int
    disk: str | None
    text: str


class Change(Struct, frozen=True, array_like=True, tag="change"):
    """What made the next revision."""

    kind: Literal["edit", "undo", "redo"]
    replacement: Replacement


class History:
    """The history of one buffer. For one thread."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.text = base.text
        self.undoable = 0
        self.redoable = 0
        self._changes: list[Change] = []
        self._middle = base

    @property
    def revision(self) -> int:
        """The present one."""
        return self.base.revision + len(self._changes)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Those since the base."""
        return tuple(self._changes)

    def kind_of(self, change: Change) -> Literal["edit", "undo", "redo"]:
        """Give how `change` can be made here: an undo or redo whose counterpart is folded away is made as an edit."""
        possible = {"edit": True, "undo": self.undoable > 0, "redo": self.redoable > 0}
        return change.kind if possible[change.kind] else "edit"

    def add(self, change: Change) -> None:
        """Make a change."""
        match self.kind_of(change):
            case "undo":
                self.undoable, self.redoable = self.undoable - 1, self.redoable + 1
            case "redo":
                self.undoable, self.redoable = self.undoable + 1, self.redoable - 1
            case _:
                # Only what the user did as an edit, or did again, is the user's to take back.
                self.undoable, self.redoable = self.undoable + (change.kind != "undo"), 0
        self.text = change.replacement.apply(self.text)
        self._changes.append(change)

    def forget_steps(self) -> None:
        """Let nothing be undone or redone: the editor's own steps are not these."""
        self.undoable = self.redoable = 0

    def rebase(self, base: Base) -> None:
        """Take the present text for the base; what can be undone stays so."""
        self.base = self._middle = base
        self._changes = []

    def fold(self) -> tuple[Base, list[Change]] | None:
        """Give a later base with the changes since, once there are too many of them; `folded` is then to follow.

        The text half way is remembered as it comes by: making it again would copy the whole text once for each change.
        """
        kept = max(_LEAST_KEPT, min(MOST_KEPT, _COPIED // (len(self.text) + 1)))
        since = self.revision - self._middle.revision
        if since < kept:
            return None
        if self._middle is self.base:
            self._middle = self._now()
            return None
        return self._middle, self._changes[-since:]

    def folded(self, base: Base, changes: list[Change]) -> None:
        """Take over what `fold` gave."""
        self.base, self._changes = base, changes
        self._middle = self._now()

    def _now(self) -> Base:
        return Base(self.base.path, self.revision, self.base.disk, self.text)
