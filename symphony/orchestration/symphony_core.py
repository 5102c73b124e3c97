"""SymphonyCore: what users ask for, carried out through the four ports and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, assert_never

from msgspec.structs import replace

from symphony.domain.errors import InvalidRequestError, SymphonyError
from symphony.domain.ids import BufferId, RunId
from symphony.domain.workflow import Plain, Run
from symphony.ports.clock import Clock
from symphony.ports.conductor import ConductorPort
from symphony.ports.extension import ExtensionPort
from symphony.ports.pit import PitPort
from symphony.ports.text_editing import BufferState, TextEditingPort

from .engine import Report, WorkflowEngine
from .operations import Operations, close_if_saved
from .patience import patiently
from .requests import CoreRequest, EditText, GetRun, ListRuns, ReadText, RunMelody, Runs, Text

Result = TypeVar("Result")

PATIENCE_S = 5.0
"""How long a request waits for a part that is restarting: the time within which every part is promised to be back."""
LONGEST_SHOWN = 4096


class SymphonyCore:
    """The use cases. Call from one event loop; `resume` first, `close` last."""

    def __init__(
        self,
        text: TextEditingPort,
        pit: PitPort,
        extensions: ExtensionPort,
        conductor: ConductorPort,
        clock: Clock,
        report: Report,
    ) -> None:
        self._text = text
        self._pit = pit
        self._report = report
        self._clock = clock
        self._operations = Operations(text, pit, extensions)
        self._engine = WorkflowEngine(self._operations, pit, conductor, clock, report)
        self._under_way: dict[RunId, asyncio.Task[None]] = {}

    async def resume(self) -> None:
        """Go on with every run that an earlier life left unfinished. Raises `UnavailableError` where the Pit is away."""
        for run in await self._pit.runs():
            if run.state == "running":
                self._report("run.resumed", run=run.id)
                self._go_on(run.id)

    async def handle(self, request: CoreRequest) -> Run | Runs | Text:
        """Do what is asked. Raises what the ports declare."""
        match request:
            case RunMelody():
                return await self._run_melody(request)
            case GetRun(run):
                return summary_of(await self._pit.run(run))
            case ListRuns():
                return Runs(tuple(summary_of(run) for run in await self._pit.runs()))
            case ReadText(path):
                return await self._read(path)
            case EditText():
                return await self._edit(request)
            case _:
                assert_never(request)

    async def close(self) -> None:
        """Leave the runs under way where they are; their next life is `resume`'s."""
        under_way, self._under_way = list(self._under_way.values()), {}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _run_melody(self, request: RunMelody) -> Run:
        await self._patiently(lambda: self._operations.prepare(request.workflow))
        run = await self._patiently(lambda: self._pit.start_run(request.run, request.workflow, request.inputs))
        if run.state == "running":
            self._go_on(run.id)
        return summary_of(run)

    async def _read(self, path: str) -> Text:
        shown = await self._shown(path)
        await close_if_saved(self._text, BufferId(shown.path))
        return shown

    async def _edit(self, request: EditText) -> Text:
        state = await self._patiently(lambda: self._text.open(request.path))
        if request.discard and not state.pristine:
            await self._text.close(state.id)
            state = await self._text.open(request.path)
        edited = await self._text.edit(state.id, request.edits, revision=state.revision) if request.edits else state
        if request.save:
            await self._save(state, edited)
        return await self._read(request.path)

    async def _save(self, before: BufferState, edited: BufferState) -> None:
        """Save; where that is refused, take the edit back too, so that a request is carried out whole or not at all."""
        try:
            await self._text.save(edited.id)
        except InvalidRequestError:
            if edited.revision != before.revision:
                await self._text.undo(edited.id)
            raise

    async def _shown(self, path: str) -> Text:
        state = await self._patiently(lambda: self._text.open(path))
        text = await self._patiently(lambda: self._text.text(state.id))
        return Text(state.path, text, state.revision, state.pristine, state.sha256)

    async def _patiently(self, call: Callable[[], Awaitable[Result]]) -> Result:
        return await patiently(call, clock=self._clock, wait=asyncio.sleep, budget_s=PATIENCE_S)

    def _go_on(self, run: RunId) -> None:
        if run not in self._under_way:
            task = asyncio.get_running_loop().create_task(self._finish(run))
            self._under_way[run] = task

    async def _finish(self, run: RunId) -> None:
        try:
            await self._engine.finish(run)
        except SymphonyError as error:
            # The run is where it was on disk, and whoever asks for it again, or the next start, goes on with it.
            self._report("run.interrupted", run=run, error=f"{type(error).__name__}: {error}")
        finally:
            self._under_way.pop(run, None)


def summary_of(run: Run) -> Run:
    """Give a run without the long texts that its steps hand on: whoever asks how far it is need not be sent whole files."""
    return replace(run, steps=tuple(replace(status, outputs=_short(status.outputs)) for status in run.steps))


def _short(outputs: dict[str, Plain]) -> dict[str, Plain]:
    return {name: value for name, value in outputs.items() if not (isinstance(value, str) and len(value) > LONGEST_SHOWN)}
