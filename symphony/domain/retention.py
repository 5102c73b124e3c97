"""What to keep: the plan of the Stale Manager, before anything is done."""

from msgspec import Struct

from symphony.domain.ids import ArtifactId


class RetentionLine(Struct, frozen=True):
    """What is to happen to one artifact, and the sentence that explains it. `age_s` is counted from its last use."""

    artifact: ArtifactId
    keep: bool
    age_s: float
    reason: str


class RetentionPlan(Struct, frozen=True):
    """One line an artifact, oldest first; `freed` is in bytes."""

    max_age_s: float
    lines: tuple[RetentionLine, ...]
    freed: int
