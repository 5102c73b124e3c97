"""DagTracker: what can run now, and how far each run has come.

    step:  waiting ──▶ ready ──▶ running ──▶ done           run:  running ──▶ done
                         ▲          │                                 │
                         └──────────┼──────▶ failed                   └─────▶ failed
                   retried, restored

A step counts its needs that are not done, so that finishing one touches its dependents only: a run of 10,000 steps costs as much
a step as one of ten. For the same reason a checkpoint is the one step that changed and not the run. A step that was running when
the process died runs again, with its tries kept. `now` is in seconds since the epoch.

A shell that could not carry out a `Checkpoint` must throw the tracker away and restore another from what is on disk: otherwise
the next caller would be told of progress that a restart forgets.
"""

from collections.abc import Iterator, Mapping
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from symphony.domain.errors import ConflictError, InvalidRequestError, InvariantError, NotFoundError
from symphony.domain.ids import RunId, StepId
from symphony.domain.operations import ARTICLED, is_of_type, kind_of
from symphony.domain.pit.announcement import Announce
from symphony.domain.step_graph import graph_problems
from symphony.domain.workflow import Plain, Run, RunState, StepState, StepStatus, Workflow

TRANSITIONS: Mapping[StepState, frozenset[StepState]] = {
    "waiting": frozenset({"ready"}),
    "ready": frozenset({"running"}),
    "running": frozenset({"done", "failed", "ready"}),
    "done": frozenset(),
    "failed": frozenset(),
}


class RunSaved(Struct, frozen=True, tag=True):
    """A checkpoint of a whole run."""

    run: Run


class StepSaved(Struct, frozen=True, tag=True):
    """A checkpoint of the one step that changed; what follows from it is worked out again."""

    run: RunId
    step: StepStatus


RunRecord = RunSaved | StepSaved


class StartRun(Struct, frozen=True, tag=True):
    """Track a run; the same again changes nothing."""

    run: RunId
    workflow: Workflow
    inputs: dict[str, Plain]


class BeginStep(Struct, frozen=True, tag=True):
    """A ready step is being tried."""

    run: RunId
    step: StepId


class CompleteStep(Struct, frozen=True, tag=True):
    """A running step is done."""

    run: RunId
    step: StepId
    outputs: dict[str, Plain]


class FailStep(Struct, frozen=True, tag=True):
    """A try has failed; with `retry` the step may be tried again, without it the run has failed."""

    run: RunId
    step: StepId
    error: str
    retry: bool


class Restored(Struct, frozen=True, tag=True):
    """The checkpoints of a life before, in the order they were made; to an empty tracker only."""

    records: tuple[RunRecord, ...]


DagEvent = StartRun | BeginStep | CompleteStep | FailStep | Restored


class Checkpoint(Struct, frozen=True, tag=True):
    """Put the record on disk before anybody is told."""

    record: RunRecord


DagEffect = Checkpoint | Announce


class _Tracked:
    """One run as the tracker holds it; `run` builds the value that others see."""

    def __init__(self, start: Run) -> None:
        self.start = start
        self.index = {step.id: number for number, step in enumerate(start.workflow.steps)}
        self.steps = list(start.steps)
        self.dependents: dict[StepId, list[StepId]] = {step: [] for step in self.index}
        self.missing: dict[StepId, int] = {}
        for step in start.workflow.steps:
            needs = set(step.needs)
            self.missing[step.id] = sum(self.status(needed).state != "done" for needed in needs)
            for needed in needs:
                self.dependents[needed].append(step.id)
        self.ready = {status.id for status in self.steps if status.state == "ready"}
        self.left = sum(status.state != "done" for status in self.steps)
        self.has_failed = any(status.state == "failed" for status in self.steps)

    @property
    def state(self) -> RunState:
        return "failed" if self.has_failed else "running" if self.left else "done"

    def status(self, step: StepId) -> StepStatus:
        if step not in self.index:
            raise NotFoundError(f'the run "{self.start.id}" has no step "{step}"')
        return self.steps[self.index[step]]

    def run(self) -> Run:
        return replace(self.start, state=self.state, steps=tuple(self.steps))

    def put(self, status: StepStatus) -> None:
        """Replace a step's status and bring the indexes after it; touches the step and its dependents only."""
        was = self.status(status.id)
        self.steps[self.index[status.id]] = status
        (self.ready.add if status.state == "ready" else self.ready.discard)(status.id)
        self.has_failed = self.has_failed or status.state == "failed"
        if status.state == "done" and was.state != "done":
            self.left -= 1
            for dependent in self.dependents[status.id]:
                self.missing[dependent] -= 1
                if not self.missing[dependent] and self.status(dependent).state == "waiting":
                    self.put(StepStatus(dependent, "ready"))


class DagTracker:
    """The runs. Not for use by two threads at once.

    `handle` raises `NotFoundError` for an unknown run or step, `InvalidRequestError` for inputs that do not fit and
    `ConflictError` for what the present state refuses; a refused event changes nothing.
    """

    def __init__(self) -> None:
        self._runs: dict[RunId, _Tracked] = {}

    def run(self, run: RunId) -> Run:
        """Give a run. Raises `NotFoundError`."""
        return self._tracked(run).run()

    def runs(self) -> tuple[Run, ...]:
        """Give every run, in the order they were started."""
        return tuple(tracked.run() for tracked in self._runs.values())

    def ready_steps(self, run: RunId) -> tuple[StepId, ...]:
        """Give the steps that may begin, in the workflow's order; a run that has failed has none. Raises `NotFoundError`."""
        tracked = self._tracked(run)
        return () if tracked.has_failed else tuple(sorted(tracked.ready, key=tracked.index.__getitem__))

    def records(self) -> Iterator[RunRecord]:
        """Give the fewest records that restore every run: what a compacted journal holds."""
        return (RunSaved(tracked.run()) for tracked in self._runs.values())

    def handle(self, event: DagEvent, now: float) -> list[DagEffect]:
        """Take one event at `now` and give what is to be done, in order."""
        match event:
            case StartRun():
                return self._start(event, now)
            case BeginStep(run=run, step=step):
                return self._begin(run, step)
            case CompleteStep(run=run, step=step, outputs=outputs):
                return self._complete(run, step, outputs)
            case FailStep():
                return self._fail(event)
            case Restored(records=records):
                return self._restore(records)
            case _:
                assert_never(event)

    def check_invariants(self) -> None:
        """Raise `InvariantError` where a rule of this module is broken."""
        for run, tracked in self._runs.items():
            done = {status.id for status in tracked.steps if status.state == "done"}
            for step in tracked.start.workflow.steps:
                status = tracked.status(step.id)
                missing = len(set(step.needs) - done)
                if missing != tracked.missing[step.id] or (status.state == "waiting") != (missing > 0):
                    raise InvariantError(f"{run}: {step.id} is {status.state} with {missing} needs not done")
                if status.state in {"running", "done", "failed"} and not status.attempts:
                    raise InvariantError(f"{run}: {step.id} is {status.state} and was never begun")
            if tracked.ready != {status.id for status in tracked.steps if status.state == "ready"}:
                raise InvariantError(f"{run}: the ready set differs from the steps")
            if tracked.left != len(tracked.steps) - len(done):
                raise InvariantError(f"{run}: {tracked.left} steps are counted as left, with {len(done)} done")

    def _start(self, event: StartRun, now: float) -> list[DagEffect]:
        known = self._runs.get(event.run)
        if known is not None:
            if (known.start.workflow, known.start.inputs) == (event.workflow, event.inputs):
                return []
            raise ConflictError(f'the run "{event.run}" was started with another workflow or other inputs; choose another id')
        problems = graph_problems(event.workflow.steps) + _input_problems(event.workflow, event.inputs)
        if problems:
            raise InvalidRequestError(*problems)
        steps = tuple(StepStatus(step.id, "waiting" if step.needs else "ready") for step in event.workflow.steps)
        run = Run(event.run, event.workflow, event.inputs, "running", steps, now)
        self._runs[run.id] = _Tracked(run)
        return [Checkpoint(RunSaved(run)), Announce("run.started", run.id)]

    def _begin(self, run: RunId, step: StepId) -> list[DagEffect]:
        tracked = self._tracked(run)
        status = tracked.status(step)
        _check_move(run, status, "running")
        if tracked.has_failed:
            raise ConflictError(f'the run "{run}" has failed, so its step "{step}" cannot begin')
        return self._save(run, replace(status, state="running", attempts=status.attempts + 1), "step.begun")

    def _complete(self, run: RunId, step: StepId, outputs: dict[str, Plain]) -> list[DagEffect]:
        tracked = self._tracked(run)
        status = tracked.status(step)
        _check_move(run, status, "done")
        effects = self._save(run, replace(status, state="done", outputs=outputs, error=""), "step.completed")
        return [*effects, Announce("run.completed", run)] if tracked.state == "done" else effects

    def _fail(self, event: FailStep) -> list[DagEffect]:
        tracked = self._tracked(event.run)
        status = tracked.status(event.step)
        _check_move(event.run, status, "failed")
        if event.retry:
            return self._save(event.run, replace(status, state="ready", error=event.error), "step.retried")
        was_failed = tracked.has_failed
        effects = self._save(event.run, replace(status, state="failed", error=event.error), "step.failed")
        return effects if was_failed else [*effects, Announce("run.failed", event.run)]

    def _save(self, run: RunId, status: StepStatus, kind: str) -> list[DagEffect]:
        self._tracked(run).put(status)
        return [Checkpoint(StepSaved(run, status)), Announce(kind, f"{run}/{status.id}")]

    def _restore(self, records: tuple[RunRecord, ...]) -> list[DagEffect]:
        if self._runs:
            raise ConflictError(f"the tracker holds {len(self._runs)} runs; only an empty one can be restored")
        restored: dict[RunId, _Tracked] = {}
        for record in records:
            if isinstance(record, RunSaved):
                restored[record.run.id] = _Tracked(record.run)
            elif record.run in restored:
                restored[record.run].put(record.step)
            else:
                raise InvalidRequestError(f'a record is of the run "{record.run}", which no record starts')
        for tracked in restored.values():
            for status in [status for status in tracked.steps if status.state == "running"]:
                tracked.put(replace(status, state="ready"))
        self._runs = restored
        return [Announce("run.restored", run) for run, tracked in restored.items() if tracked.state == "running"]

    def _tracked(self, run: RunId) -> _Tracked:
        if run not in self._runs:
            raise NotFoundError(f'no run has the id "{run}"')
        return self._runs[run]


def _check_move(run: RunId, status: StepStatus, to: StepState) -> None:
    if to not in TRANSITIONS[status.state]:
        raise ConflictError(f'the step "{status.id}" of the run "{run}" is {status.state} and cannot become {to}')


def _input_problems(workflow: Workflow, inputs: Mapping[str, Plain]) -> list[str]:
    known = {declared.name: declared for declared in workflow.inputs}
    problems = [f"inputs.{name}: {workflow.name} has no such input" for name in inputs if name not in known]
    for name, declared in known.items():
        if name not in inputs:
            problems.append(f"inputs.{name}: is missing; it must be {ARTICLED[declared.type]}")
        elif not is_of_type(inputs[name], declared.type):
            problems.append(f"inputs.{name}: must be {ARTICLED[declared.type]}, not {kind_of(inputs[name])}")
    return problems
