"""PitAdapter: PitPort by the five actors below one path, in this process or another."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Literal, TypeVar

from actors.pit import messages
from actors.runtime import ActorRef, Request
from actors.runtime.event import Event
from adapters.asking import ask
from adapters.event_stream import EventStream
from adapters.relay import Listen, relay
from symphony.domain.artifact import Artifact, Lineage
from symphony.domain.claim import Claim, Ruling
from symphony.domain.ids import ArtifactId, LeaseId, RunId, StepId
from symphony.domain.model import Lease, ModelSpec, ModelStatus
from symphony.domain.pit.stale_manager import referenced_by
from symphony.domain.retention import RetentionPlan
from symphony.domain.workflow import Plain, Run, Workflow
from symphony.ports.pit import PitEvent

Reply = TypeVar("Reply")
Manager = Literal["pool-manager", "dag-tracker", "artifact-store", "arbitration-engine", "stale-manager"]

MANAGERS: dict[str, Manager] = {
    "pool-manager": "pool-manager",
    "dag-tracker": "dag-tracker",
    "artifact-store": "artifact-store",
    "arbitration-engine": "arbitration-engine",
    "stale-manager": "stale-manager",
}
TIMEOUT_S = 5.0


class PitAdapter:
    """The Pit at `path`. Call from one event loop.

    `ref_of` gives refs and `timeout_s` bounds each call. `listen` calls back with every event of this process's actors, on their
    threads: from them come `events()`, so that what others ask of the same actors is seen as well.
    """

    def __init__(
        self, ref_of: Callable[[str], ActorRef], listen: Listen, *, path: str = "/engine/pit", timeout_s: float = TIMEOUT_S
    ) -> None:
        self._ref_of = ref_of
        self._listen = listen
        self._path = path
        self._timeout_s = timeout_s
        self._events: EventStream[PitEvent] = EventStream()
        self._stop_listening: Callable[[], None] | None = None

    async def register_model(self, spec: ModelSpec) -> ModelStatus:
        """Make a model known, cold; again is the same as once."""
        return await self._ask("pool-manager", messages.RegisterModel(spec))

    async def acquire_model(self, name: str, holder: str) -> Lease:
        """Warm the model if it is cold and lease it to `holder`."""
        return await self._ask("pool-manager", messages.AcquireModel(name, holder))

    async def release_model(self, lease: LeaseId) -> ModelStatus:
        """Give a lease back."""
        return await self._ask("pool-manager", messages.ReleaseModel(lease))

    async def models(self) -> tuple[ModelStatus, ...]:
        """Give every model, sorted by name."""
        return await self._ask("pool-manager", messages.ListModels())

    async def start_run(self, run: RunId, workflow: Workflow, inputs: Mapping[str, Plain]) -> Run:
        """Start to track a run; the same call again gives the run as it is."""
        return await self._ask("dag-tracker", messages.StartRun(run, workflow, dict(inputs)))

    async def ready_steps(self, run: RunId) -> tuple[StepId, ...]:
        """Give the steps whose needs are done and that are not begun, in the workflow's order."""
        return await self._ask("dag-tracker", messages.ReadySteps(run))

    async def begin_step(self, run: RunId, step: StepId) -> Run:
        """Mark a ready step as running, and count the try."""
        return await self._ask("dag-tracker", messages.BeginStep(run, step))

    async def complete_step(self, run: RunId, step: StepId, outputs: Mapping[str, Plain]) -> Run:
        """Mark a running step as done and keep its outputs."""
        request = messages.CompleteStep(run, step, dict(outputs))
        return await self._ask("dag-tracker", request)

    async def fail_step(self, run: RunId, step: StepId, error: str, *, retry: bool) -> Run:
        """Mark a running step as ready again (`retry`) or as failed, which fails the run."""
        request = messages.FailStep(run, step, error, retry)
        return await self._ask("dag-tracker", request)

    async def run(self, run: RunId) -> Run:
        """Give a run."""
        return await self._ask("dag-tracker", messages.GetRun(run))

    async def runs(self) -> tuple[Run, ...]:
        """Give every run, in the order they were started."""
        return await self._ask("dag-tracker", messages.ListRuns())

    async def put_artifact(self, content: bytes, media_type: str, lineage: Lineage) -> Artifact:
        """Store content; the same content again is stored once, and its record has both lineages."""
        return await self._ask("artifact-store", messages.PutArtifact(content, media_type, lineage))

    async def artifact_content(self, artifact: ArtifactId) -> bytes:
        """Give the content, verified against its address."""
        return await self._ask("artifact-store", messages.ReadArtifact(artifact))

    async def artifacts(self) -> tuple[Artifact, ...]:
        """Give every artifact's record, oldest first."""
        return await self._ask("artifact-store", messages.ListArtifacts())

    async def arbitrate(self, claims: Sequence[Claim]) -> Ruling:
        """Decide who of several claimants of one resource wins, and why."""
        return await self._ask("arbitration-engine", messages.Arbitrate(tuple(claims)))

    async def plan_retention(self, max_age_s: float) -> RetentionPlan:
        """Say what would be kept and what removed if nothing unused for `max_age_s` seconds were kept; nothing is done."""
        referenced = tuple(referenced_by(await self.runs()))
        request = messages.PlanRetention(await self.artifacts(), referenced, max_age_s)
        return await self._ask("stale-manager", request)

    def events(self) -> AsyncIterator[PitEvent]:
        """Give what happens from now on, until the iterator is closed."""
        if self._stop_listening is None:
            self._stop_listening = relay(self._listen, self._take)
        return self._events.subscribe()

    def close(self) -> None:
        """End every `events()`."""
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        self._events.close()

    async def _ask(self, manager: Manager, request: Request[Reply]) -> Reply:
        return await ask(self._ref_of(f"{self._path}/{manager}"), request, timeout_s=self._timeout_s)

    def _take(self, event: Event) -> None:
        manager = MANAGERS.get(event.path.removeprefix(f"{self._path}/"))
        subject = event.fields.get("subject")
        if manager is not None and isinstance(subject, str):
            self._events.publish(PitEvent(manager, event.type, subject))
