"""XiEditorAdapter: TextEditingPort by the xi proxy's actor.

What happened to a buffer is told by comparing each reply with what was last known of that buffer: a higher revision is an edit,
whoever made it, and an answer from a later life of the proxy is a restoration. So a reply that was lost, to a deadline or a
cancelled caller, is made up for by the next.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Literal, NamedTuple

from actors.runtime import ActorRef, Request
from actors.xi_proxy.messages import (
    MAX_BYTES,
    BufferReply,
    BufferText,
    CloseBuffer,
    EditBuffer,
    GetBufferState,
    OpenBuffer,
    RedoBuffer,
    SaveBuffer,
    UndoBuffer,
)
from adapters.asking import ask
from adapters.event_stream import EventStream
from symphony.domain.errors import InvalidRequestError, NotFoundError
from symphony.domain.ids import BufferId
from symphony.domain.text import Edit
from symphony.ports.text_editing import BufferState, TextEvent

TIMEOUT_S: Final = 5.0


class _Known(NamedTuple):
    """What the last reply said of a buffer."""

    revision: int
    incarnation: int


class XiEditorAdapter:
    """An editor behind `proxy`, a ref to an `XiProxyActor` of any process. Call from one event loop.

    `timeout_s` bounds each call. `close_stream` ends every `events()`.
    """

    def __init__(self, proxy: ActorRef, *, timeout_s: float = TIMEOUT_S) -> None:
        self._proxy = proxy
        self._timeout_s = timeout_s
        self._known: dict[BufferId, _Known] = {}
        self._events: EventStream[TextEvent] = EventStream()

    async def open(self, path: str) -> BufferState:
        """Open the file at the absolute `path`, or give the buffer that already shows it."""
        _encoded("path", path)
        return self._noted(await ask(self._proxy, OpenBuffer(path), timeout_s=self._timeout_s))

    async def text(self, buffer: BufferId) -> str:
        """Give the whole text."""
        with self._closed_if_not_found(buffer):
            reply = await ask(self._proxy, BufferText(buffer), timeout_s=self._timeout_s)
        self._noted(reply.buffer)
        return reply.text

    async def state(self, buffer: BufferId) -> BufferState:
        """Give the buffer's state."""
        return await self._ask(buffer, GetBufferState(buffer))

    async def edit(self, buffer: BufferId, edits: Sequence[Edit], *, revision: int) -> BufferState:
        """Apply `edits`, one after the other, all or none, to the text as it was at `revision`."""
        # Checked here too: such a text, or a longer one, could not even be sent.
        size = sum(len(_encoded("edits: the text", edit.text)) for edit in edits)
        if size > MAX_BYTES:
            raise InvalidRequestError(f"edits: {size} bytes are too many at once; a buffer holds {MAX_BYTES} at most")
        return await self._ask(buffer, EditBuffer(buffer, tuple(edits), revision))

    async def undo(self, buffer: BufferId) -> BufferState:
        """Take back the last group of edits: those of one call of `edit`."""
        return await self._ask(buffer, UndoBuffer(buffer))

    async def redo(self, buffer: BufferId) -> BufferState:
        """Apply again what `undo` took back."""
        return await self._ask(buffer, RedoBuffer(buffer))

    async def save(self, buffer: BufferId) -> BufferState:
        """Write the text to its file, whole or not at all."""
        return await self._ask(buffer, SaveBuffer(buffer))

    async def close(self, buffer: BufferId) -> None:
        """Close the buffer; unsaved edits are given up."""
        await self._ask(buffer, CloseBuffer(buffer))

    def events(self) -> AsyncIterator[TextEvent]:
        """Give what happens from now on, until the iterator is closed."""
        return self._events.subscribe()

    def close_stream(self) -> None:
        """End every `events()`."""
        self._events.close()

    async def _ask(self, buffer: BufferId, request: Request[BufferReply]) -> BufferState:
        with self._closed_if_not_found(buffer):
            reply = await ask(self._proxy, request, timeout_s=self._timeout_s)
        return self._noted(reply)

    @contextmanager
    def _closed_if_not_found(self, buffer: BufferId) -> Iterator[None]:
        """Tell of a closing that was not heard of. A name that cannot be sent is no buffer's."""
        try:
            buffer.encode()
            yield
        except UnicodeEncodeError as error:
            raise NotFoundError(f"no buffer {buffer!r} is open; open its file first") from error
        except NotFoundError:
            known = self._known.pop(buffer, None)
            if known is not None:
                self._events.publish(TextEvent("closed", buffer, known.revision))
            raise

    def _noted(self, reply: BufferReply) -> BufferState:
        """Publish what the reply tells, and remember it."""
        state = reply.state
        known = self._known.get(state.id)
        if known is not None:
            for kind, revision in _missed(known, reply):
                self._events.publish(TextEvent(kind, state.id, revision))
        if reply.effect is not None:
            self._events.publish(TextEvent(reply.effect, state.id, state.revision))
        self._known[state.id] = _Known(state.revision, reply.incarnation)
        if reply.effect == "closed":
            del self._known[state.id]
        return state


def _missed(known: _Known, reply: BufferReply) -> Iterator[tuple[Literal["closed", "restored", "edited"], int]]:
    """Give what must have happened between what is known and the reply, without the reply's own effect."""
    if reply.effect == "opened":
        yield "closed", known.revision
        return
    last = known.revision
    if reply.incarnation > known.incarnation and reply.restored is not None:
        last = reply.restored
        yield "restored", last
    if reply.state.revision > last and reply.effect != "edited":
        yield "edited", reply.state.revision


def _encoded(what: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(f"{what} cannot be written as UTF-8: {error.reason}") from error
