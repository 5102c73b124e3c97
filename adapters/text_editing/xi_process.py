"""XiProcess: an XI-editor's OS process, and the thread that moves bytes to and from it.

All bytes go through that one thread, which never waits for the process alone: a process that stops reading blocks no writer, one
that stops writing blocks no reader, and its end is seen at once, by the pidfd even where a grandchild holds the pipe open.
Whoever waits for an answer waits elsewhere, with a bound.
"""

import os
import select
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Final

from actors.runtime.node.orphans import LEAVES_WITHIN

LEAVE_S: Final = 1.0
"""How long a process that closed its output may take to end by itself, so that its own exit status can be told."""

RECOVERY_S: Final = 2.0
"""How long it may take to write its recovery files once its input has ended, also when its node is dead."""

KILL_S: Final = 5.0
"""How long a killed process may take to be gone; only one that is stuck in the kernel takes longer."""

_SIZE: Final = 1 << 16


class XiProcess:
    """A running process; making one starts it, and `begin` is to follow. Raises `OSError` where that cannot be done.

    It gets a session of its own, `/` as its folder, and `environment` (ours where that is None); what it says on stderr is
    appended to `log_file`, or dropped. `on_bytes` takes what it writes, and `on_end`, once, its exit status (negative: a signal;
    None: not known); both are called by the process's thread. Any thread may call the methods.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None,
        log_file: str | None,
        on_bytes: Callable[[bytes], None],
        on_end: Callable[[int | None], None],
    ) -> None:
        self._on_bytes = on_bytes
        self._on_end = on_end
        self._lock = threading.Lock()
        self._outbox: deque[memoryview] = deque()
        self._is_closing = False
        self._is_reaped = False
        self._last_progress = monotonic()
        with ExitStack() as undo:
            log = subprocess.DEVNULL if log_file is None else undo.enter_context(Path(log_file).open("ab"))
            self._process = subprocess.Popen(
                command,
                bufsize=0,
                cwd="/",
                env={**(os.environ if environment is None else environment), LEAVES_WITHIN: f"{RECOVERY_S}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self._process.pid
        assert self._process.stdin is not None  # noqa: S101  # both are pipes, which the type does not tell
        assert self._process.stdout is not None  # noqa: S101
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        with ExitStack() as undo:
            undo.callback(self._stdin.close)
            undo.callback(self._stdout.close)
            undo.callback(self._process.wait)
            undo.callback(self._process.kill)
            self._pidfd = os.pidfd_open(self.pid)
            undo.callback(os.close, self._pidfd)
            self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            undo.pop_all()
        os.set_blocking(self._stdin.fileno(), False)
        os.set_blocking(self._stdout.fileno(), False)
        self._thread = threading.Thread(target=self._run, name=f"xi-{self.pid}", daemon=True)

    @property
    def last_progress(self) -> float:
        """When the process last took or gave a byte, as `time.monotonic` counts."""
        return self._last_progress

    def begin(self) -> None:
        """Begin to move bytes: from now on the functions given are called, and `stop` is owed."""
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Have `data` written, after what was sent before; dropped once the process has ended."""
        with self._lock:
            if not self._is_reaped and not self._is_closing:
                self._outbox.append(memoryview(data))
                os.eventfd_write(self._wake, 1)

    def stop(self, grace_s: float) -> None:
        """End the process: close its input, after half of `grace_s` SIGTERM, then SIGKILL to its session.

        `on_end` is called before this returns, unless it has been or this thread is stuck; again does nothing. Not for the
        process's own thread.
        """
        with self._lock:
            self._is_closing = True
            if not self._is_reaped:
                os.eventfd_write(self._wake, 1)
        self._thread.join(grace_s / 2)
        if self._thread.is_alive():
            self._signal(signal.SIGTERM)
            self._thread.join(grace_s / 2)
        if self._thread.is_alive():
            self._kill()
            self._thread.join(KILL_S)

    def _run(self) -> None:
        try:
            self._exchange()
        finally:
            self._on_end(self._finish())

    def _exchange(self) -> None:
        """Move bytes until the process has ended or closed its output."""
        while True:
            if self._is_closing and not self._stdin.closed:
                self._stdin.close()
            poller = select.poll()
            for fd in (self._stdout.fileno(), self._wake, self._pidfd):
                poller.register(fd, select.POLLIN)
            is_writing = bool(self._outbox) and not self._stdin.closed
            if is_writing:
                poller.register(self._stdin.fileno(), select.POLLOUT)
            ready = dict(poller.poll())
            if self._wake in ready:
                os.eventfd_read(self._wake)
            if is_writing and self._stdin.fileno() in ready:
                self._write_some()
            if self._stdout.fileno() in ready:
                data = self._stdout.read(_SIZE)
                if data == b"":
                    return
                if data:
                    self._last_progress = monotonic()
                    self._on_bytes(data)
            elif self._pidfd in ready:  # and nothing is left to read: its last words count
                return

    def _write_some(self) -> None:
        with self._lock:
            chunk = self._outbox.popleft()
        try:
            written = os.write(self._stdin.fileno(), chunk[:_SIZE])
        except BlockingIOError:
            written = 0
        except BrokenPipeError:  # it will read no more; what it wrote before may still be read
            written = len(chunk)
        self._last_progress = monotonic()
        if written < len(chunk):
            with self._lock:
                self._outbox.appendleft(chunk[written:])

    def _finish(self) -> int | None:
        """Bury the process, kill what is left of its session, and free everything."""
        if not self._stdin.closed:
            self._stdin.close()
        self._gone_within(LEAVE_S)
        self._kill()  # until it is reaped, its number is no other session's
        has_gone = self._gone_within(KILL_S)
        with self._lock:
            self._is_reaped = True
            self._outbox.clear()
            os.close(self._wake)
            os.close(self._pidfd)
        self._stdout.close()
        return self._process.wait() if has_gone else None

    def _gone_within(self, wait_s: float) -> bool:
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        return bool(poller.poll(ceil(wait_s * 1000)))

    def _kill(self) -> None:
        with self._lock, suppress(ProcessLookupError, PermissionError):
            if not self._is_reaped:
                os.killpg(self.pid, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with self._lock, suppress(ProcessLookupError):
            if not self._is_reaped:
                signal.pidfd_send_signal(self._pidfd, number)
