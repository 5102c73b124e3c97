"""A buffer: the text, its revisions, and the file that it belongs to.

Revisions are numbers that stand for texts: undoing leads back to an older number, which is how a buffer knows that it is once
more what is on disk.
"""

import hashlib

from xi.editor import files
from xi.editor.config import Config
from xi.editor.history import Change, EditKind, History, State
from xi.protocol.methods import SaveResult
from xi.rope.delta import Delta
from xi.rope.rope import Rope


class Buffer:
    """One document being edited; for one thread."""

    def __init__(self, path: str | None, on_disk: files.OnDisk) -> None:
        """Hold what `files.load` found at `path`, or an empty text without a path."""
        self._path = path
        self._on_disk = on_disk
        self._state = State(0, on_disk.text)
        self._revisions = 0
        self._saved_revision = 0
        self._history = History()

    @property
    def text(self) -> Rope:
        """The text of now."""
        return self._state.text

    @property
    def path(self) -> str | None:
        """The path of the file, once there is one."""
        return self._path

    @property
    def is_pristine(self) -> bool:
        """Whether the text is the one that was last read or saved."""
        return self._state.revision == self._saved_revision

    @property
    def history(self) -> History:
        """Undo and redo."""
        return self._history

    def edit(self, delta: Delta, kind: EditKind) -> Change | None:
        """Apply an edit and return what it did; None when it changes nothing."""
        if delta.is_empty:
            return None
        self._revisions += 1
        change = Change(self._state, State(self._revisions, delta.apply(self._state.text)), delta)
        self._history.record(change, kind)
        self._state = change.after
        return change

    def undo(self) -> Change | None:
        """Undo a group of edits; None when there is none."""
        return self._moved(self._history.undo())

    def redo(self) -> Change | None:
        """Redo a group of edits; None when there is none."""
        return self._moved(self._history.redo())

    def save(self, path: str, config: Config) -> SaveResult:
        """Write the text to `path`, which from then on is the buffer's file.

        Raises FileError, and nothing has changed, when it cannot be written or when someone else has changed the file.
        """
        content = bytes(self.text)
        if config.save_with_newline and content and not content.endswith(config.line_ending.encode()):
            content += config.line_ending.encode()
        has_bom = self._on_disk.has_bom
        if has_bom:
            content = files.BOM + content
        stamp = files.save(path, content, self._on_disk if files.is_same(path, self._path) else None)
        self._path = path
        written = self.text if len(content) == len(self.text) + 3 * has_bom else Rope.from_bytes(content[3 * has_bom :])
        self._on_disk = files.OnDisk(written, has_bom, stamp)
        self._saved_revision = self._state.revision
        return SaveResult(hashlib.sha256(content).hexdigest(), len(content))

    def _moved(self, change: Change | None) -> Change | None:
        if change is not None:
            self._state = change.after
        return change
