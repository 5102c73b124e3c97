"""XiProxyActor: the XI-editor process as an actor, so that a supervisor restarts it and its buffers are whole again.

Every reason to doubt the editor (its process died, it does not answer, it holds another text than it should) is a failure and not
an error: the actor's next life starts a new process and restores every buffer from its journal.
"""

from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final

import structlog

from actors.runtime import Actor
from actors.xi_proxy import messages
from actors.xi_proxy.document import Document, open_document
from actors.xi_proxy.journal import SUFFIX, DamagedJournalError, JournalError
from actors.xi_proxy.link import Links
from actors.xi_proxy.messages import BufferReply, Effect, TextReply
from actors.xi_proxy.restoring import restore_document
from actors.xi_proxy.text_file import buffer_of
from symphony.domain.errors import NotFoundError, SymphonyError
from symphony.domain.ids import BufferId

START_S: Final = 5.0
STOP_GRACE_S: Final = 1.0
FAILURE_GRACE_S: Final = 0.2
"""Short, since somebody waits for the next life, and a process that failed us is owed little."""

_log = structlog.get_logger("actors.xi_proxy")


class XiProxyActor(Actor):
    """Serves the messages of `actors.xi_proxy.messages`. `journal_dir` is this actor's alone, and made where it is missing."""

    dispatcher: ClassVar = "pinned"
    messages: ClassVar = messages.ALL
    expected_errors: ClassVar = (SymphonyError,)

    def __init__(self, xi_links: Links, journal_dir: str | Path) -> None:
        super().__init__()
        self._journals = Path(journal_dir)
        self._documents: dict[BufferId, Document] = {}
        self._link = xi_links(self.context.fail)

    def on_start(self) -> None:
        """Start the editor and restore the buffers that the last life left open."""
        self._link.start(START_S)
        self.context.set_os_process(self._link.pid, self._link.command)
        for file in sorted(self._journals.glob(f"*{SUFFIX}")):
            self._restore(file)

    def on_stop(self) -> None:
        """End the editor; the journals stay."""
        self._release(STOP_GRACE_S)

    def on_failure(
        self,
        exception_type: type[BaseException] | None,  # noqa: ARG002  # the hook's signature
        exception_value: BaseException | None,  # noqa: ARG002
        traceback: TracebackType | None,  # noqa: ARG002
    ) -> None:
        """End the editor; the journals stay."""
        self._release(FAILURE_GRACE_S)

    def on_receive(self, message: Any) -> BufferReply | TextReply:
        """Handle one request."""
        reply: BufferReply | TextReply
        match message:
            case messages.OpenBuffer(path):
                reply = self._open(buffer_of(path))
            case messages.BufferText(buffer):
                document = self._document(buffer)
                reply = TextReply(self._reply(document), document.text)
            case messages.GetBufferState(buffer):
                reply = self._reply(self._document(buffer))
            case messages.EditBuffer(buffer, edits, revision):
                document = self._document(buffer)
                reply = self._reply(document, "edited" if document.edit(edits, revision) else None)
            case messages.UndoBuffer(buffer):
                document = self._document(buffer)
                reply = self._reply(document, "edited" if document.undo() else None)
            case messages.RedoBuffer(buffer):
                document = self._document(buffer)
                reply = self._reply(document, "edited" if document.redo() else None)
            case messages.SaveBuffer(buffer):
                reply = self._save(self._document(buffer))
            case messages.CloseBuffer(buffer):
                reply = self._close(self._document(buffer))
            case _:
                reply = super().on_receive(message)  # it raises
        return reply

    def _open(self, buffer: BufferId) -> BufferReply:
        document = self._documents.get(buffer)
        if document is not None:
            return self._reply(document, "edited" if document.refresh() else None)
        document = self._documents[buffer] = open_document(self._link, self._journals, buffer)
        return self._reply(document, "opened")

    def _save(self, document: Document) -> BufferReply:
        document.save()
        return self._reply(document, "saved")

    def _close(self, document: Document) -> BufferReply:
        document.close()
        del self._documents[BufferId(document.path)]
        return self._reply(document, "closed")

    def _restore(self, file: Path) -> None:
        try:
            document, outcome, torn_bytes = restore_document(self._link, file)
        except DamagedJournalError as error:
            self._set_aside(file, error)
            return
        except JournalError as error:  # a full disk, say: this buffer stays in its journal, and the others come back
            _log.error("buffer.not_restored", file=str(file), error=str(error))
            self.context.publish("buffer.not_restored", file=str(file), error=str(error))
            return
        self._documents[BufferId(document.path)] = document
        _log.info("buffer.restored", buffer=document.path, outcome=outcome, torn_bytes=torn_bytes)
        self._publish("buffer.restored", document)
        if outcome == "conflicted":
            _log.warning("buffer.conflicted", buffer=document.path)
            self._publish("buffer.conflicted", document)

    def _set_aside(self, file: Path, error: DamagedJournalError) -> None:
        """Keep a journal that cannot be read for whoever can, and go on with the other buffers."""
        names = (file.with_suffix(f".damaged-{number}") for number in count(1))
        aside = next(name for name in names if not name.exists())
        file.replace(aside)
        _log.error("journal.set_aside", file=str(aside), error=str(error))
        self.context.publish("journal.set_aside", file=str(aside), error=str(error))

    def _document(self, buffer: BufferId) -> Document:
        document = self._documents.get(buffer)
        if document is None:
            raise NotFoundError(f'no buffer "{buffer}" is open; open its file first')
        return document

    def _reply(self, document: Document, effect: Effect | None = None) -> BufferReply:
        if effect is not None:
            self._publish(f"buffer.{effect}", document)
        return BufferReply(document.state(), self.context.incarnation, document.restored, effect)

    def _publish(self, type_: str, document: Document) -> None:
        state = document.state()
        self.context.publish(type_, buffer=state.id, revision=state.revision)

    def _release(self, grace_s: float) -> None:
        for document in self._documents.values():
            document.release()
        self._link.stop(grace_s)
