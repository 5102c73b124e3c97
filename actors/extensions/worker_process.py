"""The host's side of one extension's worker process: start it, call it, notice its death, end it.

Everything blocks with a bound, and waits on the channel and on the process at once, so that a death is an answer, not a timeout.
A worker that breaks a rule, dies, or is still busy at a deadline cannot be trusted with another call: it is killed, with every
process of its session, and what it held is freed before the error is raised.
"""

import os
import select
import shlex
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from difflib import get_close_matches
from math import ceil, inf
from pathlib import Path
from socket import socketpair
from time import monotonic
from typing import cast

import msgspec

import symphony
import symphony.sdk
from symphony.domain.errors import (
    DeadlineExceededError,
    ExtensionFailedError,
    InvalidRequestError,
    NotBuiltError,
    NotFoundError,
    SymphonyError,
    UnavailableError,
)
from symphony.domain.extension import Manifest
from symphony.ports.extension import Value
from symphony.sdk.channel import Channel, MalformedFrameError, UnsendableError
from symphony.sdk.launch import Command, worker_command
from symphony.sdk.message import LOADING, PROTOCOL, Failed, FromWorker, Hello, Invoke, Log, Refused, Result, Stop

MAX_TAIL = 4096
"""The most bytes of a worker's last output that an error quotes."""

MAX_TEXT = 32 * 1024
"""The most characters of a worker's own words that an error quotes."""

KILL_WAIT_S = 5.0
"""How long a killed process may take to be gone; only one that is stuck in the kernel takes longer."""

LEAVE_WAIT_S = 1.0
"""How long a worker that closed its channel may take to end, so that its own exit status can be told."""

_LONGEST_POLL_S = 3600.0
_READ_SIZE = 256 * 1024

LogSink = Callable[[str, Mapping[str, object]], None]
"""Takes the event and the fields of one record that the extension logged."""

CommandFor = Callable[[int], Command]
"""Gives the command of a worker that speaks on the socket of that number."""


class _LostWorkerError(Exception):
    """The worker died, hung up or broke the protocol; the text says which, or nothing where its end says it."""


class _LateError(Exception):
    """The deadline has passed. Not TimeoutError, which a log sink might raise for reasons of its own."""


class WorkerProcess:
    """A running worker, made by `start`. Use it from one thread at a time; whoever started it must `stop` it.

    `operations` maps the name of each operation to the names of its parameters; `pid` stays when the process has ended.
    """

    def __init__(self, name: str, command_for: CommandFor, *, deadline_s: float, log_fd: int | None, on_log: LogSink) -> None:
        if not hasattr(os, "pidfd_open"):
            raise NotBuiltError(f"{name}: extensions are built for Linux 5.3 and later only")
        self.operations: Mapping[str, tuple[str, ...]] = {}
        self._name = name
        self._on_log = on_log
        self._log_fd = log_fd
        self._log_start = 0 if log_fd is None else os.fstat(log_fd).st_size
        self._deadline_s = deadline_s
        self._channel: Channel[FromWorker] = Channel(FromWorker)
        self._unsent = bytearray()
        self._inbox: deque[FromWorker] = deque()
        self._correlation = LOADING
        self._exit_status: int | None = None
        with ExitStack() as undo:
            self._socket, theirs = socketpair()
            undo.callback(self._socket.close)
            with theirs:
                command = command_for(theirs.fileno())
                self._process = self._popen(command, theirs.fileno())
            undo.callback(self._process.wait)
            undo.callback(self._process.kill)
            self._pidfd = os.pidfd_open(self._process.pid)
            self._socket.setblocking(False)
            undo.pop_all()
        self.pid = self._process.pid
        self.command = shlex.join(command.argv)

    def _popen(self, command: Command, fd: int) -> "subprocess.Popen[bytes]":
        output = subprocess.DEVNULL if self._log_fd is None else self._log_fd
        try:
            return subprocess.Popen(
                command.argv,
                env=command.env,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(fd,),
                start_new_session=True,
            )
        except OSError as error:
            raise UnavailableError(f"{self._name}: its process cannot be started: {error}") from error

    @classmethod
    def start(
        cls,
        manifest: Manifest,
        directory: str,
        start_timeout_s: float,
        *,
        log_fd: int | None = None,
        on_log: LogSink = lambda _event, _fields: None,
    ) -> "WorkerProcess":
        """Start the extension in `directory` and give its worker once that is ready, within `start_timeout_s` seconds.

        The manifest's `startup` and `deadline` can make the bounds tighter, never wider. What the extension prints goes to
        `log_fd`, which stays the caller's, and is dropped where there is none; opened for reading too, errors quote its end.
        `on_log` is called with each record that the extension logs, by the thread that is in `start`, `invoke` or `stop`.

        Raises `NotFoundError` (no such folder), `UnavailableError` (no process can be started), `NotBuiltError` (not on this
        platform) and `ExtensionFailedError` (it did not become ready); nothing is left running then.
        """
        folder = Path(directory)
        if not folder.is_dir():
            raise NotFoundError(f"{directory}: there is no such folder")

        def command_for(fd: int) -> Command:
            return worker_command(executable=sys.executable, fd=fd, directory=folder.resolve(), entry=manifest.entry)

        timeout_s = min(start_timeout_s, inf if manifest.startup_s is None else manifest.startup_s)
        deadline_s = inf if manifest.deadline_s is None else manifest.deadline_s
        return cls.spawn(manifest.id, command_for, timeout_s, deadline_s=deadline_s, log_fd=log_fd, on_log=on_log)

    @classmethod
    def spawn(
        cls,
        name: str,
        command_for: CommandFor,
        start_timeout_s: float,
        *,
        deadline_s: float = inf,
        log_fd: int | None = None,
        on_log: LogSink = lambda _event, _fields: None,
    ) -> "WorkerProcess":
        """Start any command that speaks the worker's side of the channel, as `start` does and with its errors."""
        worker = cls(name, command_for, deadline_s=deadline_s, log_fd=log_fd, on_log=on_log)
        late = f"{name}: it was not ready within {start_timeout_s:g} s and was killed"
        with worker._ending_on_failure("before it was ready", ExtensionFailedError(late)):
            worker._greet(worker._next_message(monotonic() + start_timeout_s))
        return worker

    @property
    def pidfd(self) -> int:
        """A descriptor that is readable once the process has ended; -1 when `exit_status` has told it."""
        return self._pidfd

    def fileno(self) -> int:
        """Give the channel's descriptor, readable when the worker logs or hangs up; -1 when the process has ended."""
        return self._socket.fileno()

    def exit_status(self) -> int | None:
        """Give how the process ended, a negative number being a signal, and free what it held; None while it runs."""
        if self._exit_status is None and self._gone_within(0):
            self._free()
        return self._exit_status

    def invoke(self, operation: str, arguments: Mapping[str, Value], deadline_s: float) -> dict[str, Value]:
        """Call `operation` and give its outputs, within `deadline_s` seconds or the manifest's `deadline`.

        Raises `NotFoundError` (no such operation), `InvalidRequestError` (refused arguments), `ExtensionFailedError` (it raised,
        and lives; or the process ended: see `exit_status`) and `DeadlineExceededError` (it was busy and has been killed).
        """
        if self.exit_status() is not None:
            raise ExtensionFailedError(f"{self._name}: its worker is not running: it {_how(self._exit_status)}{self._tail()}")
        if operation not in self.operations:
            close = get_close_matches(operation, self.operations, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; it has {', '.join(self.operations)}"
            raise NotFoundError(f"{self._name}: it has no operation {operation}{hint}")
        within_s = min(deadline_s, self._deadline_s)
        if not within_s > 0:
            raise DeadlineExceededError(f"{self._name}: {operation}: the deadline had passed before the call; nothing was sent")
        self._correlation += 1
        try:
            self._unsent += self._channel.encode(Invoke(self._correlation, operation, dict(arguments)))
        except UnsendableError as error:
            raise InvalidRequestError(f"{self._name}: {operation}: arguments{error}") from error
        late = f"{self._name}: {operation}: no answer within {within_s:g} s; its worker was still busy and has been killed"
        with self._ending_on_failure(f"during {operation}", DeadlineExceededError(late)):
            answer = self._next_message(monotonic() + within_s)
            if isinstance(answer, Hello | Log) or answer.correlation != self._correlation:
                raise _LostWorkerError("answered what was not asked")
        return self._outputs(operation, answer)

    def stop(self, grace_s: float) -> None:
        """End the worker: ask it, after half of `grace_s` seconds SIGTERM, then SIGKILL to its session; again does nothing."""
        if self._exit_status is not None:
            return
        try:
            deadline = monotonic() + grace_s / 2
            self._unsent += self._channel.encode(Stop())
            with suppress(_LateError, _LostWorkerError, MalformedFrameError):
                while True:  # reading on, since a worker that is blocked on a full channel reads no Stop
                    self._exchange(deadline)
                    self._inbox.clear()
            if not self._gone_within(deadline - monotonic()):
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)
                self._gone_within(grace_s / 2)
        finally:
            self._free()

    def _greet(self, hello: FromWorker) -> None:
        if isinstance(hello, Failed):
            raise ExtensionFailedError(f"{self._name}: it cannot be loaded: {_words(hello)}")
        if not isinstance(hello, Hello):
            raise _LostWorkerError("did not say hello")
        if hello.protocol != PROTOCOL:
            raise _LostWorkerError(f"speaks version {hello.protocol} of the worker channel, not {PROTOCOL}")
        for package in (symphony, symphony.sdk, msgspec):
            loaded, ours = hello.origins.get(package.__name__), str(package.__file__)
            if loaded != ours:
                raise _LostWorkerError(f"has loaded {package.__name__} from {loaded}, not from {ours}")
        names = (*hello.operations, *(name for parameters in hello.operations.values() for name in parameters))
        if not hello.operations or not all(name.isidentifier() for name in names):
            raise _LostWorkerError(f"has no operations that can be called: {', '.join(hello.operations) or 'none'}")
        self.operations = dict(hello.operations)

    def _outputs(self, operation: str, answer: Result | Refused | Failed) -> dict[str, Value]:
        match answer:
            case Result(value=value):
                return cast("dict[str, Value]", value)  # the channel takes plain data only
            case Refused(text=text):
                problems = _printable(text[:MAX_TEXT]).splitlines() or ["it refused its arguments and did not say why"]
                raise InvalidRequestError(*(f"{self._name}: {operation}: {problem}" for problem in problems))
            case Failed():
                raise ExtensionFailedError(f"{self._name}: {operation}: it raised {_words(answer)}")

    def _next_message(self, deadline: float) -> FromWorker:
        while not self._inbox:
            self._exchange(deadline)
        message = self._inbox.popleft()
        if self._inbox:
            raise _LostWorkerError("answered what was not asked")
        return message

    def _exchange(self, deadline: float) -> None:
        """Send and receive once, or wait. Raises `_LateError`, `_LostWorkerError` and `MalformedFrameError`."""
        wait_s = deadline - monotonic()
        if wait_s <= 0:
            raise _LateError
        poller = select.poll()
        poller.register(self._socket, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        poller.register(self._pidfd, select.POLLIN)
        ready = dict(poller.poll(ceil(min(wait_s, _LONGEST_POLL_S) * 1000)))
        events = ready.get(self._socket.fileno(), 0)
        if events & select.POLLOUT:
            self._send_some()
        if events & ~select.POLLOUT:
            self._receive_some()
        elif self._pidfd in ready:  # and nothing is left to read: its last words count
            raise _LostWorkerError

    def _send_some(self) -> None:
        try:
            sent = self._socket.send(bytes(self._unsent[:_READ_SIZE]))
        except BlockingIOError:
            return
        except ConnectionError:  # it will not read this; what it wrote before may still be read
            sent = len(self._unsent)
        del self._unsent[:sent]

    def _receive_some(self) -> None:
        try:
            data = self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            left = self._gone_within(LEAVE_WAIT_S)
            raise _LostWorkerError("" if left else "closed its channel")
        self._channel.feed(data)
        while (message := self._channel.next_message()) is not None:
            if isinstance(message, Log):
                fields = {key: _printable(value) if isinstance(value, str) else value for key, value in message.fields.items()}
                self._on_log(_printable(message.event), fields)
            else:
                self._inbox.append(message)

    @contextmanager
    def _ending_on_failure(self, when: str, late: SymphonyError) -> Iterator[None]:
        """Kill and free the worker when the block fails, and raise what its caller is owed."""
        try:
            yield
        except _LateError:
            self._free()
            raise late from None
        except (_LostWorkerError, MalformedFrameError) as error:
            self._free()
            broke = f"sent what is no message ({error})" if isinstance(error, MalformedFrameError) else str(error)
            end = f"{_printable(broke)[:MAX_TEXT]} and was killed" if broke else _how(self._exit_status)
            raise ExtensionFailedError(f"{self._name}: its worker {end} {when}{self._tail()}") from error
        except BaseException:  # half an exchange cannot be taken up again, whatever cut it short
            self._free()
            raise

    def _gone_within(self, wait_s: float) -> bool:
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        return bool(poller.poll(ceil(min(max(wait_s, 0), _LONGEST_POLL_S) * 1000)))

    def _free(self) -> None:
        """Kill what is left of the session, reap, close; again is the same as once."""
        if self._exit_status is not None:
            return
        # The worker is not reaped yet, so its number cannot be another session's.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._socket.close()
        if not self._gone_within(KILL_WAIT_S):
            raise UnavailableError(f"{self._name}: its worker {self.pid} was killed and is still there, stuck in the kernel")
        self._exit_status = self._process.wait()
        os.close(self._pidfd)
        self._pidfd = -1

    def _tail(self) -> str:
        if self._log_fd is None:
            return ""
        try:
            size = os.fstat(self._log_fd).st_size
            start = max(self._log_start, size - MAX_TAIL)
            text = os.pread(self._log_fd, max(size - start, 0), start).decode("utf-8", "replace").strip()
        except OSError:  # a pipe, or a file that is open for writing alone
            return ""
        return f"; its last output:\n{_printable(text)}" if text else ""


def _how(exit_status: int | None) -> str:
    if exit_status is None or exit_status >= 0:
        return f"exited with status {exit_status}"
    named = {number.value: number.name for number in signal.Signals}  # real-time signals have no names
    return f"was ended by {named.get(-exit_status, f'signal {-exit_status}')}"


def _words(failed: Failed) -> str:
    return _printable(f"{failed.kind[:200]}: {failed.text[:MAX_TEXT]}\n{failed.traceback[-MAX_TEXT:]}".strip())


def _printable(text: str) -> str:
    """Give `text` with control characters escaped: an extension's words must not command the reader's terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode() for char in text)
