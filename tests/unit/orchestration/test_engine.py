"""WorkflowEngine and SymphonyCore over the ports' fakes: what a run does, and what it does when a part is away, fails or dies."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from adapters.conductor.in_memory import InMemoryConductor
from adapters.extension.in_memory import FakeExtension, InMemoryExtensions
from adapters.pit.in_memory import InMemoryDisk, InMemoryPit
from adapters.text_editing.in_memory import InMemoryTextEditing
from symphony.domain.errors import ConflictError, NotFoundError, UnavailableError
from symphony.domain.ids import ExtensionId, RunId
from symphony.domain.melody import read_melody
from symphony.domain.text import Edit, Position, Span
from symphony.orchestration.engine import LONGEST_WAIT_S, WorkflowEngine, delay_before
from symphony.orchestration.operations import Operations
from symphony.orchestration.requests import EditText, GetRun, ListRuns, ReadText, RunMelody
from symphony.orchestration.symphony_core import SymphonyCore
from tests.support.clock import FakeClock

MELODY = Path(__file__).parents[3] / "examples" / "melodies" / "tidy.melody.toml"
TIDY = ExtensionId("symphony.tidy")
FILE = "/work/notes.txt"
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


def test_a_run_opens_transforms_applies_saves_and_keeps():
    async def scenario():
        world = World()
        await world.start()
        run = await world.engine().finish(RUN)
        return world, run

    world, run = asyncio.run(scenario())

    assert run.state == "done"
    assert world.files[FILE] == "a\nb\n"
    digest = hashlib.sha256(b"a\nb\n").hexdigest()
    assert [status.outputs.get("artifact") for status in run.steps][-1] == f"sha256:{digest}"
    assert world.disk.blobs[f"sha256:{digest}"] == b"a\nb\n"
    assert world.disk.artifacts[f"sha256:{digest}"].lineages[0].run == RUN
    assert world.types().count("step.finished") == 5
    assert world.types()[-1] == "run.finished"


def test_a_step_waits_for_a_part_that_is_away_and_loses_no_try():
    async def scenario():
        world = World()
        world.text.open = fail_first(world.text.open, 5, UnavailableError("/xi is restarting"))
        await world.start()
        return world, await world.engine().finish(RUN)

    world, run = asyncio.run(scenario())

    assert run.state == "done"
    assert [status.attempts for status in run.steps] == [1, 1, 1, 1, 1]
    assert world.waits == [delay_before(number) for number in range(1, 6)]
    assert "step.delayed" in world.types()


def test_a_part_that_stays_away_costs_the_step_its_tries_and_then_the_run_halts():
    async def scenario():
        world = World()
        world.text.open = fail_first(world.text.open, 10**9, UnavailableError("/xi is parked"))
        await world.start()
        return world, await world.engine().finish(RUN)

    world, run = asyncio.run(scenario())

    assert run.state == "failed"
    assert run.steps[0].attempts == world.workflow.steps[0].retries + 1
    assert "/xi is parked" in run.steps[0].error
    assert world.files[FILE] == "a  \nb\n"


def test_a_step_that_fails_is_tried_again_while_the_step_allows():
    calls = 0

    def flaky(arguments):
        nonlocal calls
        calls += 1
        if calls < 3:
            raise ValueError("not yet")
        return tidy(arguments)

    async def scenario():
        world = World(operation=flaky)
        await world.start()
        return world, await world.engine().finish(RUN)

    world, run = asyncio.run(scenario())

    assert run.state == "done"
    assert run.steps[1].attempts == 3
    assert world.types().count("step.failed") == 2


def test_an_edit_that_lost_a_race_reads_again_and_applies_to_the_new_text():
    async def scenario():
        world = World()
        world.text.edit = fail_first(world.text.edit, 1, ConflictError("another revision"))
        await world.start()
        return world, await world.engine().finish(RUN)

    world, run = asyncio.run(scenario())

    assert run.state == "done"
    assert run.steps[2].attempts == 2
    assert world.files[FILE] == "a\nb\n"


def test_a_file_that_is_missing_fails_the_run_with_its_name_and_starts_nothing_else():
    async def scenario():
        world = World()
        await world.start({"file": "/work/absent"})
        return world, await world.engine().finish(RUN)

    world, run = asyncio.run(scenario())

    assert run.state == "failed"
    assert "/work/absent" in run.steps[0].error
    assert not world.disk.blobs


def test_an_extension_that_answers_bytes_fails_its_step_and_says_why():
    async def scenario():
        world = World(operation=lambda _: {"text": "t", "extra": [b"raw"]})
        await world.start()
        return await world.engine().finish(RUN)

    run = asyncio.run(scenario())

    assert run.state == "failed"
    assert "bytes" in run.steps[1].error


@pytest.mark.parametrize("killed_after", range(1, 6))
def test_engine_killed_between_any_two_steps_goes_on_and_does_no_finished_step_again(killed_after):
    async def first_life(disk, text):
        world = World(disk=disk)
        world.text = text
        finished = 0

        def report(type_, **_):
            nonlocal finished
            finished += type_ == "step.finished"
            if finished == killed_after:
                raise KeyboardInterrupt  # the nearest thing to SIGKILL that a test of one process has

        world.report = report
        await world.start()
        with pytest.raises(KeyboardInterrupt):
            await world.engine().finish(RUN)

    async def second_life(disk, text):
        world = World(disk=disk)
        world.text = text
        core = world.core()
        await core.resume()
        run = await until_over(core)
        await core.close()
        return run

    disk, files = InMemoryDisk(), {FILE: "a  \nb\n"}
    text = InMemoryTextEditing(files)  # the editor is another process, and lives on
    asyncio.run(first_life(disk, text))
    run = asyncio.run(second_life(disk, text))

    assert run.state == "done"
    assert files[FILE] == "a\nb\n"
    assert all(status.attempts == 1 for status in run.steps)
    assert len(disk.blobs) == 1


def test_submitting_a_run_again_is_the_same_run():
    async def scenario():
        world = World()
        core = world.core()
        request = RunMelody(RUN, world.workflow, {"file": FILE})
        await core.handle(request)
        await core.handle(request)
        await until_over(core)
        runs = await core.handle(ListRuns())
        await core.close()
        return world, runs

    world, runs = asyncio.run(scenario())

    assert [run.id for run in runs.runs] == [RUN]
    assert world.types().count("step.finished") == 5


def test_the_core_reads_and_edits_texts_and_saves_only_when_asked():
    async def scenario():
        world = World()
        core = world.core()
        edit = Edit(Span(Position(0, 0), Position(0, 1)), "X")
        edited = await core.handle(EditText(FILE, (edit,)))
        unsaved = world.files[FILE]
        saved = await core.handle(EditText(FILE, (), save=True))
        read = await core.handle(ReadText(FILE))
        return world, edited, unsaved, saved, read

    world, edited, unsaved, saved, read = asyncio.run(scenario())

    assert edited.text == "X  \nb\n"
    assert not edited.pristine
    assert unsaved == "a  \nb\n"
    assert saved.pristine
    assert world.files[FILE] == read.text == "X  \nb\n"


def test_the_core_says_not_found_for_a_run_that_nobody_started():
    async def scenario():
        await World().core().handle(GetRun(RunId("nobody")))

    with pytest.raises(NotFoundError):
        asyncio.run(scenario())


def test_closing_the_core_leaves_a_run_where_it_is_for_the_next_life():
    async def scenario():
        def never(_):
            return asyncio.get_running_loop().create_future()

        world = World(operation=never)
        core = world.core()
        await core.handle(RunMelody(RUN, world.workflow, {"file": FILE}))
        async with asyncio.timeout(5):
            while (await core.handle(GetRun(RUN))).steps[1].state != "running":
                await asyncio.sleep(0)
        await core.close()
        return await world.pit.run(RUN)

    assert asyncio.run(scenario()).state == "running"


def test_delays_grow_and_are_bounded():
    delays = [delay_before(attempt) for attempt in range(1, 40)]

    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_WAIT_S
