"""StaleManager: what to keep, planned and explained before anything is done.

Rules, first one that applies: pinned is kept; referenced by a run that is not over is kept; used within the age is kept; all else
is to be removed. The boundary belongs to removal: what was last used exactly `max_age_s` seconds ago goes, so that an age of 0
keeps only what is pinned or referenced. `now` is in seconds since the epoch; an artifact used in the future (the clock went back)
has the age 0.
"""

from collections.abc import Iterable, Iterator
from math import isnan
from typing import assert_never

from msgspec import Struct

from symphony.domain.artifact import Artifact
from symphony.domain.errors import InvalidRequestError, InvariantError
from symphony.domain.ids import ArtifactId
from symphony.domain.pit.announcement import Announce
from symphony.domain.retention import RetentionLine, RetentionPlan
from symphony.domain.workflow import Plain, Run


class PlanRetention(Struct, frozen=True, tag=True):
    """Plan for `artifacts`; `referenced` are those that a live run still names, see `referenced_by`."""

    artifacts: tuple[Artifact, ...]
    referenced: frozenset[ArtifactId]
    max_age_s: float


StaleEvent = PlanRetention


class GivePlan(Struct, frozen=True, tag=True):
    """Tell whoever asked."""

    plan: RetentionPlan


StaleEffect = GivePlan | Announce


class StaleManager:
    """The planner. Not for use by two threads at once.

    `handle` raises `InvalidRequestError` for an age that is none. It remembers its last plan only, to be checked.
    """

    def __init__(self) -> None:
        self._last: RetentionPlan | None = None
        self._last_event: PlanRetention | None = None

    def handle(self, event: StaleEvent, now: float) -> list[StaleEffect]:
        """Take one event at `now` and give what is to be done, in order."""
        match event:
            case PlanRetention():
                return self._plan(event, now)
            case _:
                assert_never(event)

    def check_invariants(self) -> None:
        """Raise `InvariantError` where a rule of this module is broken."""
        if self._last is None or self._last_event is None:
            return
        removed = {line.artifact for line in self._last.lines if not line.keep}
        held = {artifact.id for artifact in self._last_event.artifacts if artifact.pinned} | self._last_event.referenced
        if removed & held:
            raise InvariantError(f"pinned or referenced artifacts are to be removed: {sorted(removed & held)}")
        if len(self._last.lines) != len(self._last_event.artifacts):
            raise InvariantError("the plan has not one line an artifact")

    def _plan(self, event: PlanRetention, now: float) -> list[StaleEffect]:
        if isnan(event.max_age_s) or event.max_age_s < 0:
            raise InvalidRequestError(f"max_age_s: must be 0 or more seconds, not {event.max_age_s}")
        oldest_first = sorted(event.artifacts, key=lambda artifact: (artifact.used_at, artifact.id))
        lines = tuple(_line(artifact, event, max(0.0, now - artifact.used_at)) for artifact in oldest_first)
        freed = sum(artifact.size for artifact, line in zip(oldest_first, lines, strict=True) if not line.keep)
        self._last, self._last_event = RetentionPlan(event.max_age_s, lines, freed), event
        return [GivePlan(self._last), Announce("retention.planned", f"{len(lines)} artifacts")]


def _line(artifact: Artifact, event: PlanRetention, age_s: float) -> RetentionLine:
    if artifact.pinned:
        return RetentionLine(artifact.id, keep=True, age_s=age_s, reason="Kept: it is pinned.")
    if artifact.id in event.referenced:
        return RetentionLine(artifact.id, keep=True, age_s=age_s, reason="Kept: a run that is not over refers to it.")
    if age_s < event.max_age_s:
        reason = f"Kept: last used {age_s:.0f} s ago, which is less than {event.max_age_s:.0f} s."
        return RetentionLine(artifact.id, keep=True, age_s=age_s, reason=reason)
    reason = f"To be removed: last used {age_s:.0f} s ago; {event.max_age_s:.0f} s without use are allowed."
    return RetentionLine(artifact.id, keep=False, age_s=age_s, reason=reason)


def referenced_by(runs: Iterable[Run]) -> frozenset[ArtifactId]:
    """Give the artifacts that runs which are not over name in their inputs or outputs."""
    found: set[ArtifactId] = set()
    for run in runs:
        if run.state == "running":
            values: list[Plain] = [run.inputs, *(status.outputs for status in run.steps)]
            found.update(ArtifactId(text) for value in values for text in _texts(value) if text.startswith("sha256:"))
    return frozenset(found)


def _texts(value: Plain) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)
        case _:
            return
