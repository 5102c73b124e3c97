"""The kernel's process: the root of the tree, the list of nodes, the events and the control socket; no application code, ever.

A warden starts it as `python -P -m actors.runtime.kernel`, with three descriptors: the lock of the run directory, a pipe that
the plan comes through and that stays open as long as the warden lives, and a pipe for the kernel's words. When the warden dies,
the kernel kills everything and leaves. The main thread only waits and decides; everything else has threads of its own.
"""

import contextlib
import os
import selectors
import signal
import sys
from pathlib import Path
from typing import NoReturn

import msgspec
import psutil
import structlog

from .address import name_of, parse_path
from .control import words
from .control.server import ControlServer
from .errors import ActorRuntimeError, NoSuchActorError, NotBuiltError, RejectedError, SpecError
from .event_record import EventRecord, read_lives, rotate
from .future import Future
from .kernel_plan import KernelPlan, KernelWord, decode_plan
from .log_setup import set_up_logging
from .run_directory import Holder, RunDirectory
from .snapshot import ActorSnapshot, TreeSnapshot, Warden
from .supervision.spec import SupervisorSpec, decode_spec
from .system import ActorSystem
from .wire.codec import UNTYPED

_log = structlog.get_logger("actors.runtime")

PLAN_WAIT_S = 10.0
STOP_WAIT_S = 30.0
ORPHANS_WAIT_S = 0.7
"""How long processes below a killed node may take to leave by themselves: xi writes recovery files when its input ends."""

EXIT_STOPPED, EXIT_FAILED, EXIT_REFUSED = 0, 1, 3


class Kernel:
    """One kernel's life."""

    def __init__(self, plan: KernelPlan, run_dir: RunDirectory, warden: int) -> None:
        self._run_dir = run_dir
        self._warden = warden
        self._stop_requested = False
        spec = decode_spec(plan.spec)
        if not isinstance(spec, SupervisorSpec):
            raise SpecError("the root of a tree is a supervisor")
        self._system = ActorSystem(plan.system, spec, run_dir=run_dir, packages=plan.packages, preload=plan.preload)
        self._system.take_over(read_lives(run_dir), plan.ended)
        self._record = EventRecord(run_dir, self._system.events, self._system.lives)
        self._server = ControlServer(run_dir.control_socket, self._answer, self._system.events)
        self._started = False
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def run(self, lifeline_fd: int, words_fd: int) -> int:
        """Start the tree, keep it, stop it; gives the exit code."""
        self._system.events.publish("kernel.started", "/", pid=os.getpid(), warden=self._warden)
        self._system.begin().add_done_callback(lambda started: self._on_started(started, words_fd))
        self._system.ended.add_done_callback(lambda _: self._wake())
        with selectors.DefaultSelector() as selector:
            selector.register(lifeline_fd, selectors.EVENT_READ)
            selector.register(self._wake_fd, selectors.EVENT_READ)
            while not self._system.ended.is_resolved():
                for key, _ in selector.select():
                    if key.fd == lifeline_fd:
                        self._die_with_warden()
                    os.eventfd_read(self._wake_fd)
                    if self._stop_requested:
                        self._stop_requested = False
                        self._system.begin_stop()
        return self._finish()

    def request_stop(self) -> None:
        """Stop the tree in order, soon. A signal handler calls, so nothing here takes a lock."""
        self._stop_requested = True
        self._wake()

    def _on_started(self, started: "Future[None]", words_fd: int) -> None:
        error = started.error()
        self._started = error is None
        _say(words_fd, KernelWord(ready=error is None, problem="" if error is None else str(error)))
        if error is None:
            self._system.events.publish("kernel.ready", "/", pid=os.getpid())

    def _finish(self) -> int:
        ended = self._system.ended.get()
        self._server.close()
        self._system.close()
        self._record.close()
        if ended.reason in ("normal", "shutdown"):
            self._run_dir.tidy()
            return EXIT_STOPPED
        _log.error("kernel.failed", error=ended.error)
        return EXIT_FAILED if self._started else EXIT_REFUSED

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

    def _answer(self, question: words.Question) -> words.Reply:
        """Answer a client; on its connection's thread."""
        match question:
            case words.Ping():
                return words.Pong(words.VERSION, os.getpid(), self._warden, self._system.name, self._started)
            case words.GetTree():
                return words.Tree(self._tree())
            case words.KillNode(path):
                return self._kill(path)
            case words.StartAgain(path):
                return self._start_again(path)
            case words.Stop(now):
                return self._begin_stop(now=now)
            case words.Ask():
                return self._ask(question)
            case words.FollowEvents():
                raise NotBuiltError("the control server follows events itself")

    def _tree(self) -> TreeSnapshot:
        return msgspec.structs.replace(self._system.snapshot(), warden=Warden(self._warden))

    def _kill(self, path: str) -> words.Reply:
        tree = self._system.snapshot()
        found = tree.root.find(parse_path(path))
        if found is None:
            raise NoSuchActorError(f"nobody lives at {path}")
        if found.pid is None:
            raise NoSuchActorError(f"{path} has no process now: it is {found.state}")
        paths = [actor.path for actor in tree.root.walk() if actor.pid == found.pid]
        if found.pid == os.getpid():
            raise RejectedError(f"{path} runs in the kernel itself, which everything else hangs on: use `symphony down --now`")
        self._system.kill_node(found.node)
        return words.Killed(found.pid, paths)

    def _start_again(self, path: str) -> words.Reply:
        found = self._system.snapshot().root.find(parse_path(path))
        if found is None:
            raise NoSuchActorError(f"nobody lives at {path}")
        if path.count("/") != 1 or path == "/":
            raise NotBuiltError(f"{path}: to restart what is no child of `/` is not built yet")
        if found.state not in ("parked", "stopped", "restarting"):
            raise RejectedError(f"{path} is {found.state}: `symphony kill {path}` ends its process, and it is restarted")
        self._system.restart(name_of(parse_path(found.path)))
        return words.Started(path)

    def _begin_stop(self, *, now: bool) -> words.Reply:
        tree = self._system.snapshot()
        pids = sorted({pid for actor in tree.root.walk() for pid in _pids_of(actor)} | {self._warden})
        # The stop first: a supervisor that is not stopping yet would start a killed node again.
        self._system.begin_stop()
        if now:
            self._system.kill_nodes()
        return words.Stopping(pids)

    def _ask(self, question: words.Ask) -> words.Reply:
        ref = self._system.ref(question.path)
        try:
            answer = self._system.ask_encoded(ref.path, question.tag or UNTYPED, question.body, question.timeout_s)
            return words.Answer(answer.get())
        except ActorRuntimeError as error:
            kind = getattr(error, "kind", None)
            if kind is None:
                raise
            return words.Refused(kind, getattr(error, "text", str(error)), declared=True)


def _pids_of(actor: ActorSnapshot) -> list[int]:
    pids = [] if actor.pid is None else [actor.pid]
    return pids if actor.os_process is None else [*pids, actor.os_process.pid]


def _say(words_fd: int, word: KernelWord) -> None:
    with contextlib.suppress(OSError):
        os.write(words_fd, msgspec.json.encode(word) + b"\n")


def _read_plan(lifeline_fd: int) -> KernelPlan:
    """Read the plan: its length in four bytes, then itself."""
    with selectors.DefaultSelector() as selector:
        selector.register(lifeline_fd, selectors.EVENT_READ)
        data = b""
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
            if not selector.select(PLAN_WAIT_S):
                raise SpecError(f"no plan came within {PLAN_WAIT_S} s")
            more = os.read(lifeline_fd, 1024 * 1024)
            if not more:
                raise SpecError("the plan's pipe ended too early")
            data += more
        return decode_plan(data[4:])


def main(arguments: list[str]) -> int:
    """Be a kernel: `LOCK_FD LIFELINE_FD WORDS_FD`. Gives the exit code."""
    lock_fd, lifeline_fd, words_fd = (int(argument) for argument in arguments)
    for descriptor in (lock_fd, lifeline_fd, words_fd):
        os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        plan = _read_plan(lifeline_fd)
        run_dir = RunDirectory(Path(plan.run_dir))
        run_dir.claim(inherited_fd=lock_fd)
        run_dir.sign(Holder(kernel=os.getpid(), warden=os.getppid()))
        run_dir.sweep()
        rotate(run_dir)
        set_up_logging(run_dir.log_of("/"), node="kernel")
        kernel = Kernel(plan, run_dir, os.getppid())
    except (ActorRuntimeError, OSError) as error:
        _say(words_fd, KernelWord(ready=False, problem=str(error)))
        return EXIT_REFUSED
    signal.signal(signal.SIGTERM, lambda *_: kernel.request_stop())
    return kernel.run(lifeline_fd, words_fd)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Not sys.exit: threads of multiprocessing and of stuck actors must not hold an ended kernel up.
    os._exit(code)
