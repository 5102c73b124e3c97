"""TextEditingPort through a node and an editor, each a process of its own, either of which may be killed."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import pytest

from actors.runtime import ActorSystem, ChildSpec, SupervisorSpec
from actors.xi_proxy import messages
from adapters.text_editing.xi_editor import XiEditorAdapter
from symphony.domain.errors import DeadlineExceededError, InvalidRequestError, NotFoundError, UnavailableError
from symphony.ports import TextEvent
from tests.support.process_ends import has_ended
from tests.support.xi_harness import insert

BOUND_S = 20.0


class Editing:
    """The adapter, and the processes behind it."""

    def __init__(self, system):
        self.system = system
        self.port = XiEditorAdapter(system.ref("/xi"))

    async def node(self):
        (child,) = (await asyncio.to_thread(self.system.snapshot)).root.children
        return child

    async def kill(self, what):
        """SIGKILL the node or the editor, and wait for the next life of both."""
        before = await self.node()
        os.kill(before.pid if what == "node" else before.os_process.pid, signal.SIGKILL)
        while (now := await self.node()).incarnation == before.incarnation or now.state != "running":
            await asyncio.sleep(0)
        return before


@asynccontextmanager
async def editing(tmp_path):
    setup = {"setup": "tests.support.xi_harness:set_up_xi", "setup_args": {"folder": str(tmp_path)}}
    xi = ChildSpec(
        "xi", "actors.xi_proxy.actor:XiProxyActor", needs=("xi_links", "journal_dir"), process=True, shutdown=5.0, **setup
    )
    system = ActorSystem("xi", SupervisorSpec("root", children=[xi]))
    await system.begin()
    started = Editing(system)
    try:
        async with asyncio.timeout(BOUND_S):
            yield started
    finally:
        started.port.close_stream()
        await asyncio.to_thread(system.stop)


@pytest.mark.parametrize("victim", ["editor", "node"])
def test_an_acknowledged_edit_survives_and_its_buffer_is_told_to_be_restored(tmp_path, victim):
    path = tmp_path / "f.txt"
    path.write_text("one\n")

    async def claim():
        async with editing(tmp_path) as it:
            events = it.port.events()
            state = await it.port.open(str(path))
            await it.port.edit(state.id, [insert("a")], revision=0)
            state = await it.port.edit(state.id, [insert("😀")], revision=1)
            before = await it.kill(victim)

            assert await it.port.state(state.id) == state
            assert await it.port.text(state.id) == "😀aone\n"
            await it.port.undo(state.id)
            await it.port.undo(state.id)
            assert await it.port.text(state.id) == "one\n"
            await it.port.close(state.id)
            assert has_ended(before.os_process.pid)
            return [await anext(events) for _ in range(7)]

    assert asyncio.run(claim()) == [
        TextEvent(kind, str(path), revision)
        for kind, revision in [
            ("opened", 0), ("edited", 1), ("edited", 2), ("restored", 2), ("edited", 3), ("edited", 4), ("closed", 4),
        ]
    ]  # fmt: skip


def test_errors_cross_the_node_as_they_are(tmp_path):
    async def claim():
        async with editing(tmp_path) as it:
            with pytest.raises(NotFoundError, match="there is no file /missing"):
                await it.port.open("/missing")
            for path in ("relative", "/\udcff", "/nul\0", str(tmp_path)):
                with pytest.raises(InvalidRequestError):
                    await it.port.open(path)
            (tmp_path / "f").write_text("")
            state = await it.port.open(str(tmp_path / "f"))
            for text in ("\ud800", "x" * (messages.MAX_BYTES + 1)):
                with pytest.raises(InvalidRequestError):
                    await it.port.edit(state.id, [insert(text)], revision=0)
            with pytest.raises(NotFoundError):
                await it.port.state("/\udcff")
            assert await it.port.state(state.id) == state

    asyncio.run(claim())


def test_a_text_of_many_megabytes_crosses_the_node(tmp_path):
    text = "0123456789 é\n" * 400_000
    (tmp_path / "f").write_text(text)

    async def claim():
        async with editing(tmp_path) as it:
            state = await it.port.open(str(tmp_path / "f"))
            assert await it.port.text(state.id) == text
            await it.port.edit(state.id, [insert(text)], revision=0)
            await it.port.save(state.id)

    asyncio.run(claim())
    assert (tmp_path / "f").read_text() == text * 2


def test_what_was_not_heard_of_is_told_by_the_next_reply(tmp_path):
    """Another adapter works on the same buffers; so does this one, when its replies are lost to a deadline."""
    (tmp_path / "f").write_text("")

    async def claim():
        async with editing(tmp_path) as it:
            other = XiEditorAdapter(it.system.ref("/xi"))
            events = it.port.events()
            state = await it.port.open(str(tmp_path / "f"))
            await other.edit(state.id, [insert("x")], revision=0)
            await it.port.state(state.id)
            await other.close(state.id)
            with pytest.raises(NotFoundError):
                await it.port.state(state.id)
            await other.open(str(tmp_path / "f"))
            await it.port.open(str(tmp_path / "f"))
            await other.close(state.id)
            await it.port.open(str(tmp_path / "f"))
            return [await anext(events) for _ in range(5)]

    kinds = [(event.kind, event.revision) for event in asyncio.run(claim())]
    assert kinds == [("opened", 0), ("edited", 1), ("closed", 1), ("closed", 0), ("opened", 0)]


def test_an_editor_that_is_slow_is_a_deadline_and_one_that_is_away_is_unavailable(tmp_path):
    (tmp_path / "f").write_text("")

    async def claim():
        async with editing(tmp_path) as it:
            impatient = XiEditorAdapter(it.system.ref("/xi"), timeout_s=0.05)
            state = await it.port.open(str(tmp_path / "f"))
            os.kill((await it.node()).os_process.pid, signal.SIGSTOP)
            with pytest.raises(DeadlineExceededError):
                await impatient.edit(state.id, [insert("x")], revision=0)
            nobody = XiEditorAdapter(it.system.ref("/nobody"))
            with pytest.raises(UnavailableError):
                await nobody.open(str(tmp_path / "f"))

    asyncio.run(claim())
