"""Workers that break the rules of the channel, written for that: each is refused, told and ended, and leaves nothing behind."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from time import monotonic

import msgspec
import psutil
import pytest

import symphony
import symphony.sdk
from actors.extensions.worker_process import WorkerProcess
from symphony.domain.errors import DeadlineExceededError, ExtensionFailedError, SymphonyError, UnavailableError
from symphony.sdk.launch import Command
from symphony.sdk.message import PROTOCOL, Hello, Log

BOUND_S = 20.0
PROMPT_S = 3.0
LOG = msgspec.msgpack.encode(Log("\x1b[2J", {"a": "\x07", "b": 1}))
DEEP = msgspec.msgpack.encode(["result", 1, {"a": 1}])[:-1] + b"\x91" * 100 + b"\x01"


def python(script: str) -> Callable[[int], Command]:
    """Give the command of a worker of our own making: it has the socket as `channel`, and may send any bytes."""
    head = "import sys, socket, struct; channel = socket.socket(fileno=int(sys.argv[1])); "
    head += "frame = lambda body: channel.sendall(struct.pack('>I', len(body)) + body)\n"
    return lambda fd: Command((sys.executable, "-I", "-c", head + dedent(script), str(fd)), {})


def hello(**changes: object) -> bytes:
    origins = {package.__name__: package.__file__ for package in (symphony, symphony.sdk, msgspec)}
    fields = {"protocol": PROTOCOL, "entry": "a:A", "operations": {"run": ()}, "pid": 1, "origins": origins}
    return msgspec.msgpack.encode(Hello(**{**fields, **changes}))


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    descriptors = set(Path("/proc/self/fd").iterdir())
    children = set(psutil.Process().children())
    yield
    assert set(Path("/proc/self/fd").iterdir()) == descriptors
    assert set(psutil.Process().children()) <= children


def text_of(kind: type[SymphonyError], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return str(caught.value)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "channel.sendall(b'\\xff\\xff\\xff\\xff')",
            "sent what is no message (a frame claims 4294967295 bytes; 67108",
        ),
        (f"frame({DEEP!r})", "is nested more than 64 deep"),
        ("frame(b'junk')", "sent what is no message (a frame of 4 bytes"),
        ("channel.sendall(b'\\x00\\x00'); channel.close()", "closed its channel and was killed before it was ready"),
        ("sys.exit(5)", "exited with status 5 before it was ready"),
        ("import os; os.abort()", "was ended by SIGABRT before it was ready"),
        (f"frame({msgspec.msgpack.encode(['result', 0, {}])!r})", "did not say hello and was killed"),
        (f"frame({hello(protocol=2)!r})", "speaks version 2 of the worker channel, not 1 and was killed"),
        (f"frame({hello(operations={})!r})", "has no operations that can be called: none"),
        (f"frame({hello(operations={chr(27): ()})!r})", "has no operations that can be called: \\x1b"),
        (f"frame({hello(origins={})!r})", "has loaded symphony from None, not from "),
        (f"hello = struct.pack('>I', {len(hello())}) + {hello()!r}; channel.sendall(hello * 2)", "answered what was not asked"),
    ],
)
def test_a_hostile_start_is_refused_told_and_leaves_nothing(script, told):
    lingering = script if "exit" in script or "abort" in script else f"{script}\nimport signal; signal.pause()"
    begun = monotonic()

    text = text_of(ExtensionFailedError, lambda: WorkerProcess.spawn("acme.ext", python(lingering), BOUND_S))

    assert told in text
    assert monotonic() - begun < PROMPT_S


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"\xc1", "sent what is no message (a frame of 1 bytes"),
        (msgspec.msgpack.encode(["result", 2, {}]), "answered what was not asked"),
        (msgspec.msgpack.encode(["result", 1, {"a": {1: 2}}]), "keys are text"),
        (hello(), "answered what was not asked"),
    ],
)
def test_a_hostile_answer_is_refused_told_and_leaves_nothing(answer, told):
    script = f"frame({hello()!r}); channel.recv(99); frame({answer!r}); import signal; signal.pause()"
    worker = WorkerProcess.spawn("acme.ext", python(script), BOUND_S)

    text = text_of(ExtensionFailedError, lambda: worker.invoke("run", {}, BOUND_S))

    assert told in text
    assert "and was killed during run" in text
    assert worker.exit_status() == -signal.SIGKILL


def test_half_a_frame_for_ever_is_ended_by_the_deadline():
    script = f"frame({hello()!r}); channel.sendall(b'\\x00\\x00\\x00\\x09half'); import signal; signal.pause()"
    worker = WorkerProcess.spawn("acme.ext", python(script), BOUND_S)

    text_of(DeadlineExceededError, lambda: worker.invoke("run", {}, 0.2))


def test_a_worker_that_floods_the_log_misses_its_deadline():
    script = f"frame({hello()!r}); channel.recv(99)\nwhile True: frame({LOG!r})"
    records = set()
    worker = WorkerProcess.spawn(
        "acme.ext", python(script), BOUND_S, on_log=lambda event, fields: records.add((event, *fields.values()))
    )

    text_of(DeadlineExceededError, lambda: worker.invoke("run", {}, 0.2))

    assert records == {("\\x1b[2J", "\\x07", 1)}


def test_an_answer_sent_before_death_is_still_an_answer():
    script = f"frame({hello()!r}); channel.recv(99); frame({msgspec.msgpack.encode(['result', 1, {'a': 1}])!r}); sys.exit(1)"
    worker = WorkerProcess.spawn("acme.ext", python(script), BOUND_S)

    assert worker.invoke("run", {}, BOUND_S) == {"a": 1}
    worker.stop(BOUND_S)
    assert worker.exit_status() == 1


def test_a_program_that_does_not_exist_is_the_worlds_move():
    missing = Command(("/nonexistent/python",), {})

    assert "cannot be started" in text_of(UnavailableError, lambda: WorkerProcess.spawn("acme.ext", lambda _: missing, BOUND_S))


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("", "signal.pause()", -signal.SIGTERM),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "signal.pause()", -signal.SIGKILL),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "channel.recv(99); frame(b'junk'); signal.pause()", -signal.SIGKILL),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", f"while True: frame({LOG!r})", -signal.SIGKILL),
    ],
)
def test_stop_ends_a_worker_that_does_not_listen(before, after, status):
    worker = WorkerProcess.spawn("acme.ext", python(f"import signal; {before}\nframe({hello()!r})\n{after}"), BOUND_S)
    begun = monotonic()

    worker.stop(0.4)

    assert monotonic() - begun < PROMPT_S
    assert worker.exit_status() == status
