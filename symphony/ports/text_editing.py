"""TextEditingPort: buffers of text, edited at a revision."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from symphony.domain.errors import (
    ConflictError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from symphony.domain.ids import BufferId
from symphony.domain.text import Edit
from symphony.ports.declared import raises


class BufferState(Struct, frozen=True):
    """An open buffer. `revision` starts at 0 and grows by one with each change of the text; `sha256` is of the UTF-8 text."""

    id: BufferId
    path: str
    revision: int
    pristine: bool
    sha256: str


class TextEvent(Struct, frozen=True):
    """Something that happened to a buffer; events of one buffer arrive in order.

    `restored` means that the editor died and the buffer is whole again, under the revision given.
    """

    kind: Literal["opened", "edited", "saved", "closed", "restored"]
    buffer: BufferId
    revision: int


class TextEditingPort(Protocol):
    """Open, edit and save texts. Call from the core's event loop.

    A call that is cancelled may still take effect. Calls on one buffer take effect in the order they were made. An acknowledged
    edit survives the death of the editor: the next call finds it there.
    """

    @raises(NotFoundError, InvalidRequestError, UnavailableError, DeadlineExceededError)
    async def open(self, path: str) -> BufferState:
        """Open the file at the absolute `path`, or give the buffer that already shows it.

        Such a buffer is read anew, under the next revision and without its undo history, if others changed the file meanwhile and
        nothing in the buffer is unsaved.
        `NotFoundError`: there is no such file. `InvalidRequestError`: it is a directory, unreadable, or not UTF-8.
        """
        ...

    @raises(NotFoundError, UnavailableError, DeadlineExceededError)
    async def text(self, buffer: BufferId) -> str:
        """Give the whole text. `NotFoundError`: the buffer is not open."""
        ...

    @raises(NotFoundError, UnavailableError, DeadlineExceededError)
    async def state(self, buffer: BufferId) -> BufferState:
        """Give the buffer's state. `NotFoundError`: it is not open."""
        ...

    @raises(NotFoundError, InvalidRequestError, ConflictError, UnavailableError, DeadlineExceededError)
    async def edit(self, buffer: BufferId, edits: Sequence[Edit], *, revision: int) -> BufferState:
        """Apply `edits`, one after the other, all or none, to the text as it was at `revision`.

        `NotFoundError`: the buffer is not open. `ConflictError`: it is at another revision. `InvalidRequestError`: a position is
        outside the text.
        """
        ...

    @raises(NotFoundError, UnavailableError, DeadlineExceededError)
    async def undo(self, buffer: BufferId) -> BufferState:
        """Take back the last group of edits; without one, nothing changes. `NotFoundError`: the buffer is not open."""
        ...

    @raises(NotFoundError, UnavailableError, DeadlineExceededError)
    async def redo(self, buffer: BufferId) -> BufferState:
        """Apply again what `undo` took back; without that, nothing changes. `NotFoundError`: the buffer is not open."""
        ...

    @raises(NotFoundError, InvalidRequestError, UnavailableError, DeadlineExceededError)
    async def save(self, buffer: BufferId) -> BufferState:
        """Write the text to its file, whole or not at all.

        `NotFoundError`: the buffer is not open. `InvalidRequestError`: the file cannot be written; it is untouched.
        """
        ...

    @raises(NotFoundError, UnavailableError, DeadlineExceededError)
    async def close(self, buffer: BufferId) -> None:
        """Close the buffer; unsaved edits are given up. `NotFoundError`: it is not open."""
        ...

    @raises(UnavailableError)
    def events(self) -> AsyncIterator[TextEvent]:
        """Give what happens from now on, until the iterator is closed.

        A reader that falls behind by 1,000 events gets `UnavailableError` and must look at the states again.
        """
        ...
