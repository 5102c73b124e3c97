"""The kernel's process: the root of the tree, the list of nodes, the events and the control socket; no application code, ever.

A warden starts it as `python -P -m actors.runtime.kernel`, with four descriptors: the lock of the run directory, a pipe that the
warden's words come through, and that stays open as long as the warden lives, a pipe for the kernel's words, and the plan, a file.
When the warden dies, the kernel kills everything and leaves, also where it is stopped then. The main thread only waits and
decides; everything else has threads of its own.
"""

import contextlib
import ctypes
import os
import selectors
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec
import psutil
import structlog

from ..clock import SystemClock, seconds_of
from ..control.server import ControlServer
from ..errors import ActorRuntimeError
from ..future import Future
from ..kernel_records import KernelRecords
from ..run_directory import Holder, RunDirectory
from ..supervision.kernel_tree import check_kernel_tree
from ..supervision.spec import SupervisorSpec, decode_spec
from ..system import ActorSystem
from .answers import KernelAnswers
from .event_record import EventRecord, rotate
from .life_record import read_lives
from .plan import KernelPlan, KernelWord, WardenWord, decode_plan

_log = structlog.get_logger("actors.runtime")

PR_SET_PDEATHSIG = 1
HURRY_EVERY_S = 0.25
"""How often nodes are told to leave at once, so that one hears it that a supervisor has started since."""
ORPHANS_WAIT_S = 0.7
"""How long processes below a killed node may take to leave by themselves: xi writes recovery files when its input ends."""

EXIT_STOPPED, EXIT_FAILED, EXIT_REFUSED = 0, 1, 3


class Kernel:
    """One kernel's life."""

    def __init__(
        self,
        plan: KernelPlan,
        run_dir: RunDirectory,
        warden: int,
        *,
        at_step: Callable[[str], None] | None = None,
        records: KernelRecords | None = None,
    ) -> None:
        self._plan = plan
        self._run_dir = run_dir
        self._warden = warden
        self._at_step = at_step or _go_on
        self._stop_requested = False
        self._is_hurried = False
        self._has_answer = False
        spec = check_kernel_tree(decode_spec(plan.spec))
        self._telling = threading.Lock()
        self._system = _system_of(plan, spec, run_dir, records)
        self._system.take_over(read_lives(run_dir), plan.ended)
        self._record = EventRecord(run_dir, self._system.events, self._system.lives)
        if self._at_step is not _go_on:
            # The supervisors' steps are steps too; events tell of them, as they are taken.
            self._system.events.listen(lambda event: self._at_step(f"{event.type}:{event.path}"))
        self._words_fd = -1
        self._answers = KernelAnswers(plan, spec, self._system, warden, self._tell_warden)
        self._server = ControlServer(run_dir.control_socket, self._answers.answer, self._system.events)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._at_step("assembled")

    def run(self, lifeline_fd: int, words_fd: int) -> int:
        """Start the tree, keep it, stop it; gives the exit code."""
        self._words_fd = words_fd
        self._system.events.publish("kernel.started", "/", pid=os.getpid(), warden=self._warden, **_end_before(self._plan))
        self._answers.publish_warnings()
        self._system.begin().add_done_callback(self._on_started)
        self._system.ended.add_done_callback(lambda _: self._wake())
        self._at_step("begun")
        with selectors.DefaultSelector() as selector:
            selector.register(lifeline_fd, selectors.EVENT_READ)
            selector.register(self._wake_fd, selectors.EVENT_READ)
            while not self._system.ended.is_resolved():
                for key, _ in selector.select(HURRY_EVERY_S if self._is_hurried else None):
                    if key.fd == lifeline_fd:
                        self._hear_warden(lifeline_fd)
                    else:
                        os.eventfd_read(self._wake_fd)
                if self._has_answer:
                    self._has_answer = False
                    self._tell_warden(KernelWord(ready=self._answers.is_started, answers=True))
                if self._stop_requested:
                    self._stop_requested = False
                    self._at_step("stop_requested")
                    self._system.begin_stop()
                if self._is_hurried:
                    self._system.hurry_nodes()
        return self._finish()

    def request_stop(self) -> None:
        """Stop the tree in order, soon. A signal handler calls, so nothing here takes a lock."""
        self._stop_requested = True
        self._wake()

    def _hear_warden(self, lifeline_fd: int) -> None:
        said = os.read(lifeline_fd, 64)
        if not said:
            self._die_with_warden()
        if WardenWord.ASK.value in said:
            # Answered once the root and the nodes' watcher have taken a turn: nothing heals where one of them hangs.
            self._system.supervisor.probe().add_done_callback(self._on_root_probed)
        self._is_hurried = self._is_hurried or WardenWord.HURRY.value in said
        # A signal may have asked already.
        self._stop_requested = self._stop_requested or self._is_hurried or WardenWord.STOP.value in said

    def _on_root_probed(self, answer: "Future[None]") -> None:
        if answer.error() is None:
            self._system.probe_nodes(self._on_probed)

    def _on_probed(self) -> None:
        self._has_answer = True
        self._wake()

    def _on_started(self, started: "Future[None]") -> None:
        error = started.error()
        self._answers.is_started = error is None
        self._tell_warden(KernelWord(ready=error is None, problem="" if error is None else str(error)))
        if error is None:
            self._system.events.publish("kernel.ready", "/", pid=os.getpid())
            self._at_step("started")

    def _tell_warden(self, word: KernelWord) -> None:
        with self._telling:  # words of more than a page would mix
            _say(self._words_fd, word)

    def _finish(self) -> int:
        ended = self._system.ended.get()
        self._at_step("stopped")
        self._server.close()
        self._system.close()
        self._system.events.publish("kernel.stopped", "/", reason=ended.reason, error=ended.error)
        self._record.close()
        if ended.reason in ("normal", "shutdown"):
            self._run_dir.tidy()
            self._at_step("tidied")
            return EXIT_STOPPED
        _log.error("kernel.failed", error=ended.error)
        if self._answers.is_started:
            self._tell_warden(KernelWord(ready=False, problem=f"the root ended: {ended.error or ended.reason}"))
        return EXIT_FAILED if self._answers.is_started else EXIT_REFUSED

    def _die_with_warden(self) -> NoReturn:
        """End every process below, and this one: without a warden, nobody would restart or end them."""
        try:
            _log.error("kernel.warden_died", warden=self._warden)
            below = psutil.Process().children(recursive=True)
            self._system.kill_nodes()
            _, left = psutil.wait_procs(below, timeout=ORPHANS_WAIT_S)
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self._run_dir.tidy()
        finally:
            # Whatever went wrong, the nodes see the end of their channels when this process is gone.
            os._exit(EXIT_FAILED)

    def _wake(self) -> None:
        os.eventfd_write(self._wake_fd, 1)


def _system_of(plan: KernelPlan, spec: SupervisorSpec, run_dir: RunDirectory, records: KernelRecords | None) -> ActorSystem:
    return ActorSystem(
        plan.system,
        spec,
        run_dir=run_dir,
        packages=plan.packages,
        preload=plan.preload,
        search_path=plan.search_path,
        records=records,
        node_main=plan.node_main,
        spares=plan.spares,
        adopts_orphans=True,
    )


def _end_before(plan: KernelPlan) -> dict[str, object]:
    """Give what is told of the kernel before this one, which could not tell it itself."""
    ended = plan.ended
    if ended is None or not ended.at:
        return {}
    return {"reason": ended.reason, "signal": ended.signal, "error": ended.error, "ended_at": seconds_of(ended.at)}


def _go_on(_step: str) -> None:
    """Do nothing at a step: a test may have something to do there."""


def _say(words_fd: int, word: KernelWord) -> None:
    left = memoryview(msgspec.json.encode(word) + b"\n")
    with contextlib.suppress(OSError):
        while left:
            left = left[os.write(words_fd, left) :]


def _read_plan(plan_fd: int) -> KernelPlan:
    with os.fdopen(plan_fd, "rb") as file:
        return decode_plan(file.read())


def _wake_with_warden_s_end(warden: int) -> bool:
    """Have this process go on, where it is stopped, when the warden dies; tells whether the warden lives.

    SIGCONT, not SIGKILL: a kernel that goes on hears of the warden's end, and ends what would otherwise stay. Linux only.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT, 0, 0, 0)
    return os.getppid() == warden


def main(arguments: list[str], *, at_step: Callable[[str], None] = _go_on) -> int:
    """Be a kernel: `LOCK_FD LIFELINE_FD WORDS_FD PLAN_FD WARDEN`, the last the warden's pid. Gives the exit code.

    `at_step` is called with the name of each step on the way, for tests that end a kernel in the middle of one.
    """
    lock_fd, lifeline_fd, words_fd, plan_fd, warden = (int(argument) for argument in arguments)
    for descriptor in (lock_fd, lifeline_fd, words_fd, plan_fd):
        os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not _wake_with_warden_s_end(warden):
        return EXIT_FAILED
    try:
        plan = _read_plan(plan_fd)
        at_step("plan_read")
        run_dir = RunDirectory(Path(plan.run_dir))
        run_dir.claim(inherited_fd=lock_fd)
        at_step("claimed")
        run_dir.sign(Holder(kernel=os.getpid(), warden=warden))
        run_dir.sweep()
        rotate(run_dir)
        records = KernelRecords(run_dir, SystemClock())
        kernel = Kernel(plan, run_dir, warden, at_step=at_step, records=records)
    except (ActorRuntimeError, OSError, msgspec.MsgspecError) as error:
        _say(words_fd, KernelWord(ready=False, problem=str(error)))
        return EXIT_REFUSED
    signal.signal(signal.SIGTERM, lambda *_: kernel.request_stop())
    try:
        return kernel.run(lifeline_fd, words_fd)
    finally:
        records.close()
