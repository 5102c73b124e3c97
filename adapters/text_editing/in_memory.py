"""InMemoryTextEditing: TextEditingPort over a dict of files; no process, no disk.

It keeps every promise of the port, so that what runs on it runs on the real editor: the contract suite is the same for both.
"""

from collections.abc import AsyncIterator, Collection, MutableMapping, Sequence
from hashlib import sha256
from posixpath import isabs, normpath
from typing import Literal

from adapters.event_stream import EventStream
from symphony.domain.errors import ConflictError, InvalidRequestError, NotFoundError
from symphony.domain.ids import BufferId
from symphony.domain.text import Edit, apply_edits
from symphony.ports.text_editing import BufferState, TextEvent


class _Buffer:
    """A text with its history: `at` is the present one, what follows it was undone."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.history = [text]
        self.at = 0
        self.revision = 0
        self.saved = text

    @property
    def text(self) -> str:
        return self.history[self.at]

    def state(self) -> BufferState:
        digest = sha256(self.text.encode()).hexdigest()
        return BufferState(BufferId(self.path), self.path, self.revision, self.text == self.saved, digest)


class InMemoryTextEditing:
    """An editor without a process. Call from one event loop; nothing waits, so calls take effect in the order they are made.

    Drive it by `files`, which is yours: absolute path to content. Change it to change the world outside, read it to see what was
    saved. A `str` is a UTF-8 text; `bytes` are taken as they are, so that bytes which are not UTF-8 stand for such a file. What a
    file lies under is a directory. Paths in `read_only` cannot be written. `close_stream` ends every `events()`.
    """

    def __init__(self, files: MutableMapping[str, str | bytes], *, read_only: Collection[str] = ()) -> None:
        self._files = files
        self._read_only = read_only
        self._buffers: dict[BufferId, _Buffer] = {}
        self._events: EventStream[TextEvent] = EventStream()

    async def open(self, path: str) -> BufferState:
        """Open the file at the absolute `path`, or give the buffer that already shows it."""
        if not isabs(path):
            raise InvalidRequestError(f'path: "{path}" is not absolute')
        buffer = BufferId(normpath(path))
        if buffer not in self._buffers:
            self._buffers[buffer] = _Buffer(buffer, self._read(buffer))
            self._publish("opened", buffer)
        else:
            self._refresh(buffer)
        return self._buffers[buffer].state()

    async def text(self, buffer: BufferId) -> str:
        """Give the whole text."""
        return self._buffer(buffer).text

    async def state(self, buffer: BufferId) -> BufferState:
        """Give the buffer's state."""
        return self._buffer(buffer).state()

    async def edit(self, buffer: BufferId, edits: Sequence[Edit], *, revision: int) -> BufferState:
        """Apply `edits`, one after the other, all or none, to the text as it was at `revision`."""
        opened = self._buffer(buffer)
        if revision != opened.revision:
            raise ConflictError(f"{buffer} is at revision {opened.revision}, not {revision}; read it again, then edit that")
        text = apply_edits(opened.text, edits)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidRequestError(f"edits: the text cannot be written as UTF-8: {error.reason}") from error
        if text != opened.text:
            opened.history[opened.at + 1 :] = [text]
            self._move(opened, opened.at + 1)
        return opened.state()

    async def undo(self, buffer: BufferId) -> BufferState:
        """Take back the last group of edits: those of one call of `edit`."""
        opened = self._buffer(buffer)
        if opened.at > 0:
            self._move(opened, opened.at - 1)
        return opened.state()

    async def redo(self, buffer: BufferId) -> BufferState:
        """Apply again what `undo` took back."""
        opened = self._buffer(buffer)
        if opened.at + 1 < len(opened.history):
            self._move(opened, opened.at + 1)
        return opened.state()

    async def save(self, buffer: BufferId) -> BufferState:
        """Write the text to its file, whole or not at all."""
        opened = self._buffer(buffer)
        if opened.path in self._read_only or self._is_directory(opened.path):
            raise InvalidRequestError(f"{opened.path} cannot be written; it is as it was")
        self._files[opened.path] = opened.text
        opened.saved = opened.text
        self._publish("saved", buffer)
        return opened.state()

    async def close(self, buffer: BufferId) -> None:
        """Close the buffer; unsaved edits are given up."""
        self._buffer(buffer)
        self._publish("closed", buffer)
        del self._buffers[buffer]

    def events(self) -> AsyncIterator[TextEvent]:
        """Give what happens from now on, until the iterator is closed."""
        return self._events.subscribe()

    def close_stream(self) -> None:
        """End every `events()`, as an adapter does that is shut down."""
        self._events.close()

    def _read(self, path: str) -> str:
        content = self._files.get(path)
        if content is None:
            if self._is_directory(path):
                raise InvalidRequestError(f"{path} is a directory, not a file")
            raise NotFoundError(f"there is no file {path}")
        try:
            return content.decode() if isinstance(content, bytes) else content
        except UnicodeDecodeError as error:
            raise InvalidRequestError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error

    def _refresh(self, buffer: BufferId) -> None:
        """Read the file anew if it was changed and nothing is unsaved."""
        opened = self._buffers[buffer]
        try:
            text = self._read(buffer)
        except (NotFoundError, InvalidRequestError):
            return
        if opened.text == opened.saved != text:
            revision = opened.revision + 1
            self._buffers[buffer] = _Buffer(buffer, text)
            self._buffers[buffer].revision = revision
            self._publish("edited", buffer)

    def _is_directory(self, path: str) -> bool:
        return any(known.startswith(path.rstrip("/") + "/") for known in self._files)

    def _buffer(self, buffer: BufferId) -> _Buffer:
        if buffer not in self._buffers:
            raise NotFoundError(f'no buffer "{buffer}" is open; open its file first')
        return self._buffers[buffer]

    def _move(self, buffer: _Buffer, to: int) -> None:
        buffer.at = to
        buffer.revision += 1
        self._publish("edited", BufferId(buffer.path))

    def _publish(self, kind: Literal["opened", "edited", "saved", "closed"], buffer: BufferId) -> None:
        self._events.publish(TextEvent(kind, buffer, self._buffers[buffer].revision))
