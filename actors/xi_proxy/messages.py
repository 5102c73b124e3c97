"""What the xi proxy understands. Its declared errors are those of the TextEditingPort methods that stand behind them.

Every reply says which life of the proxy gave it, so that whoever asks can tell that a buffer was restored in between.
"""

from typing import Final, Literal

from msgspec import Struct

from actors.runtime import Request
from symphony.domain.ids import BufferId
from symphony.domain.text import Edit
from symphony.ports.text_editing import BufferState

MAX_BYTES: Final = 32 * 1024 * 1024
"""The most UTF-8 bytes that a buffer holds: half of what a frame between two nodes may have."""


Effect = Literal["opened", "edited", "saved", "closed"]


class BufferReply(Struct, frozen=True):
    """A buffer as it is now. `incarnation` is the proxy's.

    `restored` is the revision under which this life of the proxy restored the buffer, None where it was opened in this life.
    `effect` is what the request did to the buffer, None where that is nothing.
    """

    state: BufferState
    incarnation: int
    restored: int | None = None
    effect: Effect | None = None


class TextReply(Struct, frozen=True):
    """A buffer and its text."""

    buffer: BufferReply
    text: str


class OpenBuffer(Request[BufferReply], frozen=True, tag=True):
    """Open a file, or give the buffer that shows it."""

    path: str


class BufferText(Request[TextReply], frozen=True, tag=True):
    """Give the whole text."""

    buffer: BufferId


class GetBufferState(Request[BufferReply], frozen=True, tag=True):
    """Give the state."""

    buffer: BufferId


class EditBuffer(Request[BufferReply], frozen=True, tag=True):
    """Apply edits, one after the other, all or none, to the text as it was at `revision`."""

    buffer: BufferId
    edits: tuple[Edit, ...]
    revision: int


class UndoBuffer(Request[BufferReply], frozen=True, tag=True):
    """Take back the last group of edits."""

    buffer: BufferId


class RedoBuffer(Request[BufferReply], frozen=True, tag=True):
    """Apply again what was taken back."""

    buffer: BufferId


class SaveBuffer(Request[BufferReply], frozen=True, tag=True):
    """Write the text to its file."""

    buffer: BufferId


class CloseBuffer(Request[BufferReply], frozen=True, tag=True):
    """Close the buffer; the reply is its last state."""

    buffer: BufferId


ALL: Final = (OpenBuffer, BufferText, GetBufferState, EditBuffer, UndoBuffer, RedoBuffer, SaveBuffer, CloseBuffer)
