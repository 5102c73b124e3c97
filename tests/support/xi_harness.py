"""The xi proxy on a real actor system with a real editor process, and a hand on both."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from actors.runtime import ActorRef, ActorSystem, SupervisorSpec
from actors.runtime.errors import ActorFailedError
from actors.runtime.node_process.system import SetupContext
from actors.xi_proxy import messages
from actors.xi_proxy.actor import XiProxyActor
from adapters.text_editing.xi_editor import XiEditorAdapter
from adapters.text_editing.xi_link import XiLinks
from symphony.domain.text import Edit, Position, Span
from symphony.ports import BufferState
from tests.support.harnesses import TextEditingHarness

ROOT = Path(__file__).parents[2]
XI = (sys.executable, "-P", "-m", "xi")
BOUND_S = 20.0


def faulty_xi(fault: str, flag: Path) -> tuple[str, ...]:
    """Give the command of an editor with one fault."""
    return (sys.executable, "-P", str(Path(__file__).with_name("faulty_xi.py")), fault, str(flag))


def links(log_file: Path, command: tuple[str, ...] = XI, patience_s: float = 2.0) -> XiLinks:
    """Give links to editors that are run from this checkout."""
    return XiLinks(command, {**os.environ, "PYTHONPATH": str(ROOT)}, str(log_file), patience_s)


def set_up_xi(context: SetupContext, *, folder: str) -> Mapping[str, object]:
    """What the proxy needs, in a node."""
    del context
    return {"xi_links": links(Path(folder) / "xi.log"), "journal_dir": str(Path(folder) / "journals")}


def insert(text: str, at: tuple[int, int] = (0, 0)) -> Edit:
    """Give an edit that puts `text` somewhere."""
    return Edit(Span(Position(*at), Position(*at)), text)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, with a bound."""
    deadline, pause = time.monotonic() + BOUND_S, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {BOUND_S} s: {what}"
        pause.wait(0.002)


class Proxy:
    """A running proxy at `/xi`; the methods ask it and give the buffer's state."""

    def __init__(self, system: ActorSystem, folder: Path) -> None:
        self.system = system
        self.ref: ActorRef = system.ref("/xi")
        self.folder = folder

    @property
    def journals(self) -> list[Path]:
        """The journals on disk."""
        return sorted((self.folder / "journals").glob("*.journal"))

    @property
    def xi_pid(self) -> int | None:
        """The editor's process, None while there is none."""
        (child,) = self.system.snapshot().root.children
        return None if child.os_process is None else child.os_process.pid

    def events(self) -> list[tuple[str, Any]]:
        """Give type and revision of every event of a buffer."""
        return [(e.type, e.fields["revision"]) for e in self.system.events.since(0) if e.type.startswith("buffer.")]

    def reply(self, request: Any) -> Any:
        """Ask."""
        return self.ref.ask(request, timeout=BOUND_S)

    def open(self, path: Path) -> BufferState:
        """Open a file."""
        return self.reply(messages.OpenBuffer(str(path))).state

    def edit(self, path: Path, *edits: Edit) -> BufferState:
        """Edit at the present revision."""
        return self.reply(messages.EditBuffer(str(path), edits, self.state(path).revision)).state

    def state(self, path: Path) -> BufferState:
        """Give the state."""
        return self.reply(messages.GetBufferState(str(path))).state

    def text(self, path: Path) -> str:
        """Give the text."""
        return self.reply(messages.BufferText(str(path))).text

    def undo(self, path: Path) -> BufferState:
        """Undo."""
        return self.reply(messages.UndoBuffer(str(path))).state

    def redo(self, path: Path) -> BufferState:
        """Redo."""
        return self.reply(messages.RedoBuffer(str(path))).state

    def save(self, path: Path) -> BufferState:
        """Save."""
        return self.reply(messages.SaveBuffer(str(path))).state

    def close(self, path: Path) -> BufferState:
        """Close."""
        return self.reply(messages.CloseBuffer(str(path))).state

    def kill_xi(self) -> None:
        """SIGKILL the editor and wait for the next one."""
        pid = self.xi_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.xi_pid not in (None, pid), "another editor's process")

    def fails(self, ask: Callable[[], object]) -> str:
        """Ask for what the actor fails on, and give what it said."""
        try:
            ask()
        except ActorFailedError as error:
            return str(error)
        raise AssertionError("the proxy did not fail")


@contextmanager
def running_proxy(folder: Path, command: tuple[str, ...] = XI, patience_s: float = 2.0) -> Iterator[Proxy]:
    """Run a proxy whose journals and log are in `folder`.

    Its log lines are caught: to draw the traceback of a failure takes longer than the restart.
    """
    with capture_logs(), ActorSystem(root=SupervisorSpec("root", intensity=1000, on_exhausted="park")) as system:
        parts = {"xi_links": links(folder / "xi.log", command, patience_s), "journal_dir": str(folder / "journals")}
        system.spawn(XiProxyActor, name="xi", kwargs=parts)
        yield Proxy(system, folder)


@asynccontextmanager
async def xi_text_editing(tmp_path: Path) -> AsyncIterator[TextEditingHarness]:
    """XiEditorAdapter before a proxy in this process, with our own editor."""
    folder = tmp_path / "work"
    folder.mkdir()

    def write_file(name: str, content: bytes) -> str:
        (folder / name).write_bytes(content)
        return str(folder / name)

    def make_directory(name: str) -> str:
        (folder / name).mkdir()
        return str(folder / name)

    def make_unwritable(path: str) -> None:
        Path(path).unlink()
        Path(path).mkdir()  # permissions would not stop root

    system = ActorSystem(root=SupervisorSpec("root", intensity=1000, on_exhausted="park"))
    await system.begin()
    parts = {"xi_links": links(tmp_path / "xi.log"), "journal_dir": str(tmp_path / "journals")}
    await asyncio.to_thread(system.spawn, XiProxyActor, name="xi", kwargs=parts)
    adapter = XiEditorAdapter(system.ref("/xi"))
    try:
        yield TextEditingHarness(adapter, write_file, lambda path: Path(path).read_bytes(), make_directory, make_unwritable)
    finally:
        adapter.close_stream()
        await asyncio.to_thread(system.stop)
