"""SymphonyCore over the ports' fakes: what users ask for, whole or not at all."""

import asyncio

import pytest

from adapters.extension.in_memory import FakeExtension, InMemoryExtensions
from adapters.text_editing.in_memory import InMemoryTextEditing
from symphony.domain.errors import InvalidRequestError, NotFoundError, UnavailableError
from symphony.domain.ids import RunId
from symphony.domain.text import Edit, Position, Span
from symphony.orchestration.requests import EditText, GetRun, ListRuns, ReadText, RunMelody
from tests.support.worlds import FILE, RUN, TIDY, World, fail_first, tidy, until_over


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


def test_a_request_leaves_no_buffer_open_but_one_with_something_unsaved():
    async def scenario():
        world = World()
        core = world.core()
        await core.handle(ReadText(FILE))
        await core.handle(RunMelody(RUN, world.workflow, {"file": FILE}))
        await until_over(core)
        await core.close()
        closed = False
        try:
            await world.text.state(FILE)
        except NotFoundError:
            closed = True
        await core.handle(EditText(FILE, (Edit(Span(Position(0, 0), Position(0, 0)), "X"),)))
        return closed, await world.text.state(FILE)

    closed, state = asyncio.run(scenario())

    assert closed
    assert not state.pristine


def test_an_edit_whose_saving_is_refused_is_taken_back():
    async def scenario():
        world = World()
        world.text = InMemoryTextEditing(world.files, read_only={FILE})
        core = world.core()
        with pytest.raises(InvalidRequestError):
            await core.handle(EditText(FILE, (Edit(Span(Position(0, 0), Position(0, 0)), "X"),), save=True))
        return await core.handle(ReadText(FILE))

    text = asyncio.run(scenario())

    assert text.text == "a  \nb\n"
    assert text.pristine


def test_reading_waits_for_an_editor_that_is_restarting():
    async def scenario():
        world = World()
        world.text.open = fail_first(world.text.open, 2, UnavailableError("/xi is restarting"))
        return await world.core().handle(ReadText(FILE))

    assert asyncio.run(scenario()).text == "a  \nb\n"


@pytest.mark.parametrize(
    ("found", "error", "word"),
    [
        (InvalidRequestError("extension.toml: id: is missing", "extension.toml: kind: is missing"), InvalidRequestError, "kind"),
        (FakeExtension(TIDY, "1.0", {"other": tidy}), InvalidRequestError, "no operation 'tidy'"),
    ],
)
def test_an_extension_that_cannot_do_what_is_asked_is_refused_before_anything_starts(found, error, word):
    async def scenario():
        world = World()
        world.extensions = InMemoryExtensions({world.workflow.extensions["tidy"]: found})
        with pytest.raises(error, match=word):
            await world.core().handle(RunMelody(RUN, world.workflow, {"file": FILE}))
        return await world.pit.runs()

    assert asyncio.run(scenario()) == ()


def test_answers_leave_out_long_texts():
    async def scenario():
        world = World(files={FILE: "long  \n" * 5000})
        core = world.core()
        await core.handle(RunMelody(RUN, world.workflow, {"file": FILE}))
        run = await until_over(core)
        await core.close()
        return world, run

    world, run = asyncio.run(scenario())

    assert world.files[FILE] == "long\n" * 5000
    assert "text" not in run.steps[0].outputs
    assert "artifact" in run.steps[-1].outputs
