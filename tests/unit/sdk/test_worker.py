"""The worker process by its real command, with the bare socket for a host: what it loads, what it can see, and how it ends."""

import importlib.util
import os
import py_compile
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socketpair
from textwrap import dedent

import msgspec
import pytest

import symphony
import symphony.sdk
from symphony.sdk.channel import Channel
from symphony.sdk.launch import worker_command
from symphony.sdk.message import LOADING, Failed, FromWorker, Hello, Invoke, Log, Refused, Result, Stop

BOUND_S = 20.0

EXTENSION = """
    import logging, os, sys
    from symphony.sdk import Operator, operation

    class Ext(Operator):
        @operation
        def busy(self) -> dict:
            logging.info("busy")
            while True:
                pass

        @operation
        def world(self) -> dict:
            return {"env": dict(os.environ), "path": sys.path, "modules": sorted(sys.modules), "stdin": sys.stdin.read()}
"""
MARKLESS = "from symphony.sdk import Operator\nclass Ext(Operator): pass"
IMPORTER = """
    import json, actors, symphony, msgspec, symphony.sdk
    from symphony.sdk import Operator, operation

    class Ext(Operator):
        @operation
        def files(self) -> dict:
            return {module.__name__: module.__file__ for module in (json, actors, symphony, symphony.sdk, msgspec)}
"""


class RawHost:
    """A host that writes what it likes. Made with the extension's folder; the test reads the `Hello` or `Failed` itself."""

    def __init__(self, directory: Path, entry: str) -> None:
        self.socket, theirs = socketpair()
        self.channel: Channel[FromWorker] = Channel(FromWorker)
        self.socket.settimeout(BOUND_S)
        with theirs:
            command = worker_command(executable=sys.executable, fd=theirs.fileno(), directory=directory, entry=entry)
            self.process = subprocess.Popen(
                command.argv, env=command.env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
            )

    def receive(self) -> FromWorker:
        while (message := self.channel.next_message()) is None:
            data = self.socket.recv(65536)
            assert data, "the worker hung up"
            self.channel.feed(data)
        return message

    def invoke(self, operation: str) -> FromWorker:
        self.socket.sendall(self.channel.encode(Invoke(1, operation, {})))
        return self.receive()

    def end(self) -> tuple[int, bytes]:
        _, err = self.process.communicate(timeout=BOUND_S)
        return self.process.returncode, err

    def close(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.communicate()


Start = Callable[..., RawHost]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ext").mkdir()
    return tmp_path / "ext"


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start a worker of `ext.py` with the given code."""
    hosts: list[RawHost] = []

    def start(code: str = EXTENSION, entry: str = "ext:Ext") -> RawHost:
        (folder / "ext.py").write_text(dedent(code))
        hosts.append(RawHost(folder, entry))
        return hosts[-1]

    yield start
    for host in hosts:
        host.close()


@pytest.fixture
def host(start: Start) -> RawHost:
    """Give the host of a worker that is ready."""
    host = start()
    assert isinstance(host.receive(), Hello)
    return host


# --- what it loads and sees ---


def test_the_hello_says_what_can_be_called_and_whose_code_was_loaded(start):
    host = start()

    hello = host.receive()

    assert isinstance(hello, Hello)
    assert hello.operations == {"busy": (), "world": ()}
    assert hello.pid == host.process.pid
    assert hello.origins == {package.__name__: package.__file__ for package in (symphony, symphony.sdk, msgspec)}


@pytest.mark.parametrize(
    ("code", "entry", "kind", "told"),
    [
        ("", "extt:Ext", "EntryError", "extt:Ext: there is no module extt in "),
        ("", "ext.sub:Ext", "EntryError", "ext.sub:Ext: there is no module ext.sub in "),
        ("", "colorsys:Ext", "EntryError", "colorsys:Ext: the name colorsys is taken ("),
        (MARKLESS, "ext:Extt", "EntryError", "has no Extt; did you mean Ext?"),
        (MARKLESS, "ext:Ext", "EntryError", "Ext has no method marked with @operation"),
        ("class Ext: pass", "ext:Ext", "EntryError", "Ext is not a class derived from symphony.sdk.Operator"),
        ("import pykka", "ext:Ext", "ModuleNotFoundError", "No module named 'pykka'"),
        ("import sys; sys.exit(0)", "ext:Ext", "SystemExit", "0"),
        ("def f(:", "ext:Ext", "SyntaxError", "invalid syntax"),
    ],
)
def test_an_extension_that_cannot_be_loaded_says_why_in_place_of_its_hello(start, code, entry, kind, told):
    host = start(code, entry)

    failed = host.receive()

    assert isinstance(failed, Failed)
    assert (failed.correlation, failed.kind) == (LOADING, kind)
    assert told in failed.text
    assert kind in failed.traceback
    assert host.end() == (os.EX_SOFTWARE, b"")


def test_neither_the_environment_nor_the_current_folder_is_imported(start, folder, tmp_path, monkeypatch):
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in ("sitecustomize", "usercustomize", "symphony", "msgspec", "socket"):
        (evil / f"{name}.py").write_text(f"raise SystemExit('{name} was imported')")
    monkeypatch.setenv("PYTHONPATH", str(evil))
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.chdir(evil)
    host = start()
    assert isinstance(host.receive(), Hello)

    seen = host.invoke("world")

    assert isinstance(seen, Result)
    assert set(seen.value["env"]) <= {"LANG", "PATH", "LC_CTYPE"}
    assert seen.value["stdin"] == ""
    assert seen.value["path"][-1] == str(folder)
    roots = {str(Path(package.__file__).parents[1]) for package in (symphony, msgspec)}
    assert not roots & set(seen.value["path"])
    loaded = {name.partition(".")[0] for name in seen.value["modules"]}
    assert not loaded & {"actors", "adapters", "xi", "pykka", "zmq", "site"}


def test_an_extensions_own_json_and_symphony_do_not_stand_in_for_ours(start, folder):
    for name in ("symphony", "actors"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("WHOSE = 'the extension'")
    for name in ("json", "msgspec"):
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name}.py was imported')")
    host = start(IMPORTER)
    assert isinstance(host.receive(), Hello)

    files = host.invoke("files").value

    assert {name: files[name] for name in ("symphony", "symphony.sdk", "msgspec")} == {
        package.__name__: package.__file__ for package in (symphony, symphony.sdk, msgspec)
    }
    assert not files["json"].startswith(str(folder))
    assert files["actors"] == str(folder / "actors" / "__init__.py")


def test_a_bytecode_cache_in_the_folder_is_never_run_and_none_is_written(start, folder, tmp_path):
    cache = Path(importlib.util.cache_from_source(str(folder / "ext.py")))
    (tmp_path / "evil.py").write_text("raise SystemExit('the cache was run')")
    py_compile.compile(str(tmp_path / "evil.py"), str(cache), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)

    assert isinstance(start().receive(), Hello)

    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


def test_an_operation_that_the_hello_did_not_name_is_refused(host):
    assert host.invoke("wurld") == Refused(1, "wurld: there is no such operation; there are busy, world")


# --- how it ends ---


def test_stop_ends_the_worker(host):
    host.socket.sendall(host.channel.encode(Stop()))

    assert host.end() == (os.EX_OK, b"")


def test_the_end_of_the_channel_ends_an_idle_worker(host):
    host.socket.close()

    assert host.end() == (os.EX_OK, b"")


def test_the_end_of_the_channel_ends_a_busy_worker_too(host):
    assert isinstance(host.invoke("busy"), Log)

    host.socket.close()

    assert host.end() == (os.EX_OK, b"")


def test_a_host_that_dies_in_the_middle_of_a_frame_is_an_end_like_any_other(host):
    host.socket.sendall(host.channel.encode(Stop())[:5])
    host.socket.close()

    assert host.end() == (os.EX_OK, b"")


def test_a_malformed_frame_from_the_host_ends_the_worker_with_a_clear_message(host):
    host.socket.sendall(b"\x00\x00\x00\x04junk")

    status, err = host.end()

    assert status == os.EX_DATAERR
    assert err.startswith(b"symphony worker of ext:Ext: ended, because its host sent what is no message: a frame of 4 bytes ")
    assert b"Traceback" not in err
