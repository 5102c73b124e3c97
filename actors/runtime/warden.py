"""The warden: the process of `symphony up`, the last resort: it ends and restarts everything when the kernel dies.

One thread and no application code, so that hardly anything can go wrong in it. It is the subreaper of all it started: whatever
loses its parent becomes its child, and is ended and reaped. It holds the run directory's lock, which it shares with its
kernels. A kernel that is killed is replaced, three times in 60 s at most; one that ends in order ends the warden too.
"""

import contextlib
import ctypes
import os
import select
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from .clock import timestamp
from .exits import exit_of_status
from .kernel_plan import KernelPlan, KernelWord, encode_plan
from .run_directory import Holder, RunDirectory

PR_SET_CHILD_SUBREAPER = 36
RESTARTS, PERIOD_S = 3, 60.0
GRACE_S = 0.6
"""How long what a dead kernel leaves behind may take to leave by itself."""
KILL_WAIT_S = 5.0
ORPHAN_GRACE_S = 2.0
SPAWN_PAUSE_S = 1.0
LOOK_S = 1.0
"""How often the warden looks for orphans while the kernel lives."""


class WardenEnd(Struct, frozen=True):
    """How it all ended: in order, or with a problem."""

    ok: bool
    problem: str = ""


def run_warden(
    plan: KernelPlan, *, restarts: bool = True, on_ready: Callable[[float], None], start_timeout_s: float | None = None
) -> WardenEnd:
    """Run a tree until it ends; `on_ready` is told once how many seconds it took to be up.

    A tree that is not up within `start_timeout_s` seconds is ended.

    Must run in the main thread of a process without other threads: it takes over signals and children. SIGTERM and SIGINT stop
    the tree in order, a second one kills it. Raises `RunDirectoryBusyError` or `RunDirectoryError` before anything starts.
    """
    run_dir = RunDirectory(Path(plan.run_dir))
    lock_fd = run_dir.claim()
    try:
        run_dir.sign(Holder(warden=os.getpid()))
        return _Warden(plan, run_dir, lock_fd, on_ready, start_timeout_s).run(restarts=restarts)
    finally:
        run_dir.release()


class _Warden:
    def __init__(
        self,
        plan: KernelPlan,
        run_dir: RunDirectory,
        lock_fd: int,
        on_ready: Callable[[float], None],
        start_timeout_s: float | None,
    ) -> None:
        self._start_timeout_s = start_timeout_s
        self._plan = plan
        self._run_dir = run_dir
        self._lock_fd = lock_fd
        self._on_ready: Callable[[float], None] | None = on_ready
        self._signals = 0
        self._problem = ""
        self._seen_orphans: dict[int, float] = {}

    def run(self, *, restarts: bool) -> WardenEnd:
        """Keep a kernel running."""
        _become_subreaper()
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        try:
            return self._keep_running(wake_read, restarts=restarts)
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(wake_read)
            os.close(wake_write)

    def _keep_running(self, wake_fd: int, *, restarts: bool) -> WardenEnd:
        deaths: list[float] = []
        while True:
            self._problem = ""
            code = self._run_kernel(wake_fd)
            self._end_descendants(GRACE_S)
            if code == 0:
                return WardenEnd(ok=True)
            if self._signals or not restarts or (self._problem and self._on_ready is not None):
                self._run_dir.tidy()
                return WardenEnd(ok=False, problem=self._problem or f"the kernel ended with {_status_text(code)}")
            self._plan = msgspec.structs.replace(self._plan, ended=exit_of_status(code, timestamp(time.time())))
            now = time.monotonic()
            deaths = [at for at in deaths if at > now - PERIOD_S] + [now]
            if len(deaths) > RESTARTS:
                self._run_dir.tidy()
                return WardenEnd(ok=False, problem=f"the kernel died {len(deaths)} times within {PERIOD_S:.0f} s: giving up")

    def _run_kernel(self, wake_fd: int) -> int:
        """Start a kernel and wait for its end; gives its status, and 1 where it could not be started at all."""
        try:
            kernel = _KernelProcess(self._plan, self._lock_fd)
        except OSError as error:
            self._problem = f"the kernel's process cannot be started: {error}"
            select.select([], [], [], SPAWN_PAUSE_S)
            return 1
        try:
            return self._watch(kernel, wake_fd)
        finally:
            kernel.close()

    def _watch(self, kernel: "_KernelProcess", wake_fd: int) -> int:
        """Wait until the kernel has died, and do what comes up meanwhile; gives its status."""
        started_at = time.monotonic()
        handled = 0
        with selectors.DefaultSelector() as selector:
            selector.register(kernel.pidfd, selectors.EVENT_READ)
            selector.register(kernel.words_fd, selectors.EVENT_READ)
            selector.register(wake_fd, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(self._pause_s()):
                    if key.fd == wake_fd:
                        with contextlib.suppress(BlockingIOError):
                            os.read(wake_fd, 512)
                    elif key.fd == kernel.words_fd:
                        self._hear(kernel, selector, time.monotonic() - started_at)
                    elif key.fd == kernel.pidfd:
                        return kernel.reap()
                while handled < self._signals:
                    handled += 1
                    kernel.send(signal.SIGTERM if handled == 1 else signal.SIGKILL)
                self._look_for_orphans(kernel.pid)
                self._check_start(kernel, time.monotonic() - started_at)

    def _pause_s(self) -> float:
        """Give how long to wait before the next look: shorter while a start is under way that may be late."""
        return LOOK_S if self._on_ready is None or self._start_timeout_s is None else min(LOOK_S, self._start_timeout_s)

    def _check_start(self, kernel: "_KernelProcess", seconds: float) -> None:
        late = self._on_ready is not None and self._start_timeout_s is not None and seconds > self._start_timeout_s
        if late and not self._problem:
            self._problem = f"the tree was not up within {self._start_timeout_s} s"
            kernel.send(signal.SIGKILL)

    def _hear(self, kernel: "_KernelProcess", selector: selectors.BaseSelector, seconds: float) -> None:
        lines = kernel.read_words()
        if lines is None:
            selector.unregister(kernel.words_fd)
            return
        for word in lines:
            if not word.ready:
                self._problem = word.problem
            elif self._on_ready is not None:
                on_ready, self._on_ready = self._on_ready, None
                on_ready(seconds)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._signals += 1

    def _look_for_orphans(self, kernel_pid: int) -> None:
        """End and reap processes that have become the warden's because their parent died; they get 2 s to leave."""
        now = time.monotonic()
        try:
            orphans = [child.pid for child in psutil.Process().children() if child.pid != kernel_pid]
        except (psutil.Error, OSError):  # no descriptor is left, say: the next look may have more luck
            return
        self._seen_orphans = {pid: self._seen_orphans.get(pid, now) for pid in orphans}
        for pid, since in self._seen_orphans.items():
            if now - since > ORPHAN_GRACE_S:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)

    def _end_descendants(self, grace_s: float) -> None:
        """Wait for every descendant to leave, `grace_s` seconds at most, then kill what is left, until nothing is."""
        give_up_at = time.monotonic() + grace_s + KILL_WAIT_S
        kill_at = time.monotonic() + grace_s
        while (left := psutil.Process().children(recursive=True)) and time.monotonic() < give_up_at:
            if time.monotonic() >= kill_at:
                for process in left:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
            psutil.wait_procs(left, timeout=0.05)
            _reap_all()
        self._seen_orphans.clear()


class _KernelProcess:
    """One kernel process, its pidfd, and the two pipes to it."""

    def __init__(self, plan: KernelPlan, lock_fd: int) -> None:
        plan_read, self._plan_write = os.pipe2(os.O_CLOEXEC)
        self.words_fd, words_write = os.pipe2(os.O_CLOEXEC)
        self._buffer = b""
        self._status: int | None = None
        command = [sys.executable, "-P", "-m", "actors.runtime.kernel", str(lock_fd), str(plan_read), str(words_write)]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=(lock_fd, plan_read, words_write), start_new_session=True
            )
        finally:
            os.close(plan_read)
            os.close(words_write)
        self.pid = self._process.pid
        self.pidfd = os.pidfd_open(self.pid)
        data = encode_plan(plan)
        with contextlib.suppress(BrokenPipeError):
            os.write(self._plan_write, len(data).to_bytes(4, "big") + data)

    def read_words(self) -> list[KernelWord] | None:
        """Give what the kernel has said since, or None where it has closed the pipe."""
        data = os.read(self.words_fd, 64 * 1024)
        if not data:
            return None
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [msgspec.json.decode(line, type=KernelWord) for line in lines]

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def reap(self) -> int:
        """Give the status of the dead process: negative for a signal."""
        with contextlib.suppress(ChildProcessError):
            _, status = os.waitpid(self.pid, 0)
            self._status = os.waitstatus_to_exitcode(status)
        # Popen would wait for it again when it is collected.
        self._process.returncode = self._status if self._status is not None else -1
        return self._process.returncode

    def close(self) -> None:
        """Close the descriptors; a kernel that still lives sees the end of its lifeline and leaves."""
        for descriptor in (self._plan_write, self.words_fd, self.pidfd):
            os.close(descriptor)


def _become_subreaper() -> None:
    """Let orphaned descendants become this process's children. Linux only; elsewhere they are found by the lifelines alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap_all() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _status_text(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
