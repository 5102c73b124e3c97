"""ArtifactStoreActor: a mailbox, blobs and a journal of records round the ArtifactStore.

The content goes to disk before its record, and both before the acknowledgement. Where the disk fails, the records in memory may
know more than the disk, so they are thrown away: the actor fails, and its next life restores what the disk has.
"""

from pathlib import Path
from typing import Any, ClassVar, assert_never

import structlog

from actors.runtime import Actor
from symphony.domain.artifact import Artifact, address_of
from symphony.domain.errors import NotFoundError, SymphonyError, UnavailableError
from symphony.domain.ids import ArtifactId
from symphony.domain.pit import artifact_store
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.artifact_store import ArtifactStore

from .blob_store import BlobStore
from .messages import ListArtifacts, PutArtifact, ReadArtifact
from .record_file import RecordFile

_log = structlog.get_logger("actors.pit")


class ArtifactStoreActor(Actor):
    """What was made, from what. `state_dir` is where contents and records lie."""

    dispatcher: ClassVar = "pinned"
    messages: ClassVar = (PutArtifact, ReadArtifact, ListArtifacts)
    expected_errors: ClassVar = (SymphonyError,)

    def __init__(self, state_dir: Path) -> None:
        super().__init__()
        self._state_dir = state_dir
        self._journal: RecordFile[Artifact] = RecordFile(state_dir / "artifacts", Artifact)
        self._store = ArtifactStore()

    def on_start(self) -> None:
        """Restore the records, the last word on each artifact counting, and write them anew as compactly as they can be."""
        self._blobs = BlobStore(self._state_dir / "blobs")
        recovered = self._journal.open()
        if recovered.torn_bytes:
            self.context.publish("journal.mended", torn_bytes=recovered.torn_bytes)
        self._store.handle(artifact_store.Restored(tuple(recovered.records)), self.context.clock.wall())
        try:
            self._journal.compact(self._store.artifacts())
        except UnavailableError as error:  # the long journal is as good as the short one
            _log.warning("journal.not_compacted", error=str(error))

    def on_stop(self) -> None:
        """Close the journal."""
        self._journal.close()

    def on_failure(self, *_: object) -> None:
        """Close the journal; the next life opens it again."""
        self._journal.close()

    def on_receive(self, message: Any) -> Artifact | bytes | tuple[Artifact, ...]:
        """Handle one request of `actors.pit.messages`."""
        match message:
            case PutArtifact(content, media_type, lineage):
                self._handle(artifact_store.PutArtifact(content, media_type, lineage))
                return self._store.artifact(address_of(content))
            case ReadArtifact(artifact):
                return self._read(artifact)
            case ListArtifacts():
                return self._store.artifacts()
            case _:
                return super().on_receive(message)  # type: ignore[no-any-return]  # it raises

    def _read(self, artifact: ArtifactId) -> bytes:
        self._store.artifact(artifact)
        try:
            content = self._blobs.get(artifact)
        except NotFoundError:
            self._handle(artifact_store.BlobDamaged(artifact))
            raise
        self._handle(artifact_store.BlobRead(artifact))
        return content

    def _handle(self, event: artifact_store.ArtifactEvent) -> None:
        try:
            for effect in self._store.handle(event, self.context.clock.wall()):
                self._carry_out(effect)
        except UnavailableError as error:
            self.context.fail(error)
            raise

    def _carry_out(self, effect: artifact_store.ArtifactEffect) -> None:
        match effect:
            case artifact_store.WriteBlob(artifact, content):
                self._blobs.put(content)
                self._handle(artifact_store.BlobWritten(artifact))
            case artifact_store.WriteRecord(artifact):
                self._journal.append(artifact)
            case artifact_store.ReadBlob():
                pass  # `_read` has the content, and says how it was
            case Announce(kind, subject):
                self.context.publish(kind, subject=subject)
            case _:
                assert_never(effect)
