"""Restoring: a buffer is made again in a new editor process, from its journal and from what its file holds now.

| the file holds | the buffer becomes | |
|---|---|---|
| what it held when it was last read or saved | the journal's text | `whole` |
| the journal's text: saved just before the death | that text, pristine | `whole` |
| something else, and nothing was unsaved | what the file holds, under the next revision | `reloaded` |
| something else, or what is no text | the journal's text; saving it is refused | `conflicted` |
| there is no file any more | the journal's text, not pristine | `whole` |

The changes are made again one by one, so that they can be undone as before.
"""

from pathlib import Path
from typing import Literal, NamedTuple

from actors.xi_proxy.document import Document, check_whole, digest, open_view, replace_in
from actors.xi_proxy.history import Base, Change, History
from actors.xi_proxy.journal import Journal
from actors.xi_proxy.link import Link, XiDisagreesError, XiRefusedError
from actors.xi_proxy.replacement import replacement_between
from actors.xi_proxy.text_file import read_text
from symphony.domain.errors import InvalidRequestError, NotFoundError

Outcome = Literal["whole", "reloaded", "conflicted"]


class Found(NamedTuple):
    """What is at a buffer's path now: a text, nothing, or (`text` is None, `is_missing` is not so) what cannot be read as one."""

    text: str | None
    is_missing: bool = False


class Restored(NamedTuple):
    """A document that is open again. `torn_bytes` were cut off its journal."""

    document: Document
    outcome: Outcome
    torn_bytes: int


def restore_document(link: Link, file: Path) -> Restored:
    """Restore the buffer whose journal is `file`. Raises `DamagedJournalError` and `JournalError`."""
    journal, (base, changes, torn_bytes) = Journal.recover(file)
    try:
        found = find(base.path)
        expected = History(base)
        for change in changes:
            expected.add(change)
        outcome = decide(base.disk, digest(expected.text), found)
        disk = None if found.is_missing else base.disk
        if outcome == "reloaded" and found.text is not None:
            disk = digest(found.text)
            base, changes = Base(base.path, expected.revision + 1, disk, found.text), []
            journal.rewrite(base)
        elif found.text == expected.text and digest(expected.text) != base.disk:
            disk = digest(expected.text)
            base = Base(base.path, base.revision, disk, base.text)
            journal.rewrite(base, changes)
        view, history = _replayed(link, found.text, base, changes)
    except BaseException:  # whatever it was, the journal's file is closed before it goes on
        journal.close()
        raise
    document = Document(link, view, journal, history, disk)
    document.restored = history.revision
    return Restored(document, outcome, torn_bytes)


def find(path: str) -> Found:
    """Look what is at `path`."""
    try:
        return Found(read_text(path))
    except NotFoundError:
        return Found(None, is_missing=True)
    except InvalidRequestError:
        return Found(None)


def decide(disk: str | None, expected: str, found: Found) -> Outcome:
    """Decide by digests: `disk` of what the file last held as far as the journal knows, `expected` of the journal's text."""
    if found.is_missing:
        return "whole"
    if found.text is None:
        return "conflicted"
    now = digest(found.text)
    if now in (disk, expected):
        return "whole"
    return "reloaded" if expected == disk else "conflicted"


def _replayed(link: Link, on_disk: str | None, base: Base, changes: list[Change]) -> tuple[str, History]:
    """Open a view and make the journal's text in it; what leads from the file's text to the base is not the user's to undo."""
    view = _opened(link, base.path, on_disk)
    history = History(base)
    _make(link, view, link.contents(view), base.text)
    for change in changes:
        match history.kind_of(change):
            case "edit":
                replace_in(link, view, history.text, change.replacement)
            case "undo":
                link.undo(view)
            case "redo":
                link.redo(view)
        history.add(change)
    try:
        check_whole(link, view, history.text)
    except XiDisagreesError:  # an editor that remembers fewer steps than we count; the text is what must not be lost
        _make(link, view, link.contents(view), history.text)
        check_whole(link, view, history.text)
        history.forget_steps()
    return view, history


def _opened(link: Link, path: str, on_disk: str | None) -> str:
    if on_disk is not None:
        try:
            return open_view(link, path, on_disk)
        except XiRefusedError:  # gone since it was looked at; saving checks again
            pass
    return link.open(None)


def _make(link: Link, view: str, before: str, after: str) -> None:
    replacement = replacement_between(before, after)
    if replacement is not None:
        replace_in(link, view, before, replacement)
