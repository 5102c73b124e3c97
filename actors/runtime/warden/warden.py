"""The warden: the process of `symphony up`, the last resort: it ends and restarts everything when the kernel dies.

One thread and no application code, so that hardly anything can go wrong in it. It is the subreaper of all it started: whatever
loses its parent becomes its child, and is ended and reaped. It holds the run directory's lock, which it shares with its
kernels. A kernel that is killed, or hangs, is replaced, three times in 60 s at most; one that ends in order ends the warden too.

SIGTERM and SIGINT stop the tree in order, a second one hurries, a third kills; whoever sends one is told what happens and what
the next would do. SIGHUP reloads the tree by a command of its own process, since that may take its time.
"""

import contextlib
import math
import os
import select
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil
from msgspec import Struct

from ..clock import timestamp
from ..exits import exit_of_status, signal_name
from ..kernel.plan import KernelPlan, KernelWord, WardenWord
from ..run_directory import Holder, RunDirectory
from ..supervision.shutdown_plan import ShutdownPlan, shutdown_plan
from ..supervision.spec import SupervisorSpec, decode_spec
from .descendants import become_subreaper, end_descendants
from .kernel_process import KERNEL_MODULE, KernelProcess
from .kernel_watch import EVERY_S, KernelWatch
from .service_manager import ServiceManager
from .signal_inbox import SignalInbox

PERIOD_S = 60.0
BACK_OFF_S = (0.0, 0.5, 2.0)
"""How long to wait before each restart within a period, so that a full disk or table of files has a moment to be emptied."""
GRACE_S = 0.6
"""How long what a dead kernel leaves behind may take to leave by itself."""
ORPHAN_GRACE_S = 2.0
SPAWN_PAUSE_S = 1.0
LOOK_S = 1.0
"""How often the warden looks for orphans, and whether the kernel answers."""
STOP_SPARE_S = 5.0
"""How much longer than its plan a stop may take before everything is killed: the plan is of the actors' time alone."""
KILL_AT = 3
"""Which signal kills."""


class WardenEnd(Struct, frozen=True):
    """How it all ended: in order, or with a problem."""

    ok: bool
    problem: str = ""


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


class Surroundings(NamedTuple):
    """What a warden has to do with besides its kernel.

    `say` is given a line for whoever sends signals. `reload_command` is run when SIGHUP asks for a reload; without one, that does
    nothing. `kernel_module` is what a kernel's process runs.
    """

    say: Callable[[str], None] = _to_stderr
    manager: ServiceManager = ServiceManager()
    reload_command: Sequence[str] = ()
    kernel_module: str = KERNEL_MODULE


def run_warden(
    plan: KernelPlan,
    *,
    restarts: bool = True,
    on_ready: Callable[[float], None],
    start_timeout_s: float | None = None,
    around: Surroundings | None = None,
) -> WardenEnd:
    """Run a tree until it ends; `on_ready` is told once how many seconds it took to be up.

    A tree that is not up within `start_timeout_s` seconds is ended.

    Must run in the main thread of a process without other threads: it takes over signals and children. Raises
    `RunDirectoryBusyError` or `RunDirectoryError` before anything starts.
    """
    run_dir = RunDirectory(Path(plan.run_dir))
    lock_fd = run_dir.claim()
    try:
        run_dir.sign(Holder(warden=os.getpid()))
        warden = _Warden(plan, run_dir, lock_fd, on_ready, around or Surroundings(), start_timeout_s, restarts=restarts)
        return warden.run()
    finally:
        run_dir.release()


class _Warden:
    def __init__(
        self,
        plan: KernelPlan,
        run_dir: RunDirectory,
        lock_fd: int,
        on_ready: Callable[[float], None],
        around: Surroundings,
        start_timeout_s: float | None,
        *,
        restarts: bool,
    ) -> None:
        self._start_timeout_s = start_timeout_s
        self._plan = plan
        self._run_dir = run_dir
        self._lock_fd = lock_fd
        self._around = around
        self._restarts = restarts
        self._on_ready: Callable[[float], None] | None = on_ready
        self._terminal = _has_terminal()
        self._asked_to_stop = 0
        self._kill_at: float | None = None
        self._problem = ""
        self._beat_at = 0.0
        self._reload: subprocess.Popen[bytes] | None = None
        self._reload_again = False
        self._seen_orphans: dict[int, float] = {}

    def run(self) -> WardenEnd:
        """Keep a kernel running."""
        become_subreaper()
        with SignalInbox((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)) as signals:
            return self._keep_running(signals)

    def _keep_running(self, signals: SignalInbox) -> WardenEnd:
        deaths: list[float] = []
        while True:
            self._problem = ""
            code = self._run_kernel(signals)
            end_descendants(0.0 if self._asked_to_stop >= KILL_AT else GRACE_S, self._reload)
            self._seen_orphans.clear()
            if code == 0 and self._on_ready is None:
                return WardenEnd(ok=True)
            if code == 0 or self._asked_to_stop or not self._restarts or (self._problem and self._on_ready is not None):
                self._run_dir.tidy()
                return WardenEnd(ok=False, problem=self._why_ended(code))
            how = _status_text(code) + (f" ({self._problem})" if self._problem else "")
            self._plan = msgspec.structs.replace(self._plan, ended=exit_of_status(code, timestamp(time.time())))
            now = time.monotonic()
            deaths = [at for at in deaths if at > now - PERIOD_S] + [now]
            if len(deaths) > len(BACK_OFF_S):
                self._run_dir.tidy()
                often = f"the kernel died {len(deaths)} times within {PERIOD_S:.0f} s"
                return WardenEnd(ok=False, problem=f"{often}, the last time with {how}: giving up")
            self._say(f"the kernel ended with {how}: starting another")
            self._around.manager.status(f"the kernel ended with {how}: starting another")
            if self._wait(signals, BACK_OFF_S[len(deaths) - 1]):
                self._run_dir.tidy()
                return WardenEnd(ok=False, problem=f"it was stopped after the kernel had ended with {how}")

    def _wait(self, signals: SignalInbox, seconds: float) -> bool:
        """Wait while no kernel runs, or until somebody asks to stop; tells whether somebody has."""
        until = time.monotonic() + seconds
        while not self._asked_to_stop and (left := until - time.monotonic()) > 0:
            select.select([signals], [], [], left)
            for number in signals.take():
                if self._asks_to_reload(number):
                    self._say("SIGHUP: no kernel runs now that could be reloaded")
                else:
                    self._asked_to_stop += 1
        return bool(self._asked_to_stop)

    def _why_ended(self, code: int) -> str:
        if self._asked_to_stop >= KILL_AT:
            return "everything was killed, as was asked for"
        if self._on_ready is not None and (self._asked_to_stop or code == 0):
            return "it was stopped before it was up; what had been started has been stopped"
        return self._problem or f"the kernel ended with {_status_text(code)}"

    def _run_kernel(self, signals: SignalInbox) -> int:
        """Start a kernel and wait for its end; gives its status, and 1 where it could not be started at all."""
        try:
            kernel = KernelProcess(self._plan, self._lock_fd, self._around.kernel_module)
        except OSError as error:
            self._problem = f"the kernel's process cannot be started: {error}"
            self._wait(signals, SPAWN_PAUSE_S)
            return 1
        self._kill_at = None
        try:
            return self._watch(kernel, signals)
        finally:
            kernel.close()

    def _watch(self, kernel: KernelProcess, signals: SignalInbox) -> int:
        """Wait until the kernel has died, and do what comes up meanwhile; gives its status."""
        started_at = time.monotonic()
        watch = KernelWatch(every_s=self._ask_every_s())
        with selectors.DefaultSelector() as selector:
            selector.register(kernel.pidfd, selectors.EVENT_READ)
            selector.register(kernel.words_fd, selectors.EVENT_READ)
            selector.register(signals, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(self._pause_s()):
                    if key.fileobj is signals:
                        for number in signals.take():
                            self._on_signal(number, kernel)
                    elif key.fd == kernel.words_fd:
                        self._hear(kernel, selector, watch, time.monotonic() - started_at)
                    elif key.fd == kernel.pidfd:
                        return kernel.reap()
                now = time.monotonic()
                self._look_at_kernel(kernel, watch, now)
                self._look_at_reload()
                self._look_for_orphans(kernel.pid)
                self._check_start(kernel, now - started_at)

    def _ask_every_s(self) -> float:
        return min(EVERY_S, self._around.manager.beat_s or EVERY_S)

    def _pause_s(self) -> float:
        """Give how long to wait before the next look: shorter while a start is under way that may be late."""
        pauses = [LOOK_S]
        if self._on_ready is not None and self._start_timeout_s is not None:
            pauses.append(self._start_timeout_s)
        if self._around.manager.beat_s is not None:
            pauses.append(self._around.manager.beat_s / 2)
        return min(pauses)

    def _on_signal(self, number: signal.Signals, kernel: KernelProcess) -> None:
        if self._asks_to_reload(number):
            self._begin_reload()
            return
        self._asked_to_stop += 1
        name = signal_name(number)
        match self._asked_to_stop:
            case 1:
                plan = self._shutdown_plan()
                self._say(f"{name}: stopping in order, {plan}; a second SIGTERM or SIGINT hurries, a third kills")
                self._note_stop(plan)
                kernel.tell(WardenWord.STOP)
            case 2:
                self._say(f"{name}: hurrying: no process waits for its actors any more; a third SIGTERM or SIGINT kills")
                kernel.tell(WardenWord.HURRY)
            case 3:
                self._say(f"{name}: killing everything")
                kernel.kill()

    def _asks_to_reload(self, number: signal.Signals) -> bool:
        return number == signal.SIGHUP and not (self._terminal and not _has_terminal())

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # nobody reads any more: no reason to end
            self._around.say(line)

    def _shutdown_plan(self) -> ShutdownPlan:
        spec = decode_spec(self._plan.spec)
        return shutdown_plan(spec) if isinstance(spec, SupervisorSpec) else ShutdownPlan((), 0.0)

    def _note_stop(self, plan: ShutdownPlan) -> None:
        """Take note that a stop has begun, which is given its time and no more."""
        if self._kill_at is None:
            self._around.manager.stopping(f"stopping: {plan}")
            self._kill_at = math.inf if plan.bound_s is None else time.monotonic() + plan.bound_s + STOP_SPARE_S

    def _look_at_kernel(self, kernel: KernelProcess, watch: KernelWatch, now: float) -> None:
        """See to it that the kernel answers while it should, and ends when it should."""
        if self._kill_at is not None:
            if now > self._kill_at:
                self._say("the kernel has not ended in the time that the stop may take: killing everything")
                self._problem = "it did not stop in time, and has been killed"
                self._asked_to_stop = max(self._asked_to_stop, 1)
                self._kill_at = math.inf
                kernel.kill()
        elif self._on_ready is None:
            if watch.turn(now):
                kernel.tell(WardenWord.ASK)
            if self._restarts and watch.is_hung(now):
                self._say(f"the kernel, pid {kernel.pid}, does not answer: killing it, and starting another")
                watch.answered()
                kernel.kill()

    def _check_start(self, kernel: KernelProcess, seconds: float) -> None:
        late = self._on_ready is not None and self._start_timeout_s is not None and seconds > self._start_timeout_s
        if late and not self._problem and not self._asked_to_stop:
            self._problem = f"the tree was not up within {self._start_timeout_s} s"
            kernel.kill()

    def _hear(self, kernel: KernelProcess, selector: selectors.BaseSelector, watch: KernelWatch, seconds: float) -> None:
        heard = kernel.hear()
        if not heard.goes_on:
            selector.unregister(kernel.words_fd)
        for word in heard.words:
            self._take(word, watch, seconds)

    def _take(self, word: KernelWord, watch: KernelWatch, seconds: float) -> None:
        if word.answers:
            watch.answered()
            self._beat()
        elif word.stopping:
            self._note_stop(self._shutdown_plan())
        elif word.plan is not None:
            self._plan = word.plan
        elif not word.ready:
            self._problem = word.problem
        else:
            self._around.manager.ready("running")
            if self._on_ready is not None:
                on_ready, self._on_ready = self._on_ready, None
                on_ready(seconds)

    def _beat(self) -> None:
        every_s, now = self._around.manager.beat_s, time.monotonic()
        if every_s is not None and now >= self._beat_at:
            # One question early rather than one late.
            self._beat_at = now + every_s - self._ask_every_s()
            self._around.manager.beat()

    def _begin_reload(self) -> None:
        if not self._around.reload_command or self._asked_to_stop:
            self._say(f"SIGHUP: {'it is being stopped' if self._asked_to_stop else 'this tree cannot be reloaded'}")
        elif self._reload is not None:
            self._reload_again = True
        else:
            self._say("SIGHUP: reloading")
            self._around.manager.reloading()
            try:
                self._reload = subprocess.Popen(self._around.reload_command, stdin=subprocess.DEVNULL, start_new_session=True)
            except OSError as error:
                self._say(f"cannot reload: {error}")
                self._around.manager.ready("running; the reload failed")

    def _look_at_reload(self) -> None:
        if self._reload is None or (code := self._reload.poll()) is None:
            return
        self._reload = None
        self._around.manager.ready("running" if code == 0 else "running; the reload failed")
        if self._reload_again:
            self._reload_again = False
            self._begin_reload()

    def _look_for_orphans(self, kernel_pid: int) -> None:
        """End and reap processes that have become the warden's because their parent died; they get 2 s to leave."""
        now = time.monotonic()
        own = (kernel_pid, 0 if self._reload is None else self._reload.pid)
        try:
            orphans = [child.pid for child in psutil.Process().children() if child.pid not in own]
        except (psutil.Error, OSError):  # no descriptor is left, say: the next look may have more luck
            return
        self._seen_orphans = {pid: self._seen_orphans.get(pid, now) for pid in orphans}
        for pid, since in self._seen_orphans.items():
            if now - since > ORPHAN_GRACE_S:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _has_terminal() -> bool:
    """Tell whether there is a controlling terminal: SIGHUP means a reload, unless that has just gone."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _status_text(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
