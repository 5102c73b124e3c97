"""The fakes of all four ports round one core or engine."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from adapters.conductor.in_memory import InMemoryConductor
from adapters.extension.in_memory import FakeExtension, InMemoryExtensions
from adapters.pit.in_memory import InMemoryDisk, InMemoryPit
from adapters.text_editing.in_memory import InMemoryTextEditing
from symphony.domain.ids import ExtensionId, RunId
from symphony.domain.melody import read_melody
from symphony.orchestration.engine import WorkflowEngine
from symphony.orchestration.operations import Operations
from symphony.orchestration.requests import GetRun
from symphony.orchestration.symphony_core import SymphonyCore
from tests.support.clock import FakeClock

MELODY = Path(__file__).parents[2] / "examples" / "melodies" / "tidy.melody.toml"
TIDY = ExtensionId("symphony.tidy")
FILE = "/project/notes.txt"
RUN = RunId("r1")


def tidy(arguments):
    lines = [line.rstrip() for line in arguments["text"].split("\n")]
    return {"text": "\n".join(lines), "changes": 1}


class World:
    """Fakes of all four ports round one core; `fail` makes the next calls of a port's method raise."""

    def __init__(self, *, disk=None, files=None, operation=tidy):
        self.clock = FakeClock()
        self.files = {FILE: "a  \nb\n"} if files is None else files
        self.disk = disk or InMemoryDisk()
        self.text = InMemoryTextEditing(self.files)
        self.pit = InMemoryPit(self.clock, disk=self.disk)
        self.workflow = read_melody(MELODY.read_text(), source=MELODY.name, folder="/melodies")
        folder = self.workflow.extensions["tidy"]
        self.extensions = InMemoryExtensions({folder: FakeExtension(TIDY, "1.0", {"tidy": operation})})
        self.conductor = InMemoryConductor()
        self.reports = []
        self.waits = []

    def report(self, type_, **fields):
        self.reports.append((type_, fields))

    async def wait(self, seconds):
        self.waits.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    def engine(self):
        operations = Operations(self.text, self.pit, self.extensions)
        return WorkflowEngine(operations, self.pit, self.conductor, self.clock, self.report, wait=self.wait)

    def core(self):
        return SymphonyCore(self.text, self.pit, self.extensions, self.conductor, self.clock, self.report)

    async def start(self, inputs=None):
        return await self.pit.start_run(RUN, self.workflow, inputs or {"file": FILE})

    def types(self):
        return [type_ for type_, _ in self.reports]


async def until_over(core):
    """Give the run once it is over, within 5 s."""
    async with asyncio.timeout(5):
        while (run := await core.handle(GetRun(RUN))).state == "running":
            await asyncio.sleep(0)
    return run


def fail_first(method: Callable[..., Awaitable[object]], times: int, error: Exception):
    """Give a method that raises `error` the first `times` times."""
    left = times

    async def failing(*args, **kwargs):
        nonlocal left
        if left:
            left -= 1
            raise error
        return await method(*args, **kwargs)

    return failing
