"""What the proxy needs of a link to an XI-editor process, and how such a link fails.

A link is made by the composition root, so that the proxy knows neither the command nor the protocol. None of the errors here is
one that a caller could act on: each fails the actor, which is then restarted with a new process and restores its buffers, except
that a refused `open` or `save` is the caller's to hear.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from actors.runtime.errors import OsProcessDiedError


class XiRefusedError(Exception):
    """The editor understood and said no; the text is its reason."""


class XiMuteError(Exception):
    """The editor's process lives and does not answer."""


class XiDisagreesError(Exception):
    """The editor holds another text than it was given."""


class Place(NamedTuple):
    """A place in a text as xi counts: line from 0, column in UTF-8 bytes from the line's start."""

    line: int
    column: int


class Link(Protocol):
    """One editor process and the conversation with it. One thread calls; a link is used once.

    Every call may raise `OsProcessDiedError`, and `XiMuteError` once the editor has been silent for too long.
    """

    @property
    def pid(self) -> int:
        """The process, once `start` has been called."""
        ...

    @property
    def command(self) -> str:
        """The command line, for people."""
        ...

    def start(self, timeout_s: float) -> None:
        """Start the process and wait until it answers. Raises `StartError`; nothing is left running then."""
        ...

    def open(self, path: str | None) -> str:
        """Open a view on a file, or on an empty text, and give its id. Raises `XiRefusedError`."""
        ...

    def contents(self, view: str) -> str:
        """Give the whole text, without a byte order mark that the file begins with."""
        ...

    def line(self, view: str, index: int) -> tuple[int, str | None]:
        """Give the number of lines, and line `index` with its newline, or None where only the editor knows it."""
        ...

    def replace(self, view: str, start: Place, end: Place, text: str) -> None:
        """Put `text` in the place of what lies between two places that do not cut a grapheme; one step for `undo`."""
        ...

    def undo(self, view: str) -> None:
        """Take the last step back, where there is one."""
        ...

    def redo(self, view: str) -> None:
        """Make the last step that was taken back again, where there is one."""
        ...

    def save(self, view: str, path: str) -> str:
        """Write the text to `path` and give the SHA-256 of what the file holds. Raises `XiRefusedError`; it is untouched then."""
        ...

    def close_view(self, view: str) -> None:
        """Forget a view."""
        ...

    def stop(self, grace_s: float) -> None:
        """End the process, within `grace_s` seconds by asking, then by force; again, or before `start`, does nothing."""
        ...


class Links(Protocol):
    """Makes links. `on_death` is called, once and from another thread, when the process ends before `stop`."""

    def __call__(self, on_death: Callable[[OsProcessDiedError], None]) -> Link:
        """Give a link that has not been started."""
        ...
