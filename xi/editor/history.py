"""Undo and redo by groups: which edits belong together, and what takes them back.

Texts are immutable, so a group keeps the text before it and the text after it, and undoing is a matter of going back to the
former; the deltas are needed to move carets and to tell the frontend what changed. xi-core keeps 20 groups; this keeps `DEPTH`.

An edit joins the group before it when both are of the same kind and nothing has come between, except that new lines and edits of
kind OTHER always stand alone.
"""

from enum import Enum
from functools import reduce
from typing import Final

import msgspec

from xi.rope.delta import Delta
from xi.rope.rope import Rope

DEPTH: Final = 1000
_PIECE: Final = 4096


class EditKind(Enum):
    """What kind of edit it is, as far as grouping goes."""

    INSERT = "insert"
    NEWLINE = "newline"
    INDENT = "indent"
    DELETE = "delete"
    SURROUND = "surround"
    OTHER = "other"


_ALONE = frozenset({EditKind.NEWLINE, EditKind.OTHER})


class State(msgspec.Struct, frozen=True):
    """A text and the number under which it is known: equal numbers, equal texts."""

    revision: int
    text: Rope


class Change(msgspec.Struct, frozen=True):
    """A step of the text: what it was, what it is, and the delta between."""

    before: State
    after: State
    delta: Delta


class _Group:
    """Joined edits; the deltas are joined too as long as that is cheap, and the rest on demand."""

    def __init__(self, change: Change) -> None:
        self.before = change.before
        self.after = change.after
        self._deltas = [change.delta]

    def join(self, change: Change) -> None:
        self.after = change.after
        # Joining copies the inserted text: without a limit, a million typed characters would copy a million bytes each.
        if sum(len(r.text) for r in self._deltas[-1].replacements) < _PIECE:
            self._deltas[-1] = self._deltas[-1].then(change.delta)
        else:
            self._deltas.append(change.delta)

    def delta(self) -> Delta:
        self._deltas = [reduce(Delta.then, self._deltas)]
        return self._deltas[0]


class History:
    """The groups of one buffer; for one thread."""

    def __init__(self, depth: int = DEPTH) -> None:
        """Keep at most `depth` groups; the oldest go first."""
        self._depth = depth
        self._undoable: list[_Group] = []
        self._redoable: list[_Group] = []
        self._open: EditKind | None = None

    @property
    def undo_count(self) -> int:
        """How often `undo` can be called."""
        return len(self._undoable)

    @property
    def redo_count(self) -> int:
        """How often `redo` can be called."""
        return len(self._redoable)

    def close_group(self) -> None:
        """Let the next edit begin a group of its own, whatever its kind."""
        self._open = None

    def record(self, change: Change, kind: EditKind) -> None:
        """Remember an edit; what had been undone can no longer be redone."""
        if self._undoable and self._open is kind and kind not in _ALONE:
            self._undoable[-1].join(change)
        else:
            self._undoable.append(_Group(change))
            del self._undoable[: -self._depth]
        self._redoable.clear()
        self._open = kind

    def undo(self) -> Change | None:
        """Take the last group back and return what that changes; None when there is none."""
        self.close_group()
        if not self._undoable:
            return None
        group = self._undoable.pop()
        self._redoable.append(group)
        return Change(group.after, group.before, group.delta().invert(group.before.text))

    def redo(self) -> Change | None:
        """Do the last group that was undone again; None when there is none."""
        self.close_group()
        if not self._redoable:
            return None
        group = self._redoable.pop()
        self._undoable.append(group)
        return Change(group.before, group.after, group.delta())
