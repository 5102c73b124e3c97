"""A host and its worker, in this process's own small systems: lives, deaths, and what is refused."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors.extensions.folder import read_folder
from actors.extensions.host import ExtensionHostActor, host_name, log_path
from actors.extensions.messages import Describe, Invoke
from actors.runtime import ActorSystem, ChildSpec, SupervisorSpec
from actors.runtime.clock import SystemClock
from actors.runtime.errors import RejectedError, TerminatedError
from actors.runtime.testing import EventProbe
from symphony.domain.errors import ConflictError, NotFoundError, UnavailableError
from tests.support.extension_harness import write_extension

BOUND_S = 20.0
NAME = "test.good"

CODE = """
    import logging, os
    from symphony.sdk import Operator, operation

    class Ext(Operator):
        @operation
        def talk(self) -> dict:
            print("printed", flush=True)
            logging.warning("logged")
            return {}

        @operation
        def wait(self, fifo: str) -> dict:
            with open(fifo, "w"):
                pass
            while True:
                pass
"""


def spec_of(folder: Path, code: str = CODE, **options: object) -> ChildSpec:
    directory = write_extension(folder / "ext", code=code)
    kwargs = {
        "extension": NAME,
        "directory": directory,
        "digest": read_folder(directory).digest,
        "log": str(folder / "log"),
    }
    return ChildSpec(NAME, ExtensionHostActor, kwargs=kwargs, **options)


@pytest.fixture
def system() -> Iterator[ActorSystem]:
    with ActorSystem("host", SupervisorSpec("root", on_exhausted="park", intensity=3)) as system:
        yield system


@contextmanager
def ended(pid: int) -> Iterator[None]:
    pidfd = os.pidfd_open(pid)
    try:
        yield
        poller = select.poll()
        poller.register(pidfd, select.POLLIN)
        assert poller.poll(BOUND_S * 1000)
    finally:
        os.close(pidfd)


def worker_of(system: ActorSystem) -> int:
    return system.snapshot().root.find(f"/{NAME}").os_process.pid


class FakeContext:
    """A context that keeps what the actor says of itself."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.failures: list[BaseException] = []
        self.pid: int | None = None

    def set_os_process(self, pid: int | None, command: str = "") -> None:
        self.pid = pid

    def fail(self, error: BaseException) -> None:
        self.failures.append(error)


def test_it_says_what_its_extension_can_do_and_refuses_other_messages(system, tmp_path):
    host = system.spawn(spec_of(tmp_path))

    assert host.ask(Describe()) == ("talk", "wait")
    with pytest.raises(RejectedError):
        host.ask("talk")
    with pytest.raises(NotFoundError):
        host.ask(Invoke("tlak", {}, BOUND_S))


def test_prints_and_log_records_reach_its_log_over_all_lives(system, tmp_path):
    host = system.spawn(spec_of(tmp_path))
    host.ask(Invoke("talk", {}, BOUND_S))
    events = EventProbe(system.events)
    os.kill(worker_of(system), signal.SIGKILL)
    events.expect("actor.restarted", f"/{NAME}")
    events.close()
    host.ask(Invoke("talk", {}, BOUND_S))

    lines = (tmp_path / "log").read_text().splitlines()
    assert [line for line in lines if line == "printed"] == ["printed"] * 2
    assert sum('"event":"logged"' in line for line in lines) == 2


def test_a_folder_that_changed_since_it_was_installed_is_not_run(system, tmp_path):
    spec = spec_of(tmp_path)
    (tmp_path / "ext/ext.py").write_text("print('another')")

    with pytest.raises(ConflictError, match="has changed since it was installed"):
        system.spawn(spec)
    assert not (tmp_path / "log").exists()


def test_stopping_ends_the_worker(system, tmp_path):
    system.spawn(spec_of(tmp_path))

    with ended(worker_of(system)):
        system.remove(NAME)


def test_removing_a_busy_host_kills_its_worker_once_the_calls_time_is_up(system, tmp_path):
    host = system.spawn(spec_of(tmp_path, shutdown=0.1))
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    answer = host.ask(Invoke("wait", {"fifo": str(fifo)}, BOUND_S), timeout=BOUND_S, block=False)
    fifo.read_text()  # until the operation has begun

    with ended(worker_of(system)):
        system.remove(NAME)
    with pytest.raises(TerminatedError):
        answer.get(BOUND_S)


def test_a_call_that_finds_the_worker_dead_was_not_begun_and_can_be_repeated(tmp_path):
    """Between a death and the actor's failure there is a moment in which a call may arrive."""
    context = FakeContext()
    spec = spec_of(tmp_path)
    host = ExtensionHostActor.__new__(ExtensionHostActor)
    host.context = context
    host.__init__(**spec.kwargs)
    host.on_start()
    host._watch.close()
    with ended(context.pid):
        os.kill(context.pid, signal.SIGKILL)

    with pytest.raises(UnavailableError, match="nothing was done") as caught:
        host.on_receive(Invoke("talk", {}, BOUND_S))

    assert type(caught.value) is UnavailableError
    assert [(error.pid, error.signal) for error in context.failures] == [(context.pid, "SIGKILL")]
    host.on_failure(None, None, None)


def test_giving_up_a_host_that_has_no_worker_yet_does_nothing(tmp_path):
    ExtensionHostActor(**spec_of(tmp_path).kwargs).on_kill()


def test_a_slow_start_is_bounded_by_the_manifest(system, tmp_path):
    directory = write_extension(tmp_path / "ext", code="while True: pass", more='limits = { startup = "100ms" }')
    kwargs = {"extension": NAME, "directory": directory, "digest": read_folder(directory).digest, "log": str(tmp_path / "log")}

    with pytest.raises(Exception, match=r"not ready within 0.1 s and was killed"):
        system.spawn(ChildSpec(NAME, ExtensionHostActor, kwargs=kwargs))


@pytest.mark.parametrize("extension", ["symphony.tidy", "a.b-c.d9"])
def test_the_hosts_name_is_the_extensions_id(extension, tmp_path):
    assert host_name(extension) == extension
    assert log_path(tmp_path, extension) == tmp_path / f"extension-{extension}.log"


@pytest.mark.parametrize(("text", "name"), [("a.b/c", "a.b_2f_c"), ("a.b_2f_c", "a.b_5f_2f_5f_c"), ("é", "_e9_")])
def test_what_is_no_id_gives_no_extensions_name(text, name):
    assert host_name(text) == name
