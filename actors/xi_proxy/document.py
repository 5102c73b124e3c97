"""Document: one open buffer, the same in the editor, in the journal and here, or the call that made them differ fails the actor.

A change is made in the editor first, then written to the journal, then acknowledged. So what was acknowledged is in the journal;
and what a death cuts short before that was done nowhere that counts, since the next life starts from the journal.

The text that is expected after a change is computed here, by the domain's rules, and the editor's is compared with it: cheaply,
by the line that was changed and the number of lines, and by the whole text where these do not tell.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import structlog

from actors.xi_proxy.history import Base, Change, History
from actors.xi_proxy.journal import Journal, JournalError
from actors.xi_proxy.link import Link, XiDisagreesError, XiRefusedError
from actors.xi_proxy.messages import MAX_BYTES
from actors.xi_proxy.replacement import Replacement, line_at, place_of, replacement_between
from actors.xi_proxy.text_file import read_text
from symphony.domain.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from symphony.domain.ids import BufferId
from symphony.domain.text import Edit, apply_edits
from symphony.ports.text_editing import BufferState

BYTE_ORDER_MARK: Final = "\ufeff"
_OPENING_TRIES: Final = 3

_log = structlog.get_logger("actors.xi_proxy")


class Document:
    """A buffer. For one thread. `disk` is the SHA-256 of what the file held when it was last read or saved, None for no file."""

    def __init__(self, link: Link, view: str, journal: Journal, history: History, disk: str | None) -> None:
        self.restored: int | None = None
        self._link = link
        self._view = view
        self._journal = journal
        self._history = history
        self._disk = disk
        self._sha256 = digest(history.text)

    @property
    def path(self) -> str:
        """The absolute path of the file."""
        return self._history.base.path

    @property
    def text(self) -> str:
        """The whole text."""
        return self._history.text

    def state(self) -> BufferState:
        """Give the state."""
        is_pristine = self._sha256 == self._disk
        return BufferState(BufferId(self.path), self.path, self._history.revision, is_pristine, self._sha256)

    def refresh(self) -> bool:
        """Read the file anew if others have changed it and nothing here is unsaved; True where that was so.

        The editor gets a new view, since it would refuse to save one over a file that it has not read. A file that is gone, or no
        text any more, is left for `save` to refuse. Raises `UnavailableError`, and nothing has changed.
        """
        if not self.state().pristine:
            return False
        try:
            text = read_text(self.path)
        except (NotFoundError, InvalidRequestError):
            return False
        if digest(text) == self._sha256:
            return False
        self._show(text)
        return True

    def edit(self, edits: Sequence[Edit], revision: int) -> bool:
        """Apply all edits or none; False where that changes nothing.

        Raises `ConflictError`, `InvalidRequestError` and `UnavailableError`, and nothing has changed.
        """
        if revision != self._history.revision:
            raise ConflictError(
                f"{self.path} is at revision {self._history.revision}, not {revision}; read it again, then edit that"
            )
        after = apply_edits(self.text, edits)
        sha256_after = _digest_checked(after)
        replacement = replacement_between(self.text, after)
        if replacement is None:
            return False
        replace_in(self._link, self._view, self.text, replacement)
        check_near(self._link, self._view, after, replacement)
        self._record(Change("edit", replacement), sha256_after)
        return True

    def undo(self) -> bool:
        """Take the last step back; False where there is none. Raises `UnavailableError`, and nothing has changed."""
        return self._history.undoable > 0 and self._step("undo")

    def redo(self) -> bool:
        """Make the last step that was taken back again; False where there is none. Raises as `undo`."""
        return self._history.redoable > 0 and self._step("redo")

    def save(self) -> None:
        """Write the text to its file. Raises `InvalidRequestError`, and the file is untouched."""
        self._check_disk()
        try:
            written = self._link.save(self._view, self.path)
        except XiRefusedError as error:
            raise InvalidRequestError(f"{self.path} cannot be written; it is as it was: {error}") from error
        if written != self._sha256:
            raise XiDisagreesError(f"{self.path}: the editor saved {written}, and the text is {self._sha256}")
        self._disk = written
        base = Base(self.path, self._history.revision, written, self.text)
        # A journal that cannot be written fails the actor. Its next life finds this very text on disk, and goes on from there.
        self._journal.rewrite(base)
        self._history.rebase(base)

    def close(self) -> None:
        """Close the buffer and give up what was not saved."""
        self._link.close_view(self._view)
        self._journal.remove()

    def release(self) -> None:
        """Close the journal's file and leave everything for the next life."""
        self._journal.close()

    def _show(self, text: str) -> None:
        """Show what the file holds now in a view of its own, in place of the present one."""
        try:
            view = open_view(self._link, self.path, text)
        except XiRefusedError as error:
            raise UnavailableError(f"{self.path} changes while it is being read; try again: {error}") from error
        if self._link.contents(view) != text:
            self._link.close_view(view)
            raise UnavailableError(f"{self.path} changes while it is being read; try again")
        base = Base(self.path, self._history.revision + 1, digest(text), text)
        try:
            self._journal.rewrite(base)
        except JournalError as error:
            self._link.close_view(view)
            raise UnavailableError(f"{self.path} was not read anew: {error}; free some space, then try again") from error
        self._link.close_view(self._view)
        self._view, self._history = view, History(base)
        self._disk = self._sha256 = digest(text)

    def _step(self, kind: Literal["undo", "redo"]) -> bool:
        self._step_in_xi(kind)
        after = self._link.contents(self._view)
        replacement = replacement_between(self.text, after)
        if replacement is None:  # an editor that remembers fewer steps than we count
            self._history.forget_steps()
            return False
        self._record(Change(kind, replacement), digest(after))
        return True

    def _record(self, change: Change, sha256_after: str) -> None:
        try:
            self._journal.append(change)
        except JournalError as error:
            self._take_back(change)
            raise UnavailableError(f"{self.path}: the change was not made: {error}; free some space, then try again") from error
        self._history.add(change)
        self._sha256 = sha256_after
        self._fold()

    def _take_back(self, change: Change) -> None:
        self._step_in_xi("redo" if change.kind == "undo" else "undo")
        check_whole(self._link, self._view, self.text)

    def _step_in_xi(self, kind: Literal["undo", "redo"]) -> None:
        step = self._link.undo if kind == "undo" else self._link.redo
        step(self._view)

    def _fold(self) -> None:
        later = self._history.fold()
        if later is None:
            return
        try:
            self._journal.rewrite(*later)
        except JournalError as error:  # the long journal is as good as the short one
            _log.warning("journal.not_folded", buffer=self.path, error=str(error))
        else:
            self._history.folded(*later)

    def _check_disk(self) -> None:
        """Refuse to write over what somebody else wrote. xi checks too, but only against what it read itself, in this life."""
        try:
            found = digest(read_text(self.path))
        except NotFoundError:
            return
        except InvalidRequestError as error:
            raise InvalidRequestError(f"{self.path} cannot be written; it is as it was: {error}") from error
        if found not in (self._disk, self._sha256):
            raise InvalidRequestError(
                f"{self.path} has changed on disk since it was opened, and is as it was; keep this buffer's text elsewhere, "
                "close the buffer, then open the file again"
            )


def open_document(link: Link, folder: Path, path: str) -> Document:
    """Open the file at the absolute, normal `path` and begin its journal in `folder`.

    Raises `NotFoundError`, `InvalidRequestError`, and `UnavailableError` where the journal cannot be written or the file changes
    all the time.
    """
    for _ in range(_OPENING_TRIES):
        text = read_text(path)
        try:
            view = open_view(link, path, text)
        except XiRefusedError as error:
            raise InvalidRequestError(f"{path} cannot be opened: {error}") from error
        if link.contents(view) != text:
            link.close_view(view)
            continue
        base = Base(path, 0, digest(text), text)
        try:
            journal = Journal.begin(folder, base)
        except JournalError as error:
            link.close_view(view)
            raise UnavailableError(f"{path} was not opened: {error}; free some space, then try again") from error
        return Document(link, view, journal, History(base), base.disk)
    raise UnavailableError(f"{path} changes while it is being opened; try again")


def open_view(link: Link, path: str, text: str) -> str:
    """Open a view on a file that holds `text`. Raises `XiRefusedError`.

    xi hides the byte order mark that a file begins with, and there would be no way to take it away: such a text is put into a
    view without a file. Saving is told the path in any case.
    """
    if not text.startswith(BYTE_ORDER_MARK):
        return link.open(path)
    view = link.open(None)
    replace_in(link, view, "", Replacement(0, 0, text))
    return view


def replace_in(link: Link, view: str, before: str, replacement: Replacement) -> None:
    """Make a replacement in the editor, whose text is `before`."""
    link.replace(view, place_of(before, replacement.start), place_of(before, replacement.end), replacement.text)


def check_near(link: Link, view: str, text: str, replacement: Replacement) -> None:
    """Check that the editor's text is `text`, by what is known of it at the end of `replacement`. Raises `XiDisagreesError`."""
    end = replacement.start + len(replacement.text)
    count, line = link.line(view, text.count("\n", 0, end))
    if count != text.count("\n") + 1 or line != line_at(text, end):
        check_whole(link, view, text)


def check_whole(link: Link, view: str, text: str) -> None:
    """Check that the editor's text is `text`. Raises `XiDisagreesError`."""
    found = link.contents(view)
    if found != text:
        raise XiDisagreesError(f"the editor holds a text of {len(found)} characters where one of {len(text)} is expected")


def digest(text: str) -> str:
    """Give the SHA-256 of the text as UTF-8."""
    return sha256(text.encode()).hexdigest()


def _digest_checked(text: str) -> str:
    """Give the SHA-256 of a text that edits have made. Raises `InvalidRequestError` where it cannot be a buffer's."""
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(f"edits: the text cannot be written as UTF-8: {error.reason}") from error
    if len(content) > MAX_BYTES:
        raise InvalidRequestError(f"edits: the text would have {len(content)} bytes; a buffer holds {MAX_BYTES} at most")
    return sha256(content).hexdigest()
