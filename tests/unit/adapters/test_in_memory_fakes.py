"""What the fakes offer to whoever drives them; what they promise as ports is in tests/contract."""

import asyncio

import pytest

from adapters.conductor.in_memory import InMemoryConductor, Script
from adapters.extension.in_memory import FakeExtension, InMemoryExtensions
from adapters.pit.in_memory import InMemoryDisk, InMemoryPit
from adapters.text_editing.in_memory import InMemoryTextEditing
from symphony.domain.artifact import Lineage, address_of
from symphony.domain.conducting import DecisionContext, Option
from symphony.domain.errors import ConflictError, ExtensionFailedError, InvalidRequestError, NotFoundError
from symphony.domain.model import ModelSpec
from tests.support.clock import FakeClock
from tests.support.workflows import workflow


class TestInMemoryTextEditing:
    def test_saves_are_seen_in_the_files_and_changes_there_are_seen_by_open(self):
        async def claim():
            files = {"/a.txt": "one"}
            editor = InMemoryTextEditing(files)
            files["/b.txt"] = b"\xc3\xa9"
            assert await editor.text((await editor.open("/b.txt")).id) == "é"
            await editor.save((await editor.open("/a.txt")).id)
            assert files == {"/a.txt": "one", "/b.txt": b"\xc3\xa9"}

        asyncio.run(claim())

    def test_a_read_only_path_opens_and_is_never_written(self):
        async def claim():
            editor = InMemoryTextEditing({"/a": "one"}, read_only={"/a"})
            with pytest.raises(InvalidRequestError, match="/a cannot be written; it is as it was"):
                await editor.save((await editor.open("/a")).id)

        asyncio.run(claim())

    def test_a_relative_path_is_refused(self):
        with pytest.raises(InvalidRequestError, match="is not absolute"):
            asyncio.run(InMemoryTextEditing({"a": "x"}).open("a"))


class TestInMemoryPit:
    def test_a_failing_model_is_refused_with_its_reason(self):
        async def claim():
            pit = InMemoryPit(FakeClock(), failing_models={"m": "no memory"})
            await pit.register_model(ModelSpec("m", "1"))
            with pytest.raises(ConflictError, match="has failed: no memory"):
                await pit.acquire_model("m", "h")
            assert (await pit.models())[0].state == "failed"

        asyncio.run(claim())

    def test_times_are_those_of_the_clock(self):
        async def claim():
            clock = FakeClock(monotonic=7.0, wall=50.0)
            pit = InMemoryPit(clock)
            await pit.register_model(ModelSpec("m", "1"))
            assert (await pit.acquire_model("m", "h")).granted_at == 7.0
            assert (await pit.start_run("r", workflow({"a": []}), {})).started_at == 50.0
            artifact = await pit.put_artifact(b"x", "text/plain", Lineage())
            clock.advance(10.0)
            assert (await pit.plan_retention(11.0)).lines[0].age_s == 10.0
            assert artifact.stored_at == 50.0

        asyncio.run(claim())

    def test_the_same_calls_give_the_same_answers(self):
        async def story():
            pit = InMemoryPit(FakeClock())
            await pit.register_model(ModelSpec("m", "1"))
            lease = await pit.acquire_model("m", "h")
            return lease, await pit.models(), await pit.start_run("r", workflow({"a": []}), {})

        assert asyncio.run(story()) == asyncio.run(story())

    def test_a_blob_damaged_on_the_disk_is_not_given_and_is_mended_by_the_next_put(self):
        async def claim():
            disk = InMemoryDisk()
            pit = InMemoryPit(FakeClock(), disk=disk)
            await pit.put_artifact(b"x", "text/plain", Lineage())
            disk.blobs[address_of(b"x")] = b"y"
            with pytest.raises(NotFoundError, match="is damaged"):
                await pit.artifact_content(address_of(b"x"))
            await pit.put_artifact(b"x", "text/plain", Lineage())
            assert await pit.artifact_content(address_of(b"x")) == b"x"

        asyncio.run(claim())


class TestInMemoryExtensions:
    def test_an_error_in_place_of_an_extension_is_what_installing_raises(self):
        extensions = InMemoryExtensions({"/bad": InvalidRequestError("extension.toml: id: is missing")})

        with pytest.raises(InvalidRequestError, match="id: is missing"):
            asyncio.run(extensions.install("/bad"))

    @pytest.mark.parametrize("answer", [None, 5, {"x": object()}, {1: 2}, [1]])
    def test_an_answer_that_is_no_table_of_plain_data_is_a_failure(self, answer):
        async def claim():
            extensions = InMemoryExtensions({"/x": FakeExtension("me.x", "1", {"f": lambda _: answer})})
            await extensions.install("/x")
            with pytest.raises(ExtensionFailedError):
                await extensions.invoke("me.x", "f", {}, deadline_s=1.0)

        asyncio.run(claim())

    def test_neither_side_holds_the_other_s_objects(self):
        async def claim():
            seen = []
            extensions = InMemoryExtensions(
                {"/x": FakeExtension("me.x", "1", {"f": lambda arguments: seen.append(arguments) or arguments})}
            )
            await extensions.install("/x")
            arguments = {"list": [1]}
            result = await extensions.invoke("me.x", "f", arguments, deadline_s=1.0)
            assert result == arguments == seen[0]
            assert result["list"] is not arguments["list"] is not seen[0]["list"]

        asyncio.run(claim())


class TestInMemoryConductor:
    def test_a_script_is_followed_to_its_end(self):
        async def claim():
            conductor = InMemoryConductor(Script(["b", "halt"]))
            first = DecisionContext("1", "next_step", (Option("a"), Option("b")))
            second = DecisionContext("2", "after_failure", (Option("halt"),))
            assert (await conductor.submit_decision(first)).chosen == "b"
            assert (await conductor.policy()).rules == ("then halt",)
            assert (await conductor.submit_decision(second)).chosen == "halt"
            with pytest.raises(InvalidRequestError, match="the script is over"):
                await conductor.submit_decision(DecisionContext("3", "next_step", (Option("a"),)))

        asyncio.run(claim())

    def test_a_script_that_disagrees_with_the_options_is_told(self):
        conductor = InMemoryConductor(Script(["z"]))

        with pytest.raises(InvalidRequestError, match='the script says "z", and the options are a'):
            asyncio.run(conductor.submit_decision(DecisionContext("1", "next_step", (Option("a"),))))

    def test_rewards_can_be_read(self):
        async def claim():
            conductor = InMemoryConductor()
            await conductor.submit_decision(DecisionContext("1", "next_step", (Option("a"),)))
            await conductor.report_reward("1", 0.5)
            assert conductor.reward_of("1") == 0.5

        asyncio.run(claim())


@pytest.mark.parametrize(
    "adapter",
    [InMemoryTextEditing({}), InMemoryPit(FakeClock()), InMemoryExtensions({}), InMemoryConductor()],
    ids=lambda adapter: type(adapter).__name__,
)
def test_closing_the_stream_ends_every_reader(adapter):
    async def claim():
        events = adapter.events()
        adapter.close_stream()
        return [event async for event in events]

    assert asyncio.run(claim()) == []
