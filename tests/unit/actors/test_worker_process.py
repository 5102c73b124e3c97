"""The host's side of real workers: every test starts one, and none may leave a process or a descriptor behind."""

import os
import select
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from time import monotonic

import psutil
import pytest

from actors.extensions.worker_process import WorkerProcess
from symphony.domain.errors import (
    DeadlineExceededError,
    ExtensionFailedError,
    InvalidRequestError,
    NotFoundError,
    SymphonyError,
)
from symphony.domain.extension import Manifest

BOUND_S = 20.0
PROMPT_S = 3.0
TIDY = Path(__file__).parents[3] / "examples/extensions/tidy"

EXTENSION = """
    import logging, os, signal, subprocess, sys
    from symphony.sdk import Operator, RefusedError, operation

    class Ext(Operator):
        @operation
        def echo(self, value) -> dict:
            return {"value": value}

        @operation
        def refuse(self, text: str) -> dict:
            raise RefusedError("text: is too short\\ntext: is too \\x1b[31mred")

        @operation
        def fail(self, how: str = "raise") -> dict:
            if how == "exit":
                sys.exit(3)
            if how == "unprintable":
                raise Broken
            raise ValueError("boom \\udcff")

        @operation
        def give(self, what: str):
            return {"list": [1], "object": {"a": [object()]}, "keys": {1: 2}}[what]

        @operation
        def busy(self) -> dict:
            logging.info("busy")
            while True:
                pass

        @operation
        def die(self, status: int) -> dict:
            print("last words", flush=True)
            os._exit(status)

        @operation
        def talk(self) -> dict:
            print("out")
            print("err", file=sys.stderr)
            os.write(1, b"raw\\n")
            logging.getLogger("ext").warning("heard %s", "me")
            return {}

        @operation
        def world(self) -> dict:
            return {"env": sorted(os.environ), "cwd": os.getcwd(), "stdin": sys.stdin.read(), "session": os.getsid(0),
                    "fds": len(os.listdir("/proc/self/fd"))}

        @operation
        def child(self) -> dict:
            return {"pid": subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]).pid}

    class Broken(Exception):
        def __str__(self):
            raise RuntimeError
"""

Started = Callable[..., WorkerProcess]


def manifest(entry: str = "ext:Ext", **fields: object) -> Manifest:
    return Manifest("acme.ext", "Ext", "1.0.0", "operator", "For tests", entry, **fields)


def write(folder: Path, code: str = EXTENSION) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "ext.py").write_text(dedent(code))
    return folder


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    descriptors = set(Path("/proc/self/fd").iterdir())
    children = set(psutil.Process().children())
    yield
    assert set(Path("/proc/self/fd").iterdir()) == descriptors
    assert set(psutil.Process().children()) <= children


@pytest.fixture
def log_fd(tmp_path: Path, _nothing_is_left: None) -> Iterator[int]:
    fd = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    yield fd
    os.close(fd)


@pytest.fixture
def started(tmp_path: Path, _nothing_is_left: None) -> Iterator[Started]:
    """Start workers that are stopped at the end."""
    workers: list[WorkerProcess] = []

    def start(code: str = EXTENSION, **options: object) -> WorkerProcess:
        workers.append(WorkerProcess.start(manifest(), str(write(tmp_path / "ext", code)), BOUND_S, **options))
        return workers[-1]

    yield start
    for worker in workers:
        worker.stop(BOUND_S)


def text_of(kind: type[SymphonyError], call: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return str(caught.value)


# --- the calls ---


def test_the_example_extension_runs_as_a_process_of_its_own():
    worker = WorkerProcess.start(manifest("tidy:Tidy"), str(TIDY), BOUND_S)
    try:
        assert dict(worker.operations) == {"tidy": ("text",)}
        assert worker.pid != os.getpid()
        assert "tidy:Tidy" in worker.command
        assert worker.invoke("tidy", {"text": "a \r\n\n\n\nb"}, BOUND_S) == {"text": "a\n\nb\n", "changes": 4}
    finally:
        worker.stop(BOUND_S)

    assert worker.exit_status() == 0
    assert (worker.fileno(), worker.pidfd) == (-1, -1)
    assert not (TIDY / "__pycache__").exists()


def test_plain_values_come_back_as_they_went(started):
    worker = started()
    value = {"text": "é\u2028", "raw": bytes(range(256)), "many": [None, True, -1, 2.5, 2**64 - 1, {"deep": [[]]}]}

    assert worker.invoke("echo", {"value": value}, BOUND_S) == {"value": value}


def test_a_large_value_crosses_both_ways_in_spite_of_full_socket_buffers(started):
    text = "x" * (8 * 1024 * 1024)

    assert started().invoke("echo", {"value": text}, BOUND_S) == {"value": text}


def test_refused_arguments_are_the_callers_error_and_the_worker_lives(started):
    worker = started()

    assert text_of(InvalidRequestError, lambda: worker.invoke("refuse", {"text": "a"}, BOUND_S)) == (
        "acme.ext: refuse: text: is too short\nacme.ext: refuse: text: is too \\x1b[31mred"
    )
    assert text_of(InvalidRequestError, lambda: worker.invoke("refuse", {"txt": "a"}, BOUND_S)) == (
        "acme.ext: refuse: txt: refuse takes no such argument; did you mean text?\n"
        "acme.ext: refuse: text: refuse needs this argument"
    )
    assert worker.invoke("echo", {"value": 1}, BOUND_S) == {"value": 1}


def test_arguments_that_cannot_cross_are_refused_with_their_place(started):
    worker = started()

    text = text_of(InvalidRequestError, lambda: worker.invoke("echo", {"value": [{1}]}, BOUND_S))

    assert text == "acme.ext: echo: arguments['value'][0] is a set, which is not plain data"


def test_an_unknown_operation_is_not_found_and_the_nearest_is_named(started):
    worker = started()

    assert text_of(NotFoundError, lambda: worker.invoke("ecko", {}, BOUND_S)).endswith("no operation ecko; did you mean echo?")
    assert "; it has busy, child, die, echo," in text_of(NotFoundError, lambda: worker.invoke("qqq", {}, BOUND_S))


def test_an_exception_is_told_with_its_traceback_and_the_worker_lives(started):
    worker = started()

    text = text_of(ExtensionFailedError, lambda: worker.invoke("fail", {}, BOUND_S))

    assert text.startswith("acme.ext: fail: it raised ValueError: boom \\udcff\nTraceback")
    assert 'ext.py", line' in text
    assert worker.exit_status() is None


@pytest.mark.parametrize(("how", "told"), [("exit", "SystemExit: 3"), ("unprintable", "Broken: (its text raised RuntimeError)")])
def test_no_exception_ends_the_worker(started, how, told):
    worker = started()

    assert told in text_of(ExtensionFailedError, lambda: worker.invoke("fail", {"how": how}, BOUND_S))
    assert worker.invoke("echo", {"value": 1}, BOUND_S) == {"value": 1}


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("list", "TypeError: give gave list; an operation gives a dict"),
        ("object", "what give gave ['a'][0] is an object, which is not plain data"),
        ("keys", "what give gave a key is an int; keys are text"),
    ],
)
def test_an_answer_that_is_no_plain_dict_is_the_extensions_failure(started, what, told):
    worker = started()

    assert told in text_of(ExtensionFailedError, lambda: worker.invoke("give", {"what": what}, BOUND_S))
    assert worker.exit_status() is None


def test_prints_reach_the_log_and_never_the_channel(started, log_fd):
    records = []
    worker = started(log_fd=log_fd, on_log=lambda event, fields: records.append((event, fields)))

    assert worker.invoke("talk", {}, BOUND_S) == {}

    assert os.pread(log_fd, 100, 0) == b"out\nerr\nraw\n"
    assert records == [("heard me", {"level": "warning", "logger": "ext"})]


def test_the_worker_gets_one_descriptor_and_nothing_else_of_its_host(started, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    worker = started()

    seen = worker.invoke("world", {}, BOUND_S)

    assert set(seen.pop("env")) <= {"LANG", "PATH", "LC_CTYPE"}
    # Descriptors: 0, 1, 2, the channel, and the one that lists them.
    assert seen == {"cwd": "/", "stdin": "", "session": worker.pid, "fds": 5}


def test_an_extension_that_cannot_be_loaded_says_why(tmp_path):
    directory = write(tmp_path / "ext", "import csv_clean")

    text = text_of(ExtensionFailedError, lambda: WorkerProcess.start(manifest(), str(directory), BOUND_S))

    assert text.startswith("acme.ext: it cannot be loaded: ModuleNotFoundError: No module named 'csv_clean'\nTraceback")


# --- deaths and deadlines ---


def test_sigkill_during_a_call_is_told_at_once_and_frees_everything(started):
    holder: list[WorkerProcess] = []
    worker = started(on_log=lambda *_: os.kill(holder[0].pid, signal.SIGKILL))
    holder.append(worker)
    begun = monotonic()

    text = text_of(ExtensionFailedError, lambda: worker.invoke("busy", {}, BOUND_S))

    assert monotonic() - begun < PROMPT_S
    assert text == "acme.ext: its worker was ended by SIGKILL during busy"
    assert worker.exit_status() == -signal.SIGKILL
    assert worker.fileno() == -1


def test_an_exit_during_a_call_is_told_with_its_status_and_last_output(started, log_fd):
    worker = started(log_fd=log_fd)

    text = text_of(ExtensionFailedError, lambda: worker.invoke("die", {"status": 7}, BOUND_S))

    assert text == "acme.ext: its worker exited with status 7 during die; its last output:\nlast words"


def test_the_death_of_an_idle_worker_can_be_polled_and_the_next_call_says_so(started):
    worker = started()
    poller = select.poll()
    poller.register(worker.pidfd, select.POLLIN)
    assert poller.poll(0) == []

    os.kill(worker.pid, signal.SIGTERM)

    assert poller.poll(BOUND_S * 1000)
    assert worker.exit_status() == -signal.SIGTERM
    text = text_of(ExtensionFailedError, lambda: worker.invoke("echo", {"value": 1}, BOUND_S))
    assert text == "acme.ext: its worker is not running: it was ended by SIGTERM"


def test_a_worker_that_is_busy_at_the_deadline_is_killed(started):
    worker = started()
    begun = monotonic()

    text = text_of(DeadlineExceededError, lambda: worker.invoke("busy", {}, 0.2))

    assert 0.2 <= monotonic() - begun < PROMPT_S
    assert text == "acme.ext: busy: no answer within 0.2 s; its worker was still busy and has been killed"
    assert worker.exit_status() == -signal.SIGKILL


def test_a_stopped_process_misses_its_deadline_and_is_killed_too(started):
    worker = started()
    os.kill(worker.pid, signal.SIGSTOP)

    text_of(DeadlineExceededError, lambda: worker.invoke("echo", {"value": "x" * 4_000_000}, 0.2))

    assert worker.exit_status() == -signal.SIGKILL


def test_a_deadline_that_has_passed_sends_nothing_and_harms_nobody(started):
    worker = started()

    assert "nothing was sent" in text_of(DeadlineExceededError, lambda: worker.invoke("busy", {}, 0.0))
    assert worker.invoke("echo", {"value": 1}, BOUND_S) == {"value": 1}


def test_the_manifests_limits_make_the_bounds_tighter(tmp_path):
    worker = WorkerProcess.start(manifest(deadline_s=0.2), str(write(tmp_path / "ext")), BOUND_S)

    assert "within 0.2 s" in text_of(DeadlineExceededError, lambda: worker.invoke("busy", {}, BOUND_S))

    endless = write(tmp_path / "endless", "while True: pass")
    text = text_of(ExtensionFailedError, lambda: WorkerProcess.start(manifest(startup_s=0.2), str(endless), BOUND_S))
    assert text == "acme.ext: it was not ready within 0.2 s and was killed"


def test_a_log_sink_that_raises_ends_the_worker_rather_than_leaving_half_a_call(started):
    def sink(*_: object) -> None:
        raise TimeoutError("a sink of another's")

    worker = started(on_log=sink)

    with pytest.raises(TimeoutError, match="a sink of another's"):
        worker.invoke("talk", {}, BOUND_S)
    assert worker.exit_status() == -signal.SIGKILL


def test_a_missing_folder_is_not_found():
    text = text_of(NotFoundError, lambda: WorkerProcess.start(manifest(), "/nonexistent/ext", BOUND_S))

    assert text == "/nonexistent/ext: there is no such folder"


# --- the end ---


def test_stop_lets_the_worker_leave_by_itself_and_is_the_same_twice(started):
    worker = started()

    worker.stop(BOUND_S)
    worker.stop(BOUND_S)

    assert worker.exit_status() == 0


def test_processes_that_the_extension_started_end_with_it(started):
    worker = started()
    child = worker.invoke("child", {}, BOUND_S)["pid"]
    pidfd = os.pidfd_open(child)
    try:
        worker.stop(BOUND_S)
        poller = select.poll()
        poller.register(pidfd, select.POLLIN)
        assert poller.poll(BOUND_S * 1000)
    finally:
        os.close(pidfd)
