"""InMemoryPit: PitPort by the five rule machines, with dicts in place of a disk.

The rules are the real ones; only what carries out their effects is not. So a rule that is wrong is wrong here too, and a test
that passes on this passes for the reason it would in the actors.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from itertools import count
from typing import Literal, assert_never

from adapters.event_stream import EventStream
from symphony.domain.artifact import Artifact, Lineage, address_of
from symphony.domain.claim import Claim, Ruling
from symphony.domain.errors import ConflictError, NotFoundError
from symphony.domain.ids import ArtifactId, LeaseId, RunId, StepId
from symphony.domain.model import Lease, ModelSpec, ModelStatus
from symphony.domain.pit import arbitration_engine, artifact_store, dag_tracker, pool_manager, stale_manager
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.arbitration_engine import ArbitrationEngine
from symphony.domain.pit.artifact_store import ArtifactStore
from symphony.domain.pit.dag_tracker import DagTracker
from symphony.domain.pit.pool_manager import PoolManager
from symphony.domain.pit.stale_manager import StaleManager
from symphony.domain.retention import RetentionPlan
from symphony.domain.workflow import Plain, Run, Workflow
from symphony.ports.clock import Clock
from symphony.ports.pit import PitEvent

Manager = Literal["pool-manager", "dag-tracker", "artifact-store", "arbitration-engine", "stale-manager"]


class InMemoryDisk:
    """What outlives an `InMemoryPit`: give the same one to the next Pit, and that is a restart.

    Change `blobs` to damage a content.
    """

    def __init__(self) -> None:
        self.blobs: dict[ArtifactId, bytes] = {}
        self.artifacts: dict[ArtifactId, Artifact] = {}
        self.run_records: list[dag_tracker.RunRecord] = []


class InMemoryPit:
    """The five managers in the caller's thread. Call from one event loop; nothing waits.

    Drive it by `clock`, which gives every time that is written down; by `failing_models`, which maps a model's name to the reason
    why it cannot be warmed; and by `disk`, which holds what a restart finds. `close_stream` ends every `events()`.
    """

    def __init__(
        self, clock: Clock, *, disk: InMemoryDisk | None = None, failing_models: Mapping[str, str] | None = None
    ) -> None:
        self._clock = clock
        self._disk = InMemoryDisk() if disk is None else disk
        self._failing_models = {} if failing_models is None else failing_models
        self._lease_numbers = count(1)
        self._events: EventStream[PitEvent] = EventStream()
        self._pool = PoolManager()
        self._dag = DagTracker()
        self._store = ArtifactStore()
        self._engine = ArbitrationEngine()
        self._stale = StaleManager()
        self._dag.handle(dag_tracker.Restored(tuple(self._disk.run_records)), clock.wall())
        self._store.handle(artifact_store.Restored(tuple(self._disk.artifacts.values())), clock.wall())

    async def register_model(self, spec: ModelSpec) -> ModelStatus:
        """Make a model known, cold; again is the same as once."""
        self._pool_handle(pool_manager.RegisterModel(spec))
        return self._pool.status(spec.name)

    async def acquire_model(self, name: str, holder: str) -> Lease:
        """Warm the model if it is cold and lease it to `holder`."""
        lease = LeaseId(f"lease-{next(self._lease_numbers)}")
        for effect in self._pool_handle(pool_manager.AcquireModel(lease, name, holder)):
            if isinstance(effect, pool_manager.GrantLease) and effect.lease.id == lease:
                return effect.lease
        raise ConflictError(f'the model "{name}" has failed: {self._pool.status(name).reason}; register it again to retry')

    async def release_model(self, lease: LeaseId) -> ModelStatus:
        """Give a lease back."""
        name = next((m.spec.name for m in self._pool.statuses() for held in m.leases if held.id == lease), "")
        self._pool_handle(pool_manager.ReleaseModel(lease))
        return self._pool.status(name)

    async def models(self) -> tuple[ModelStatus, ...]:
        """Give every model, sorted by name."""
        return self._pool.statuses()

    async def start_run(self, run: RunId, workflow: Workflow, inputs: Mapping[str, Plain]) -> Run:
        """Start to track a run; the same call again gives the run as it is."""
        return self._dag_handle(run, dag_tracker.StartRun(run, workflow, dict(inputs)))

    async def ready_steps(self, run: RunId) -> tuple[StepId, ...]:
        """Give the steps whose needs are done and that are not begun, in the workflow's order."""
        return self._dag.ready_steps(run)

    async def begin_step(self, run: RunId, step: StepId) -> Run:
        """Mark a ready step as running, and count the try."""
        return self._dag_handle(run, dag_tracker.BeginStep(run, step))

    async def complete_step(self, run: RunId, step: StepId, outputs: Mapping[str, Plain]) -> Run:
        """Mark a running step as done and keep its outputs."""
        return self._dag_handle(run, dag_tracker.CompleteStep(run, step, dict(outputs)))

    async def fail_step(self, run: RunId, step: StepId, error: str, *, retry: bool) -> Run:
        """Mark a running step as ready again (`retry`) or as failed, which fails the run."""
        return self._dag_handle(run, dag_tracker.FailStep(run, step, error, retry))

    async def run(self, run: RunId) -> Run:
        """Give a run."""
        return self._dag.run(run)

    async def runs(self) -> tuple[Run, ...]:
        """Give every run, in the order they were started."""
        return self._dag.runs()

    async def put_artifact(self, content: bytes, media_type: str, lineage: Lineage) -> Artifact:
        """Store content; the same content again is stored once, and its record has both lineages."""
        self._store_handle(artifact_store.PutArtifact(content, media_type, lineage))
        return self._store.artifact(address_of(content))

    async def artifact_content(self, artifact: ArtifactId) -> bytes:
        """Give the content, verified against its address."""
        self._store_handle(artifact_store.ReadArtifact(artifact))
        content = self._whole_blob(artifact)
        if content is None:
            raise NotFoundError(f"the content {artifact} is damaged; put it again to mend it")
        return content

    async def artifacts(self) -> tuple[Artifact, ...]:
        """Give every artifact's record, oldest first."""
        return self._store.artifacts()

    async def arbitrate(self, claims: Sequence[Claim]) -> Ruling:
        """Decide who of several claimants of one resource wins, and why."""
        effects = self._engine.handle(arbitration_engine.Arbitrate(tuple(claims)), self._clock.monotonic())
        self._announce("arbitration-engine", effects)
        return next(effect.ruling for effect in effects if isinstance(effect, arbitration_engine.GiveRuling))

    async def plan_retention(self, max_age_s: float) -> RetentionPlan:
        """Say what would be kept and what removed if nothing unused for `max_age_s` seconds were kept; nothing is done."""
        referenced = stale_manager.referenced_by(self._dag.runs())
        event = stale_manager.PlanRetention(self._store.artifacts(), referenced, max_age_s)
        effects = self._stale.handle(event, self._clock.wall())
        self._announce("stale-manager", effects)
        return next(effect.plan for effect in effects if isinstance(effect, stale_manager.GivePlan))

    def events(self) -> AsyncIterator[PitEvent]:
        """Give what happens from now on, until the iterator is closed."""
        return self._events.subscribe()

    def close_stream(self) -> None:
        """End every `events()`, as an adapter does that is shut down."""
        self._events.close()

    def _pool_handle(self, event: pool_manager.PoolEvent) -> list[pool_manager.PoolEffect]:
        """Carry out what follows from `event` to its end, and give all of it."""
        done: list[pool_manager.PoolEffect] = []
        waiting = self._pool.handle(event, self._clock.monotonic())
        while waiting:
            effect = waiting.pop(0)
            done.append(effect)
            match effect:
                case pool_manager.WarmModel(spec=spec) if spec.name in self._failing_models:
                    failed = pool_manager.ModelFailed(spec.name, self._failing_models[spec.name])
                    waiting += self._pool.handle(failed, self._clock.monotonic())
                case pool_manager.WarmModel(spec=spec):
                    waiting += self._pool.handle(pool_manager.ModelWarmed(spec.name), self._clock.monotonic())
                case pool_manager.CoolModel(spec=spec):
                    waiting += self._pool.handle(pool_manager.ModelCooled(spec.name), self._clock.monotonic())
                case pool_manager.GrantLease() | pool_manager.RefuseLease() | Announce():
                    pass  # for whoever called
                case _:
                    assert_never(effect)
        self._announce("pool-manager", done)
        return done

    def _dag_handle(self, run: RunId, event: dag_tracker.DagEvent) -> Run:
        effects = self._dag.handle(event, self._clock.wall())
        self._disk.run_records += [effect.record for effect in effects if isinstance(effect, dag_tracker.Checkpoint)]
        self._announce("dag-tracker", effects)
        return self._dag.run(run)

    def _store_handle(self, event: artifact_store.ArtifactEvent) -> None:
        effects = self._store.handle(event, self._clock.wall())
        for effect in effects:
            match effect:
                case artifact_store.WriteBlob(artifact=artifact, content=content):
                    self._disk.blobs[artifact] = content
                    self._store_handle(artifact_store.BlobWritten(artifact))
                case artifact_store.ReadBlob(artifact=artifact):
                    is_whole = self._whole_blob(artifact) is not None
                    self._store_handle((artifact_store.BlobRead if is_whole else artifact_store.BlobDamaged)(artifact))
                case artifact_store.WriteRecord(artifact=record):
                    self._disk.artifacts[record.id] = record
                case Announce():
                    pass  # when all is done
                case _:
                    assert_never(effect)
        self._announce("artifact-store", effects)

    def _whole_blob(self, artifact: ArtifactId) -> bytes | None:
        content = self._disk.blobs.get(artifact)
        return content if content is not None and address_of(content) == artifact else None

    def _announce(self, manager: Manager, effects: Iterable[object]) -> None:
        for effect in effects:
            if isinstance(effect, Announce):
                self._events.publish(PitEvent(manager, effect.kind, effect.subject))
