"""The registry, in a system of this process: what stays installed through whatever happens, and what does not."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors.extensions.messages import Install, Invoke, ListExtensions, Uninstall
from actors.extensions.registry import ExtensionRegistryActor
from actors.runtime import ActorSystem, ChildSpec, SupervisorSpec
from actors.runtime.errors import RejectedError
from actors.runtime.testing import EventProbe
from symphony.domain.errors import (
    ConflictError,
    ExtensionFailedError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from tests.support.extension_harness import write_extension

BOUND_S = 20.0
GOOD = "test.good"
HOST = f"/extensions/{GOOD}"
NEEDS_A_FILE = """
    from symphony.sdk import Operator, operation

    open({path!r}).close()

    class Ext(Operator):
        @operation
        def echo(self, x) -> dict:
            return {{"x": x}}
"""


class Running:
    """A running registry."""

    def __init__(self, system: ActorSystem, folder: Path) -> None:
        self.system = system
        self.folder = folder
        self.events = EventProbe(system.events)

    def ask(self, message: object) -> object:
        return self.system.ref("/extensions/registry").ask(message, timeout=BOUND_S)

    def install(self, extension: str = GOOD, **content: str) -> object:
        return self.ask(Install(write_extension(self.folder / extension, extension, **content)))

    def invoke(self, operation: str = "echo", **arguments: object) -> object:
        return self.system.ref(HOST).ask(Invoke(operation, arguments, BOUND_S), timeout=BOUND_S)

    def host(self) -> object:
        return self.system.snapshot().root.find(HOST)

    def children(self) -> list[str]:
        return [child.path.rpartition("/")[2] for child in self.system.snapshot().root.find("/extensions").children]

    def fail_registry(self) -> None:
        self.system.ref("/extensions/registry").proxy().context.fail.defer(OSError("a fault"))
        self.events.expect("actor.restarted", "/extensions/registry")


@contextmanager
def running(folder: Path, *, intensity: int = 10, state: str = "state") -> Iterator[Running]:
    registry = ChildSpec(
        "registry",
        ExtensionRegistryActor,
        kwargs={"extension_logs": str(folder / "logs"), "extension_state": str(folder / state)},
    )
    below = SupervisorSpec("extensions", children=[registry], intensity=intensity, on_exhausted="park")
    system = ActorSystem("registry", SupervisorSpec("root", children=[below]))
    made = Running(system, folder)
    with system:
        yield made
    made.events.close()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as made:
        yield made


def test_installing_tells_whether_it_is_new(registry):
    first = registry.install()
    again = registry.install()

    assert (first.is_new, again.is_new, again.state) == (True, False, first.state)
    assert first.state.operations == ("count", "echo", "fail", "hang", "refuse")
    assert registry.ask(ListExtensions()) == (first.state,)
    assert registry.events.expect("extension.installed").fields["extension"] == GOOD


def test_the_same_content_from_another_folder_is_the_same(registry):
    first = registry.install()

    copy = registry.ask(Install(write_extension(registry.folder / "copy")))

    assert (copy.is_new, copy.state) == (False, first.state)


def test_extensions_are_listed_by_id(registry):
    for extension in ("test.b", "test.c", "test.a"):
        registry.install(extension)

    assert [state.id for state in registry.ask(ListExtensions())] == ["test.a", "test.b", "test.c"]


def test_what_is_not_installed_cannot_be_uninstalled(registry):
    with pytest.raises(NotFoundError):
        registry.ask(Uninstall(GOOD))


def test_other_messages_are_refused(registry):
    with pytest.raises(RejectedError):
        registry.ask("install")


def test_an_id_that_is_too_long_for_an_actor_is_refused(registry):
    with pytest.raises(InvalidRequestError, match="too long"):
        registry.install("test." + "x" * 100)


def test_an_extension_that_cannot_be_recorded_is_not_installed(tmp_path):
    (tmp_path / "file").touch()
    with running(tmp_path, state="file") as registry:
        with pytest.raises(UnavailableError, match="cannot write"):
            registry.install()

        assert registry.ask(ListExtensions()) == ()
        assert registry.children() == ["registry"]


def test_a_failure_of_the_registry_alone_leaves_the_hosts_and_what_is_known(registry):
    state = registry.install().state
    worker = registry.host().os_process
    registry.fail_registry()

    assert registry.ask(ListExtensions()) == (state,)
    assert registry.host().os_process == worker
    assert registry.install().is_new is False
    registry.ask(Uninstall(GOOD))
    assert registry.children() == ["registry"]


def test_a_host_that_nobody_recorded_is_replaced(registry):
    """As one would be whose installation was cut off by a failure of the registry."""
    registry.install()
    before = registry.host().os_process.pid
    (registry.folder / "state/installed.json").unlink()
    registry.fail_registry()
    assert registry.ask(ListExtensions()) == ()

    assert registry.install().is_new is True
    assert registry.host().os_process.pid != before
    assert registry.invoke(x=1) == {"x": 1}


def test_a_damaged_record_is_told_and_kept_aside(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state/installed.json").write_text("{")
    with running(tmp_path) as registry:
        told = registry.events.expect("extension.record_damaged")

        assert registry.ask(ListExtensions()) == ()
        assert Path(told.fields["moved_to"]).read_text() == "{"


def test_what_is_installed_is_started_again_by_the_next_system(tmp_path):
    with running(tmp_path) as first:
        state = first.install().state

    with running(tmp_path) as second:
        second.events.expect("actor.started", HOST)
        assert second.ask(ListExtensions()) == (state,)
        assert second.invoke(x=1) == {"x": 1}


def test_an_extension_that_cannot_start_through_no_fault_of_its_folder_stays_installed(tmp_path):
    needed = tmp_path / "needed"
    needed.touch()
    with running(tmp_path) as first:
        state = first.install(code=NEEDS_A_FILE.format(path=str(needed))).state
    needed.unlink()

    with running(tmp_path) as second:
        told = second.events.expect("extension.start_failed", extension=GOOD)
        assert "FileNotFoundError" in told.fields["reason"]
        assert second.ask(ListExtensions()) == (state,)
        with pytest.raises(ExtensionFailedError, match="FileNotFoundError"):
            second.ask(Install(state.directory))
        needed.touch()
        assert second.ask(Install(state.directory)).state == state
        assert second.invoke(x=1) == {"x": 1}


def test_a_folder_that_changed_while_its_host_is_away_cannot_be_run(tmp_path):
    with running(tmp_path) as first:
        first.install()
    write_extension(tmp_path / GOOD, version="2.0.0")

    with running(tmp_path) as second:
        assert second.events.expect("extension.dropped", extension=GOOD)
        assert second.ask(ListExtensions()) == ()
        assert second.children() == ["registry"]
        assert second.ask(Install(str(tmp_path / GOOD))).is_new is True


def test_another_content_is_refused(registry):
    registry.install()

    with pytest.raises(ConflictError, match=str(registry.folder / GOOD)):
        registry.install(version="2.0.0")


@pytest.mark.parametrize("then", ["install", "uninstall"])
def test_a_host_that_was_given_up_is_started_by_installing_and_removed_by_uninstalling(tmp_path, then):
    with running(tmp_path, intensity=0) as registry:
        registry.install()
        os.kill(registry.host().os_process.pid, signal.SIGKILL)
        registry.events.expect("actor.parked", HOST)

        if then == "install":
            assert registry.install().is_new is False
            assert registry.invoke(x=1) == {"x": 1}
            assert registry.host().incarnation == 2
        else:
            registry.ask(Uninstall(GOOD))
            assert registry.children() == ["registry"]
