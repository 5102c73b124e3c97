"""SymphonyCore: what users ask for, carried out through the four ports and nothing else."""

import asyncio
from typing import assert_never

from symphony.domain.errors import SymphonyError
from symphony.domain.ids import RunId
from symphony.domain.workflow import Run
from symphony.ports.clock import Clock
from symphony.ports.conductor import ConductorPort
from symphony.ports.extension import ExtensionPort
from symphony.ports.pit import PitPort
from symphony.ports.text_editing import TextEditingPort

from .engine import Report, WorkflowEngine
from .operations import Operations
from .requests import CoreRequest, EditText, GetRun, ListRuns, ReadText, RunMelody, Runs, Text


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
        self._engine = WorkflowEngine(Operations(text, pit, extensions), pit, conductor, clock, report)
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
                return await self._pit.run(run)
            case ListRuns():
                return Runs(await self._pit.runs())
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
        run = await self._pit.start_run(request.run, request.workflow, request.inputs)
        if run.state == "running":
            self._go_on(run.id)
        return run

    async def _read(self, path: str) -> Text:
        state = await self._text.open(path)
        return Text(path, await self._text.text(state.id), state.revision, state.pristine, state.sha256)

    async def _edit(self, request: EditText) -> Text:
        state = await self._text.open(request.path)
        if request.edits:
            await self._text.edit(state.id, request.edits, revision=state.revision)
        if request.save:
            await self._text.save(state.id)
        return await self._read(request.path)

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
