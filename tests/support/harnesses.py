"""What a contract suite needs around an adapter: the port, and a hand on the world behind it.

Each harness is a small class; the in-memory ones are built here, the others beside what they start. All are entered and left on
the event loop that the test runs on.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.conductor.in_memory import InMemoryConductor
from adapters.extension.in_memory import FakeExtension, InMemoryExtensions
from adapters.pit.in_memory import InMemoryDisk, InMemoryPit
from adapters.text_editing.in_memory import InMemoryTextEditing
from symphony.domain.errors import ExtensionFailedError, InvalidRequestError, NotBuiltError
from symphony.domain.ids import ArtifactId, ExtensionId
from symphony.ports import ConductorPort, ExtensionPort, PitPort, TextEditingPort
from tests.support.clock import FakeClock


@dataclass
class TextEditingHarness:
    """`write_file` takes a name and content and gives the absolute path; `make_unwritable` makes saving to a path impossible."""

    port: TextEditingPort
    write_file: Callable[[str, bytes], str]
    read_file: Callable[[str], bytes]
    make_directory: Callable[[str], str]
    make_unwritable: Callable[[str], None]


@dataclass
class PitHarness:
    """`restart` ends the Pit without a farewell and starts another on the same disk, as the new `port`.

    `damage` changes the content of an artifact on the disk.
    """

    port: PitPort
    restart: Callable[["PitHarness"], Awaitable[None]]
    damage: Callable[[ArtifactId], None]


@dataclass
class ExtensionHarness:
    """Folders with extensions in them.

    `good` is the folder of `good_id`, version 1.2.3, an operator with the operations `count` (gives `{"calls": N}`, the calls so
    far), `echo` (gives its arguments), `fail` (raises ValueError("boom")), `hang` (never answers) and `refuse` (refuses its
    arguments, saying "no thanks"). `other_content` is the same id with another content. `wrong` has a wrong manifest, `not_built`
    asks for what is not built yet, `dead` never becomes ready, and there is nothing at `missing`.
    """

    port: ExtensionPort
    good: str
    good_id: ExtensionId
    other_content: str
    wrong: str
    not_built: str
    dead: str
    missing: str


@dataclass
class ConductorHarness:
    """The policy is the fixed rules."""

    port: ConductorPort


@asynccontextmanager
async def in_memory_text_editing(tmp_path: Path) -> AsyncIterator[TextEditingHarness]:
    """InMemoryTextEditing over a dict."""
    files: dict[str, str | bytes] = {}
    read_only: set[str] = set()

    def write_file(name: str, content: bytes) -> str:
        path = f"/project/{name}"
        files[path] = content
        return path

    def read_file(path: str) -> bytes:
        content = files[path]
        return content.encode() if isinstance(content, str) else content

    def make_directory(name: str) -> str:
        write_file(f"{name}/file", b"")
        return f"/project/{name}"

    editor = InMemoryTextEditing(files, read_only=read_only)
    yield TextEditingHarness(editor, write_file, read_file, make_directory, read_only.add)
    editor.close_stream()


@asynccontextmanager
async def in_memory_pit(tmp_path: Path) -> AsyncIterator[PitHarness]:
    """InMemoryPit over a disk that outlives it."""
    disk, clock = InMemoryDisk(), FakeClock()

    async def restart(harness: PitHarness) -> None:
        harness.port = InMemoryPit(clock, disk=disk)

    def damage(artifact: ArtifactId) -> None:
        disk.blobs[artifact] += b"!"

    yield PitHarness(InMemoryPit(clock, disk=disk), restart, damage)


@asynccontextmanager
async def in_memory_extensions(tmp_path: Path) -> AsyncIterator[ExtensionHarness]:
    """InMemoryExtensions over functions."""
    calls = 0

    def count(arguments: object) -> object:
        nonlocal calls
        calls += 1
        return {"calls": calls}

    def fail(arguments: object) -> object:
        raise ValueError("boom")

    def refuse(arguments: object) -> object:
        raise InvalidRequestError("no thanks")

    async def hang(arguments: object) -> object:
        return await asyncio.get_running_loop().create_future()

    good_id = ExtensionId("test.good")
    operations = {"count": count, "echo": lambda arguments: arguments, "fail": fail, "hang": hang, "refuse": refuse}
    extensions = InMemoryExtensions(
        {
            "/good": FakeExtension(good_id, "1.2.3", operations),
            "/other": FakeExtension(good_id, "1.2.4", operations),
            "/wrong": InvalidRequestError("extension.toml: id: is missing", "extension.toml: version: is missing"),
            "/not_built": NotBuiltError("extension.toml: kind: motif is not built yet"),
            "/dead": ExtensionFailedError("the process ended before it was ready"),
        }
    )
    yield ExtensionHarness(extensions, "/good", good_id, "/other", "/wrong", "/not_built", "/dead", "/missing")
    extensions.close_stream()


@asynccontextmanager
async def in_memory_conductor(tmp_path: Path) -> AsyncIterator[ConductorHarness]:
    """InMemoryConductor with the fixed rules."""
    conductor = InMemoryConductor()
    yield ConductorHarness(conductor)
    conductor.close_stream()
