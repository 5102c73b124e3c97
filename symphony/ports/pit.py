"""PitPort: the five managers: Pool Manager, DAG Tracker, Artifact Store, Arbitration Engine, Stale Manager."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from symphony.domain.artifact import Artifact, Lineage
from symphony.domain.claim import Claim, Ruling
from symphony.domain.errors import ConflictError, DeadlineExceededError, InvalidRequestError, NotFoundError, UnavailableError
from symphony.domain.ids import ArtifactId, LeaseId, RunId, StepId
from symphony.domain.model import Lease, ModelSpec, ModelStatus
from symphony.domain.retention import RetentionPlan
from symphony.domain.workflow import Plain, Run, Workflow
from symphony.ports.declared import raises


class PitEvent(Struct, frozen=True):
    """Something that happened in the Pit; events of one manager arrive in order. `subject` is the id of what it happened to."""

    manager: Literal["pool-manager", "dag-tracker", "artifact-store", "arbitration-engine", "stale-manager"]
    kind: str
    subject: str


class PitPort(Protocol):
    """The Pit. Call from the core's event loop. What was acknowledged of artifacts and runs survives the death of the process."""

    @raises(ConflictError, UnavailableError, DeadlineExceededError)
    async def register_model(self, spec: ModelSpec) -> ModelStatus:
        """Make a model known, cold; again is the same as once. `ConflictError`: the name is taken by another spec."""
        ...

    @raises(NotFoundError, ConflictError, UnavailableError, DeadlineExceededError)
    async def acquire_model(self, name: str, holder: str) -> Lease:
        """Warm the model if it is cold and lease it to `holder`.

        `NotFoundError`: no such model. `ConflictError`: it is leased to as many as it serves, or has failed.
        """
        ...

    @raises(NotFoundError, UnavailableError, DeadlineExceededError)
    async def release_model(self, lease: LeaseId) -> ModelStatus:
        """Give a lease back. `NotFoundError`: no such lease."""
        ...

    @raises(UnavailableError, DeadlineExceededError)
    async def models(self) -> tuple[ModelStatus, ...]:
        """Give every model, sorted by name."""
        ...

    @raises(InvalidRequestError, ConflictError, UnavailableError, DeadlineExceededError)
    async def start_run(self, run: RunId, workflow: Workflow, inputs: Mapping[str, Plain]) -> Run:
        """Start to track a run; the same call again gives the run as it is.

        `InvalidRequestError`: an input is missing, unknown or of another type. `ConflictError`: the id was used for another run.
        """
        ...

    @raises(NotFoundError, UnavailableError, DeadlineExceededError)
    async def ready_steps(self, run: RunId) -> tuple[StepId, ...]:
        """Give the steps whose needs are done and that are not begun, in the workflow's order. `NotFoundError`: no such run."""
        ...

    @raises(NotFoundError, ConflictError, UnavailableError, DeadlineExceededError)
    async def begin_step(self, run: RunId, step: StepId) -> Run:
        """Mark a ready step as running, and count the try.

        `NotFoundError`: no such run or step. `ConflictError`: the step is not ready.
        """
        ...

    @raises(NotFoundError, ConflictError, UnavailableError, DeadlineExceededError)
    async def complete_step(self, run: RunId, step: StepId, outputs: Mapping[str, Plain]) -> Run:
        """Mark a running step as done and keep its outputs.

        `NotFoundError`: no such run or step. `ConflictError`: the step is not running.
        """
        ...

    @raises(NotFoundError, ConflictError, UnavailableError, DeadlineExceededError)
    async def fail_step(self, run: RunId, step: StepId, error: str, *, retry: bool) -> Run:
        """Mark a running step as ready again (`retry`) or as failed, which fails the run.

        `NotFoundError`: no such run or step. `ConflictError`: the step is not running.
        """
        ...

    @raises(NotFoundError, UnavailableError, DeadlineExceededError)
    async def run(self, run: RunId) -> Run:
        """Give a run. `NotFoundError`: no such run."""
        ...

    @raises(UnavailableError, DeadlineExceededError)
    async def runs(self) -> tuple[Run, ...]:
        """Give every run, in the order they were started."""
        ...

    @raises(InvalidRequestError, UnavailableError, DeadlineExceededError)
    async def put_artifact(self, content: bytes, media_type: str, lineage: Lineage) -> Artifact:
        """Store content; the same content again is stored once, and its record has both lineages.

        `InvalidRequestError`: the media type is not `type/subtype`.
        """
        ...

    @raises(NotFoundError, UnavailableError, DeadlineExceededError)
    async def artifact_content(self, artifact: ArtifactId) -> bytes:
        """Give the content, verified against its address. `NotFoundError`: no such artifact, or its content is damaged."""
        ...

    @raises(UnavailableError, DeadlineExceededError)
    async def artifacts(self) -> tuple[Artifact, ...]:
        """Give every artifact's record, oldest first."""
        ...

    @raises(InvalidRequestError, UnavailableError, DeadlineExceededError)
    async def arbitrate(self, claims: Sequence[Claim]) -> Ruling:
        """Decide who of several claimants of one resource wins, and why.

        `InvalidRequestError`: no claims, claims on different resources, or two with one id.
        """
        ...

    @raises(InvalidRequestError, UnavailableError, DeadlineExceededError)
    async def plan_retention(self, max_age_s: float) -> RetentionPlan:
        """Say what would be kept and what removed if nothing unused for `max_age_s` seconds were kept; nothing is done.

        `InvalidRequestError`: the age is negative.
        """
        ...

    @raises(UnavailableError)
    def events(self) -> AsyncIterator[PitEvent]:
        """Give what happens from now on, until the iterator is closed.

        A reader that falls behind by 1,000 events gets `UnavailableError` and must look at the states again.
        """
        ...
