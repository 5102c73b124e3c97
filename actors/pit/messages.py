"""What the Pit's actors understand. Their declared errors are those of the PitPort methods that stand behind them."""

from actors.runtime import Request
from symphony.domain.artifact import Artifact, Lineage
from symphony.domain.claim import Claim, Ruling
from symphony.domain.ids import ArtifactId, LeaseId, RunId, StepId
from symphony.domain.model import Lease, ModelSpec, ModelStatus
from symphony.domain.retention import RetentionPlan
from symphony.domain.workflow import Plain, Run, Workflow


class RegisterModel(Request[ModelStatus], frozen=True, tag=True):
    """Make a model known."""

    spec: ModelSpec


class AcquireModel(Request[Lease], frozen=True, tag=True):
    """Lease a model."""

    name: str
    holder: str


class ReleaseModel(Request[ModelStatus], frozen=True, tag=True):
    """Give a lease back."""

    lease: LeaseId


class ListModels(Request[tuple[ModelStatus, ...]], frozen=True, tag=True):
    """Give every model."""


class StartRun(Request[Run], frozen=True, tag=True):
    """Start to track a run."""

    run: RunId
    workflow: Workflow
    inputs: dict[str, Plain]


class ReadySteps(Request[tuple[StepId, ...]], frozen=True, tag=True):
    """Give the steps that may begin."""

    run: RunId


class BeginStep(Request[Run], frozen=True, tag=True):
    """Mark a ready step as running."""

    run: RunId
    step: StepId


class CompleteStep(Request[Run], frozen=True, tag=True):
    """Mark a running step as done."""

    run: RunId
    step: StepId
    outputs: dict[str, Plain]


class FailStep(Request[Run], frozen=True, tag=True):
    """Mark a running step as failed, or as ready again."""

    run: RunId
    step: StepId
    error: str
    retry: bool


class GetRun(Request[Run], frozen=True, tag=True):
    """Give a run."""

    run: RunId


class ListRuns(Request[tuple[Run, ...]], frozen=True, tag=True):
    """Give every run."""


class PutArtifact(Request[Artifact], frozen=True, tag=True):
    """Store content."""

    content: bytes
    media_type: str
    lineage: Lineage


class ReadArtifact(Request[bytes], frozen=True, tag=True):
    """Give an artifact's content, verified."""

    artifact: ArtifactId


class ListArtifacts(Request[tuple[Artifact, ...]], frozen=True, tag=True):
    """Give every artifact's record."""


class Arbitrate(Request[Ruling], frozen=True, tag=True):
    """Decide who of several claimants wins."""

    claims: tuple[Claim, ...]


class PlanRetention(Request[RetentionPlan], frozen=True, tag=True):
    """Say what would be kept and what removed."""

    artifacts: tuple[Artifact, ...]
    referenced: tuple[ArtifactId, ...]
    max_age_s: float
