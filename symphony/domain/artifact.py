"""What was made, and from what: an artifact's content address, metadata and lineage."""

from hashlib import sha256

from msgspec import Struct

from symphony.domain.ids import ArtifactId, RunId, StepId


class Lineage(Struct, frozen=True):
    """Which step of which run made an artifact, and from which artifacts."""

    run: RunId | None = None
    step: StepId | None = None
    sources: tuple[ArtifactId, ...] = ()


class Artifact(Struct, frozen=True):
    """One stored content; the same content stored twice is one artifact with two lineages.

    `size` is in bytes; `stored_at` and `used_at` are seconds since the epoch.
    """

    id: ArtifactId
    media_type: str
    size: int
    stored_at: float
    used_at: float
    uses: int = 0
    pinned: bool = False
    lineages: tuple[Lineage, ...] = ()


def address_of(content: bytes) -> ArtifactId:
    """Give the content's address."""
    return ArtifactId(f"sha256:{sha256(content).hexdigest()}")
