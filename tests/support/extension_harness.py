"""Extensions as folders, and a system with the extension host in a node of its own: real processes, all the way down."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

from actors.runtime import ActorSystem, ChildSpec, SupervisorSpec
from actors.runtime.node_process.system import SetupContext
from adapters.extension.actor_hosted import ActorExtensionAdapter
from symphony.domain.ids import ExtensionId
from tests.support.harnesses import ExtensionHarness

REGISTRY = "actors.extensions.registry:ExtensionRegistryActor"
TIDY = str(Path(__file__).parents[2] / "examples/extensions/tidy")

CODE = """
    import os, signal
    from symphony.sdk import Operator, RefusedError, operation

    class Ext(Operator):
        calls = 0

        @operation
        def count(self) -> dict:
            self.calls += 1
            return {"calls": self.calls}

        @operation
        def echo(self, none=..., flag=..., int=..., float=..., text=..., bytes=..., deep=..., x=...) -> dict:
            given = locals()
            return {name: given[name] for name in given if name != "self" and given[name] is not ...}

        @operation
        def fail(self) -> dict:
            raise ValueError("boom")

        @operation
        def hang(self) -> dict:
            print("hanging", flush=True)
            while True:
                signal.pause()

        @operation
        def refuse(self) -> dict:
            raise RefusedError("no thanks")
"""


def write_extension(
    folder: Path, extension: str = "test.good", *, version: str = "1.2.3", code: str = CODE, more: str = ""
) -> str:
    """Write an extension into `folder`; `more` is added to its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = f"""
        manifest = 1
        id = "{extension}"
        name = "Ext"
        version = "{version}"
        kind = "operator"
        summary = "For tests"
        {more}
        [run]
        python = "ext:Ext"
    """
    (folder / "extension.toml").write_text(dedent(manifest))
    (folder / "ext.py").write_text(dedent(code))
    return str(folder)


def set_up_extensions(context: SetupContext, *, state_dir: str) -> Mapping[str, object]:
    """What the extension host's actors need, in their node."""
    return {"extension_logs": Path(context.run_dir, "logs"), "extension_state": Path(state_dir)}


def extension_system(state: Path) -> ActorSystem:
    """Give a system, not yet begun, with the extension host in a node, whose record lies in `state`."""
    node = SupervisorSpec(
        "extensions",
        process=True,
        intensity=10,
        on_exhausted="park",
        setup="tests.support.extension_harness:set_up_extensions",
        setup_args={"state_dir": str(state)},
        children=[ChildSpec("registry", REGISTRY, needs=("extension_logs", "extension_state"))],
    )
    return ActorSystem(
        "extensions", SupervisorSpec("root", on_exhausted="park", children=[node]), packages=("actors", "symphony")
    )


@asynccontextmanager
async def actor_extensions(tmp_path: Path) -> AsyncIterator[ExtensionHarness]:
    """ActorExtensionAdapter from outside, the registry and the hosts in a node, the workers below that."""
    folders = {
        "good": write_extension(tmp_path / "good"),
        "other_content": write_extension(tmp_path / "other", version="1.2.4"),
        "wrong": write_extension(tmp_path / "wrong", extension="Test", version="x"),
        "not_built": write_extension(tmp_path / "not_built", more='limits = { memory = "1GB" }'),
        "dead": write_extension(tmp_path / "dead", code="raise SystemExit(3)"),
    }
    system = extension_system(tmp_path / "state")
    await system.begin()
    adapter = ActorExtensionAdapter(system.ref)
    try:
        yield ExtensionHarness(adapter, good_id=ExtensionId("test.good"), missing=str(tmp_path / "missing"), **folders)
    finally:
        adapter.close()
        await asyncio.to_thread(system.stop)
