"""Harnesses of the adapters whose actors run in a node: real processes, real messages, killed without a farewell."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from actors.runtime import ActorSystem, ChildSpec, SupervisorSpec
from actors.runtime.event import Event
from actors.runtime.node_process.system import SetupContext
from actors.tree import pit_children
from adapters.conductor.python import PythonConductorAdapter
from adapters.pit.actor_backed import PitAdapter
from symphony.domain.ids import ArtifactId
from tests.support.harnesses import ConductorHarness, PitHarness

HEAL_BOUND_S = 10.0


def set_up_pit(context: SetupContext, *, state_dir: str) -> Mapping[str, object]:
    """What the Pit's actors need, in their node."""
    del context
    return {"state_dir": Path(state_dir)}


async def kill_and_await_restart(system: ActorSystem, path: str) -> None:
    """SIGKILL the node at `path` and wait until its next life is ready."""
    loop = asyncio.get_running_loop()
    restarted: asyncio.Future[None] = loop.create_future()

    def listen(event: Event) -> None:
        if event.type == "actor.restarted" and event.path == path:
            loop.call_soon_threadsafe(lambda: restarted.done() or restarted.set_result(None))

    stop = system.events.listen(listen)
    try:
        system.kill_node(path)
        await asyncio.wait_for(restarted, HEAL_BOUND_S)
    finally:
        stop()


@asynccontextmanager
async def actor_pit(tmp_path: Path) -> AsyncIterator[PitHarness]:
    """PitAdapter from outside, the five actors in a node of their own."""
    node = SupervisorSpec(
        "pit",
        process=True,
        setup="tests.support.actor_harnesses:set_up_pit",
        setup_args={"state_dir": str(tmp_path)},
        children=pit_children(),
    )
    system = ActorSystem("pit", SupervisorSpec("root", children=[node]))
    await system.begin()

    async def restart(harness: PitHarness) -> None:
        await kill_and_await_restart(system, "/pit")

    def damage(artifact: ArtifactId) -> None:
        digest = artifact.removeprefix("sha256:")
        blob = tmp_path / "blobs" / digest[:2] / digest
        blob.write_bytes(blob.read_bytes() + b"!")

    pit = PitAdapter(system.ref, system.events.listen, path="/pit")
    try:
        yield PitHarness(pit, restart, damage)
    finally:
        pit.close()
        await asyncio.to_thread(system.stop)


@asynccontextmanager
async def python_conductor(tmp_path: Path) -> AsyncIterator[ConductorHarness]:
    """PythonConductorAdapter from outside, the conductor in a node of its own."""
    conductor = ChildSpec("conductor", "actors.conductor:ConductorActor", process=True)
    system = ActorSystem("conductor", SupervisorSpec("root", children=[conductor]))
    await system.begin()
    adapter = PythonConductorAdapter(system.ref("/conductor"), system.events.listen)
    try:
        yield ConductorHarness(adapter)
    finally:
        adapter.close()
        await asyncio.to_thread(system.stop)
