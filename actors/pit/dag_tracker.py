"""DagTrackerActor: a mailbox and a journal round the DagTracker.

A change is on disk before anybody is told of it. Where the disk fails, the tracker in memory may know more than the disk, so it
is thrown away: the actor fails, and its next life restores what the disk has.
"""

from pathlib import Path
from typing import Any, ClassVar, assert_never

import structlog

from actors.runtime import Actor
from symphony.domain.errors import SymphonyError, UnavailableError
from symphony.domain.ids import RunId, StepId
from symphony.domain.pit import dag_tracker
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.dag_tracker import DagTracker, RunRecord
from symphony.domain.workflow import Run

from .messages import BeginStep, CompleteStep, FailStep, GetRun, ListRuns, ReadySteps, StartRun
from .record_file import RecordFile

_log = structlog.get_logger("actors.pit")


class DagTrackerActor(Actor):
    """What can run now. `state_dir` is where its journal lies."""

    dispatcher: ClassVar = "pinned"
    messages: ClassVar = (StartRun, ReadySteps, BeginStep, CompleteStep, FailStep, GetRun, ListRuns)
    expected_errors: ClassVar = (SymphonyError,)

    def __init__(self, state_dir: Path) -> None:
        super().__init__()
        self._journal: RecordFile[RunRecord] = RecordFile(state_dir / "runs", RunRecord)
        self._tracker = DagTracker()

    def on_start(self) -> None:
        """Restore the runs, and write them anew as compactly as they can be."""
        recovered = self._journal.open()
        if recovered.torn_bytes:
            self.context.publish("journal.mended", torn_bytes=recovered.torn_bytes)
        self._publish(self._tracker.handle(dag_tracker.Restored(tuple(recovered.records)), self.context.clock.wall()))
        try:
            self._journal.compact(self._tracker.records())
        except UnavailableError as error:  # the long journal is as good as the short one
            _log.warning("journal.not_compacted", error=str(error))

    def on_stop(self) -> None:
        """Close the journal."""
        self._journal.close()

    def on_failure(self, *_: object) -> None:
        """Close the journal; the next life opens it again."""
        self._journal.close()

    def on_receive(self, message: Any) -> Run | tuple[Run, ...] | tuple[StepId, ...]:  # noqa: PLR0911  # one return a request
        """Handle one request of `actors.pit.messages`."""
        match message:
            case StartRun(run, workflow, inputs):
                return self._change(run, dag_tracker.StartRun(run, workflow, inputs))
            case BeginStep(run, step):
                return self._change(run, dag_tracker.BeginStep(run, step))
            case CompleteStep(run, step, outputs):
                return self._change(run, dag_tracker.CompleteStep(run, step, outputs))
            case FailStep(run, step, error, retry):
                return self._change(run, dag_tracker.FailStep(run, step, error, retry))
            case ReadySteps(run):
                return self._tracker.ready_steps(run)
            case GetRun(run):
                return self._tracker.run(run)
            case ListRuns():
                return self._tracker.runs()
            case _:
                return super().on_receive(message)  # type: ignore[no-any-return]  # it raises

    def _change(self, run: RunId, event: dag_tracker.DagEvent) -> Run:
        effects = self._tracker.handle(event, self.context.clock.wall())
        for effect in effects:
            if isinstance(effect, dag_tracker.Checkpoint):
                try:
                    self._journal.append(effect.record)
                except UnavailableError as error:
                    self.context.fail(error)
                    raise
        self._publish(effects)
        return self._tracker.run(run)

    def _publish(self, effects: list[dag_tracker.DagEffect]) -> None:
        for effect in effects:
            match effect:
                case Announce(kind, subject):
                    self.context.publish(kind, subject=subject)
                case dag_tracker.Checkpoint():
                    pass  # written already
                case _:
                    assert_never(effect)
