"""WorkflowEngine: runs a workflow to its end: the Conductor decides, the Pit tracks, the operations do.

A part that is away (restarting, most likely) is waited for within the step's timeout: that is the world's move, and costs the
step no try. What else fails costs one; the Conductor then says whether to try again or to halt. A run is tracked on disk after
each change, so an engine that is killed goes on where it was, doing again at most the step that it was at.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from symphony.domain.conducting import DecisionContext, Option
from symphony.domain.errors import InvalidRequestError, NotBuiltError, SymphonyError, UnavailableError
from symphony.domain.ids import DecisionId, RunId, StepId
from symphony.domain.melody import resolve
from symphony.domain.workflow import Run, Step, StepStatus
from symphony.ports.clock import Clock
from symphony.ports.conductor import ConductorPort
from symphony.ports.pit import PitPort

from .operations import Operations
from .patience import Wait, delay_before, patiently

Result = TypeVar("Result")

PATIENCE_S = 30.0
"""How long the engine waits for a part of its own process that is restarting."""


class Report(Protocol):
    """Says what happens in a run; `type_` is `noun.past_participle`."""

    def __call__(self, type_: str, **fields: str | int) -> None:
        """Publish one event."""
        ...


class WorkflowEngine:
    """Runs workflows. Call from the core's event loop; several runs may be under way at once."""

    def __init__(
        self,
        operations: Operations,
        pit: PitPort,
        conductor: ConductorPort,
        clock: Clock,
        report: Report,
        *,
        wait: Wait = asyncio.sleep,
    ) -> None:
        self._operations = operations
        self._pit = pit
        self._conductor = conductor
        self._clock = clock
        self._report = report
        self._wait = wait

    async def finish(self, run_id: RunId) -> Run:
        """Bring a started run to its end, and give it. Raises `UnavailableError` where the Pit or the Conductor stay away."""
        while True:
            ready = await self._patiently(lambda: self._pit.ready_steps(run_id), PATIENCE_S)
            run = await self._patiently(lambda: self._pit.run(run_id), PATIENCE_S)
            if run.state != "running" or not ready:
                await self._operations.leave(run)
                self._report("run.finished", run=run_id, state=run.state)
                return run
            await self._do_step(run, await self._choose(run, ready))

    async def _choose(self, run: Run, ready: tuple[StepId, ...]) -> StepId:
        tries = sum(step.attempts for step in run.steps)
        context = DecisionContext(
            DecisionId(f"{run.id}/next/{tries}/{'+'.join(ready)}"), "next_step", tuple(Option(step) for step in ready), run.id
        )
        decision = await self._patiently(lambda: self._conductor.submit_decision(context), PATIENCE_S)
        return StepId(decision.chosen)

    async def _do_step(self, run: Run, step_id: StepId) -> None:
        step = next(step for step in run.workflow.steps if step.id == step_id)
        begun = await self._patiently(lambda: self._pit.begin_step(run.id, step_id), PATIENCE_S)
        attempt = _status(begun, step_id).attempts
        self._report("step.started", run=run.id, step=step_id, attempt=attempt)
        try:
            outputs = {status.id: status.outputs for status in begun.steps if status.state == "done"}
            arguments = resolve(step.arguments, begun.inputs, outputs)
            done = await self._patiently(
                lambda: self._operations.perform(run.id, run.workflow, step, arguments), step.timeout_s, run=run.id, step=step_id
            )
        except SymphonyError as error:
            await self._on_failure(run.id, step, attempt, error)
            return
        await self._patiently(lambda: self._pit.complete_step(run.id, step_id, done), PATIENCE_S)
        self._report("step.finished", run=run.id, step=step_id, attempt=attempt)

    async def _on_failure(self, run_id: RunId, step: Step, attempt: int, error: SymphonyError) -> None:
        text = f"{type(error).__name__}: {error}"
        # What breaks a rule breaks it at every try.
        hopeless = isinstance(error, InvalidRequestError | NotBuiltError)
        options = (Option("halt"),) if hopeless or attempt > step.retries else (Option("retry"), Option("halt"))
        context = DecisionContext(
            DecisionId(f"{run_id}/failure/{step.id}/{attempt}"), "after_failure", options, run_id, step.id, attempt
        )
        decision = await self._patiently(lambda: self._conductor.submit_decision(context), PATIENCE_S)
        retry = decision.chosen == "retry"
        await self._patiently(lambda: self._pit.fail_step(run_id, step.id, text, retry=retry), PATIENCE_S)
        self._report("step.failed", run=run_id, step=step.id, attempt=attempt, error=text, decision=decision.chosen)
        if retry:
            await self._wait(delay_before(attempt + 1))

    async def _patiently(self, call: Callable[[], Awaitable[Result]], budget_s: float, **about: str) -> Result:
        def say(error: UnavailableError) -> None:
            self._report("step.delayed" if about else "engine.delayed", reason=str(error), **about)

        return await patiently(call, clock=self._clock, wait=self._wait, budget_s=budget_s, on_wait=say)


def _status(run: Run, step: StepId) -> StepStatus:
    return next(status for status in run.steps if status.id == step)
