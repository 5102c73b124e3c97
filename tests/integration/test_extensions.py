"""The extension host with real processes all the way down: a kernel, a node, workers; and faults in each."""

import asyncio
import os
import select
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
import pytest

from actors.extensions.messages import Invoke
from actors.runtime import ActorSystem
from actors.runtime.errors import RemoteError
from actors.runtime.snapshot import ActorSnapshot
from actors.runtime.testing import EventProbe
from adapters.extension.actor_hosted import ActorExtensionAdapter
from symphony.domain.errors import (
    ConflictError,
    DeadlineExceededError,
    ExtensionFailedError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from symphony.domain.ids import ExtensionId
from tests.support.extension_harness import TIDY, extension_system, write_extension

BOUND_S = 20.0
PROMPT_S = 3.0
GOOD = ExtensionId("test.good")
OTHER = ExtensionId("test.other")
TIDY_ID = ExtensionId("symphony.tidy")
HOST = f"/extensions/{GOOD}"

MEETING = """
    from symphony.sdk import Operator, operation

    class Ext(Operator):
        @operation
        def meet(self, fifo: str, mode: str) -> dict:
            with open(fifo, mode) as opened:  # waits until somebody opens the other end
                return {"met": opened.name}
"""


class World:
    """A running system, and what a test wants of it."""

    def __init__(self, system: ActorSystem, folder: Path) -> None:
        self.system = system
        self.folder = folder
        self.port = ActorExtensionAdapter(system.ref)

    def do(self, call: Coroutine[Any, Any, Any]) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(BOUND_S):
                return await call

        return asyncio.run(bounded())

    def install(self, extension: ExtensionId = GOOD, **content: str) -> Any:
        return self.do(self.port.install(write_extension(self.folder / extension, extension, **content)))

    def invoke(self, operation: str, extension: ExtensionId = GOOD, deadline_s: float = BOUND_S, **arguments: Any) -> Any:
        return self.do(self.port.invoke(extension, operation, arguments, deadline_s=deadline_s))

    def host(self, extension: ExtensionId = GOOD) -> ActorSnapshot:
        found = self.system.snapshot().root.find(f"/extensions/{extension}")
        assert found is not None
        return found

    def worker(self, extension: ExtensionId = GOOD) -> int:
        found = self.host(extension).os_process
        assert found is not None
        return found.pid

    def node(self) -> int:
        found = self.system.snapshot().root.find("/extensions")
        assert found is not None
        assert found.pid is not None
        return found.pid

    @contextmanager
    def events(self) -> Iterator[EventProbe]:
        probe = EventProbe(self.system.events)
        yield probe
        probe.close()

    @contextmanager
    def hanging(self, deadline_s: float = BOUND_S) -> Iterator[Callable[[], Any]]:
        """Call `hang` and go on once the worker is in it; give what waits for its answer."""
        host = self.system.ref(HOST)
        before = self.log().count("hanging")
        answer = host.ask(Invoke("hang", {}, deadline_s), timeout=BOUND_S, block=False)
        deadline = monotonic() + BOUND_S
        while self.log().count("hanging") == before:
            assert monotonic() < deadline
            os.sched_yield()
        yield lambda: answer.get(BOUND_S)

    def hang_and_kill(self, pid: int) -> None:
        """Call `hang`, kill `pid` once the worker is in it, and raise what the caller hears."""

        async def killed() -> None:
            call = asyncio.ensure_future(self.port.invoke(GOOD, "hang", {}, deadline_s=BOUND_S))
            while "hanging" not in self.log():
                await asyncio.sleep(0)
            os.kill(pid, signal.SIGKILL)
            await call

        self.do(killed())

    def log(self, extension: ExtensionId = GOOD) -> str:
        file = Path(self.system._own_run_dir().logs, f"extension-{extension}.log")
        return file.read_text() if file.exists() else ""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with extension_system(tmp_path / "state") as system:
        made = World(system, tmp_path)
        yield made
    # pytest keeps a fixture's value for longer than the fixture; what the system's processes hold must not be kept with it.
    del made.system, made.port


@contextmanager
def gone_after(*pids: int) -> Iterator[None]:
    """Hold that these processes have ended, at most a bound after the block."""
    with ExitStack() as stack:
        pidfds = [os.pidfd_open(pid) for pid in pids]
        for pidfd in pidfds:
            stack.callback(os.close, pidfd)
        yield
        for pidfd in pidfds:
            poller = select.poll()
            poller.register(pidfd, select.POLLIN)
            assert poller.poll(BOUND_S * 1000)


# --- the main job ---


def test_the_example_extension_is_installed_called_and_seen_in_the_tree(world):
    state = world.do(world.port.install(TIDY))

    assert (state.id, state.version, state.operations, state.isolation) == (TIDY_ID, "1.0.0", ("tidy",), "none")
    assert world.invoke("tidy", TIDY_ID, text="a \r\n\n\n\nb") == {"text": "a\n\nb\n", "changes": 4}
    host = world.host(TIDY_ID)
    assert (host.node, host.actor, host.state, host.incarnation) == ("/extensions", "ExtensionHostActor", "running", 1)
    assert "tidy:Tidy" in host.os_process.command
    assert psutil.Process(host.os_process.pid).ppid() == world.node()


def test_installing_twice_starts_one_worker(world):
    state = world.install()
    worker = world.worker()

    assert world.install() == state
    assert world.worker() == worker


def test_changed_content_is_refused_until_the_old_one_is_uninstalled(world):
    state = world.install()

    with pytest.raises(ConflictError, match="uninstall that first"):
        world.install(version="2.0.0")
    assert world.do(world.port.extensions()) == (state,)
    world.do(world.port.uninstall(GOOD))
    assert world.install(version="2.0.0").version == "2.0.0"


def test_uninstalling_stops_the_process(world):
    world.install()

    with gone_after(world.worker()):
        world.do(world.port.uninstall(GOOD))

    assert world.system.snapshot().root.find(HOST) is None


def test_a_wrong_manifest_is_told_with_every_problem_and_leaves_nothing(world):
    with pytest.raises(InvalidRequestError) as caught:
        world.install(more='colour = "red"', version="one")

    assert len(caught.value.problems) == 2
    assert all(str(world.folder / GOOD / "extension.toml") in problem for problem in caught.value.problems)
    assert [child.path for child in world.system.snapshot().root.find("/extensions").children] == ["/extensions/registry"]


def test_an_extension_that_does_not_start_is_told_with_its_last_words_and_leaves_nothing(world):
    with pytest.raises(ExtensionFailedError, match="last words") as caught:
        world.install(code="import os; print('last words', flush=True); os._exit(3)")

    assert "exited with status 3 before it was ready" in str(caught.value)
    assert [child.path for child in world.system.snapshot().root.find("/extensions").children] == ["/extensions/registry"]
    assert psutil.Process(world.node()).children() == []


def test_a_text_of_tens_of_megabytes_crosses_both_ways(world):
    world.install()
    text = "é" * (10 * 1024 * 1024)

    assert world.invoke("echo", text=text) == {"text": text}


# --- several at once ---


def test_two_extensions_are_called_at_the_same_time(world):
    """Each waits for the other inside its operation, so calls one after the other would never end."""
    fifo = str(world.folder / "fifo")
    os.mkfifo(fifo)
    for extension in (GOOD, OTHER):
        world.install(extension, code=MEETING)

    async def both() -> list[Any]:
        return await asyncio.gather(
            *(
                world.port.invoke(extension, "meet", {"fifo": fifo, "mode": mode}, deadline_s=BOUND_S)
                for extension, mode in ((GOOD, "r"), (OTHER, "w"))
            )
        )

    assert world.do(both()) == [{"met": fifo}] * 2


def test_an_extension_that_hangs_delays_no_other(world):
    world.install()
    world.install(OTHER)
    worker = world.worker()

    with world.hanging() as answer:
        assert world.invoke("echo", OTHER, x=1) == {"x": 1}
        assert len(world.do(world.port.extensions())) == 2
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(RemoteError, match="during hang"):
            answer()


# --- faults ---


def test_sigkill_of_an_idle_worker_is_healed_and_shown(world):
    world.install()
    before = world.worker()

    with world.events() as events:
        os.kill(before, signal.SIGKILL)
        events.expect("actor.restarted", HOST, timeout=PROMPT_S)

    host = world.host()
    assert (host.incarnation, host.restarts, host.state) == (2, 1, "running")
    assert (host.last_exit.reason, host.last_exit.signal) == ("killed", "SIGKILL")
    assert host.os_process.pid != before
    assert world.invoke("count") == {"calls": 1}


def test_sigkill_during_a_call_is_told_at_once_and_healed(world):
    world.install()

    begun = monotonic()
    with pytest.raises(ExtensionFailedError, match="was ended by SIGKILL during hang"):
        world.hang_and_kill(world.worker())
    assert monotonic() - begun < PROMPT_S
    assert world.invoke("echo", x=1) == {"x": 1}
    host = world.host()
    assert (host.incarnation, host.last_exit.signal) == (2, "SIGKILL")


def test_a_call_that_waits_behind_a_death_is_handled_by_the_next_worker(world):
    world.install()

    with world.hanging() as answer:
        waiting = world.system.ref(HOST).ask(Invoke("echo", {"x": 1}, BOUND_S), timeout=BOUND_S, block=False)
        os.kill(world.worker(), signal.SIGKILL)
        with pytest.raises(RemoteError, match="during hang"):
            answer()

    assert waiting.get(BOUND_S) == {"x": 1}
    assert world.host().incarnation == 2


def test_a_deadline_is_told_in_the_hosts_words_and_replaces_the_worker(world):
    world.install()
    begun = monotonic()

    with pytest.raises(DeadlineExceededError, match=r"no answer within 0.3 s; its worker was still busy and has been killed"):
        world.invoke("hang", deadline_s=0.3)

    assert 0.3 <= monotonic() - begun < PROMPT_S
    assert world.invoke("echo", x=1) == {"x": 1}
    host = world.host()
    assert (host.incarnation, host.last_exit.signal) == (2, "SIGKILL")


def test_an_extension_whose_restarts_are_put_off_runs_at_once_when_it_is_installed_again(world):
    """A worker cannot start while its folder is away, and its supervisor tries ever more rarely."""
    state = world.install()
    away = world.folder / "away"
    (world.folder / GOOD).rename(away)

    with world.events() as events:
        os.kill(world.worker(), signal.SIGKILL)
        events.expect("actor.restart_scheduled", HOST, timeout=BOUND_S)
    away.rename(world.folder / GOOD)

    assert world.install() == state
    assert world.invoke("echo", x=1) == {"x": 1}


def test_what_is_installed_survives_the_death_of_the_node(world):
    state = world.install()
    world.install(OTHER)

    with gone_after(world.worker(), world.worker(OTHER)), world.events() as events:
        os.kill(world.node(), signal.SIGKILL)
        for _ in range(2):
            events.expect("actor.started", timeout=BOUND_S, incarnation=2)

    assert world.do(world.port.install(state.directory)) == state
    assert [known.id for known in world.do(world.port.extensions())] == [GOOD, OTHER]
    assert world.invoke("echo", OTHER, x=1) == {"x": 1}


def test_the_death_of_the_node_during_a_call_is_told_at_once_and_ends_the_busy_worker(world):
    world.install()
    worker = world.worker()

    begun = monotonic()

    with gone_after(worker):
        with pytest.raises(UnavailableError) as caught:
            world.hang_and_kill(world.node())
        assert type(caught.value) is UnavailableError
        assert monotonic() - begun < PROMPT_S


@pytest.mark.parametrize("harm", ["vanished", "changed"])
def test_a_folder_that_vanished_or_changed_meanwhile_is_dropped_and_told(tmp_path, harm):
    with extension_system(tmp_path / "state") as first:
        world = World(first, tmp_path)
        world.install()
        kept = world.install(OTHER)
    source = tmp_path / GOOD / "ext.py"
    source.rename(tmp_path / GOOD / "other.py") if harm == "vanished" else source.write_text("changed")
    if harm == "vanished":
        (tmp_path / GOOD / "extension.toml").unlink()

    system = extension_system(tmp_path / "state")
    events = EventProbe(system.events)
    with system:
        world = World(system, tmp_path)
        dropped = events.expect("extension.dropped", extension=GOOD, timeout=BOUND_S)

        assert str(tmp_path / GOOD) in dropped.fields["reason"]
        assert world.do(world.port.extensions()) == (kept,)
        with pytest.raises(NotFoundError):
            world.invoke("echo")
        assert world.invoke("echo", OTHER, x=1) == {"x": 1}
    events.close()


def test_nothing_is_left_when_the_system_has_stopped(tmp_path):
    """Workers have an environment of their own, so they are known by their numbers."""
    with extension_system(tmp_path / "state") as system:
        world = World(system, tmp_path)
        world.install()
        world.install(OTHER)
        workers = [world.worker(), world.worker(OTHER)]
        below = {process.pid for process in psutil.Process(world.node()).children(recursive=True)}
        assert below == set(workers)
        stack = ExitStack()
        stack.enter_context(gone_after(*workers, world.node()))
    stack.close()
