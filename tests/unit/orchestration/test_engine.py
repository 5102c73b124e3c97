"""WorkflowEngine over the ports' fakes: what a run does, and what it does when a part is away, fails or dies."""

import asyncio
import hashlib

import pytest

from adapters.pit.in_memory import InMemoryDisk
from adapters.text_editing.in_memory import InMemoryTextEditing
from symphony.domain.errors import ConflictError, InvalidRequestError, UnavailableError
from symphony.orchestration.patience import LONGEST_WAIT_S, delay_before
from tests.support.worlds import FILE, RUN, World, fail_first, tidy, until_over


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
        await world.start({"file": "/project/absent"})
        return world, await world.engine().finish(RUN)

    world, run = asyncio.run(scenario())

    assert run.state == "failed"
    assert "/project/absent" in run.steps[0].error
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


def test_what_is_wrong_for_good_halts_the_run_at_the_first_try():
    def refuse(_):
        raise InvalidRequestError("no thanks")

    async def scenario():
        world = World(operation=refuse)
        await world.start()
        return await world.engine().finish(RUN)

    run = asyncio.run(scenario())

    assert run.state == "failed"
    assert run.steps[1].attempts == 1


def test_delays_grow_and_are_bounded():
    delays = [delay_before(attempt) for attempt in range(1, 40)]

    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_WAIT_S
