"""ArtifactStore: what was made, from what, once for each content.

                 put                       written
    (unknown) ──────────▶ being written ────────────▶ recorded ◀──┐ put again: the lineage is added; read: the use is counted
        ▲                      │                          │  └────┘
        └──────────────────────┘                          ▼ found damaged
                 failed                                damaged ──▶ being written, when it is put again

The content goes to disk before its record, so a record always has its content; content without a record is harmless, and the
next put of it is cheap. What the state machine keeps is records: content passes through in the effect and is held by nobody.
`now` is in seconds since the epoch.

A shell that could not carry out a `WriteRecord` must throw the machine away and restore another from what is on disk.
"""

import re
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from symphony.domain.artifact import Artifact, Lineage, address_of
from symphony.domain.errors import ConflictError, InvalidRequestError, InvariantError, NotFoundError
from symphony.domain.ids import ArtifactId
from symphony.domain.pit.announcement import Announce

MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")
"""`type/subtype` by RFC 6838, section 4.2; parameters are not part of it."""


class PutArtifact(Struct, frozen=True, tag=True):
    """Keep `content`. Content that is known keeps its first media type and gains the lineage."""

    content: bytes
    media_type: str
    lineage: Lineage


class BlobWritten(Struct, frozen=True, tag=True):
    """`WriteBlob` was carried out."""

    artifact: ArtifactId


class BlobFailed(Struct, frozen=True, tag=True):
    """`WriteBlob` could not be carried out; the put is forgotten."""

    artifact: ArtifactId


class ReadArtifact(Struct, frozen=True, tag=True):
    """Somebody wants the content."""

    artifact: ArtifactId


class BlobRead(Struct, frozen=True, tag=True):
    """`ReadBlob` was carried out, and the content was whole."""

    artifact: ArtifactId


class BlobDamaged(Struct, frozen=True, tag=True):
    """`ReadBlob` found no content, or another; the next put of it writes it again."""

    artifact: ArtifactId


class Restored(Struct, frozen=True, tag=True):
    """The records of a life before, oldest first, the last word on each artifact counting; to an empty machine only."""

    artifacts: tuple[Artifact, ...]


ArtifactEvent = PutArtifact | BlobWritten | BlobFailed | ReadArtifact | BlobRead | BlobDamaged | Restored


class WriteBlob(Struct, frozen=True, tag=True):
    """Put `content` on disk, then feed back `BlobWritten` or `BlobFailed`."""

    artifact: ArtifactId
    content: bytes


class ReadBlob(Struct, frozen=True, tag=True):
    """Read and verify the content, then feed back `BlobRead` or `BlobDamaged`."""

    artifact: ArtifactId


class WriteRecord(Struct, frozen=True, tag=True):
    """Put the record on disk, in place of an older one; once that is done the put is acknowledged."""

    artifact: Artifact


ArtifactEffect = WriteBlob | ReadBlob | WriteRecord | Announce


class _Put(Struct, frozen=True):
    """A put that waits for its content to be on disk."""

    size: int
    media_type: str
    lineages: tuple[Lineage, ...]


class ArtifactStore:
    """The artifacts' records. Not for use by two threads at once.

    `handle` raises `InvalidRequestError` for a media type that is none, `NotFoundError` for an unknown artifact and
    `ConflictError` for what the present state refuses; a refused event changes nothing.
    """

    def __init__(self) -> None:
        self._artifacts: dict[ArtifactId, Artifact] = {}
        self._puts: dict[ArtifactId, _Put] = {}
        self._damaged: set[ArtifactId] = set()

    def artifact(self, artifact: ArtifactId) -> Artifact:
        """Give the record. Raises `NotFoundError`."""
        if artifact not in self._artifacts:
            raise NotFoundError(f'no artifact has the id "{artifact}"')
        return self._artifacts[artifact]

    def artifacts(self) -> tuple[Artifact, ...]:
        """Give every record, oldest first."""
        return tuple(sorted(self._artifacts.values(), key=lambda artifact: (artifact.stored_at, artifact.id)))

    def handle(self, event: ArtifactEvent, now: float) -> list[ArtifactEffect]:  # noqa: PLR0911 - one return an event
        """Take one event at `now` and give what is to be done, in order."""
        match event:
            case PutArtifact():
                return self._put(event)
            case BlobWritten(artifact=artifact):
                return self._written(artifact, now)
            case BlobFailed(artifact=artifact):
                self._pending(artifact)
                del self._puts[artifact]
                return []
            case ReadArtifact(artifact=artifact):
                return [ReadBlob(self.artifact(artifact).id)]
            case BlobRead(artifact=artifact):
                return self._read(artifact, now)
            case BlobDamaged(artifact=artifact):
                self._damaged.add(self.artifact(artifact).id)
                return [Announce("artifact.damaged", artifact)]
            case Restored(artifacts=artifacts):
                return self._restore(artifacts)
            case _:
                assert_never(event)

    def check_invariants(self) -> None:
        """Raise `InvariantError` where a rule of this module is broken."""
        for key, artifact in self._artifacts.items():
            if key != artifact.id:
                raise InvariantError(f"{key} is filed under {artifact.id}")
            if not artifact.lineages or len(set(artifact.lineages)) < len(artifact.lineages):
                raise InvariantError(f"{key} has no lineage, or one of them twice")
            if key in self._puts and key not in self._damaged:
                raise InvariantError(f"{key} is recorded and being written again")
        if not self._damaged <= self._artifacts.keys():
            raise InvariantError("an artifact without a record is held to be damaged")

    def _put(self, event: PutArtifact) -> list[ArtifactEffect]:
        if not MEDIA_TYPE.fullmatch(event.media_type):
            raise InvalidRequestError(f'the media type "{event.media_type}" is not of the form type/subtype, as text/plain is')
        address = address_of(event.content)
        if address in self._artifacts and address not in self._damaged:
            return self._record(_with_lineages(self._artifacts[address], (event.lineage,)), "artifact.stored")
        waiting = self._puts.get(address)
        if waiting is None:
            self._puts[address] = _Put(len(event.content), event.media_type, (event.lineage,))
            return [WriteBlob(address, event.content)]
        self._puts[address] = replace(waiting, lineages=_united(waiting.lineages, (event.lineage,)))
        return []

    def _written(self, address: ArtifactId, now: float) -> list[ArtifactEffect]:
        put = self._pending(address)
        del self._puts[address]
        self._damaged.discard(address)
        known = self._artifacts.get(address)
        fresh = Artifact(address, put.media_type, put.size, stored_at=now, used_at=now)
        return self._record(_with_lineages(known or fresh, put.lineages), "artifact.stored")

    def _read(self, address: ArtifactId, now: float) -> list[ArtifactEffect]:
        known = self.artifact(address)
        # The wall clock may jump back; a use never makes an artifact older.
        return self._record(replace(known, uses=known.uses + 1, used_at=max(known.used_at, now)), "artifact.read")

    def _record(self, artifact: Artifact, kind: str) -> list[ArtifactEffect]:
        self._artifacts[artifact.id] = artifact
        return [WriteRecord(artifact), Announce(kind, artifact.id)]

    def _restore(self, artifacts: tuple[Artifact, ...]) -> list[ArtifactEffect]:
        if self._artifacts or self._puts:
            raise ConflictError(f"the store holds {len(self._artifacts)} artifacts; only an empty one can be restored")
        self._artifacts = {artifact.id: artifact for artifact in artifacts}
        return []

    def _pending(self, address: ArtifactId) -> _Put:
        if address not in self._puts:
            state = "recorded" if address in self._artifacts else "unknown"
            raise ConflictError(f'the artifact "{address}" is {state}; it is not being written')
        return self._puts[address]


def _united(known: tuple[Lineage, ...], more: tuple[Lineage, ...]) -> tuple[Lineage, ...]:
    """A step that runs again after a crash makes the same thing from the same things: one lineage, not two."""
    return tuple(dict.fromkeys(known + more))


def _with_lineages(artifact: Artifact, lineages: tuple[Lineage, ...]) -> Artifact:
    return replace(artifact, lineages=_united(artifact.lineages, lineages))
