"""A node's process: what the launched child runs, from its first line to its exit.

The main thread serves the channel to the kernel and does nothing else, so that it answers whatever the actors do. The end of the
channel's stream is the death of the kernel: the process leaves at once.
"""

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NoReturn

from ..clock import SystemClock, timestamp
from ..errors import ProtocolError
from ..event import Event
from ..exits import exit_of
from ..flight.crashes import record_crashes
from ..flight.recorder import FlightRecorder, open_recorder
from ..log import Log
from ..log_setup import set_up_logging
from ..node import words
from ..node.channel import Channel
from ..node.mark import wear_mark
from ..origin import origins_of
from ..run_directory import RunDirectory
from ..snapshot import ActorSnapshot, ExitSnapshot
from ..supervision.spec import decode_spec
from .beat import Beat
from .log_relay import LogRelay
from .stack_dump import write_stacks_to
from .system import NodeSystem

_log = Log()

LAST_WORDS_S = 1.0
HURRIED_CLOSE_S = 0.3
OUTPUT_WAIT_S = 0.2


def run_node(sock: socket.socket, at_step: Callable[[str], None] | None = None) -> NoReturn:
    """Be a node: hear from the kernel what to be, be it, and leave. Never returns.

    The kernel is told each step of the start, and so is `at_step`, just before. SIGTERM makes it leave at once, with its last
    words, and without waiting for its actors; one that comes while the node's parts are built, on the main thread, is heard once
    they are, for whoever sends it kills what does not leave in time.
    """
    os.setsid()
    # What the fork server has imported is shared with it until it is touched, and each full collection would touch all of it.
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    node = _Node(sock, at_step or _go_on)
    signal.signal(signal.SIGTERM, lambda *_: node.hurry())
    code = 1
    try:
        code = node.run()
    except BaseException as error:  # whatever it is, the kernel hears it from here or not at all
        node.fail(error)
    finally:
        # Threads of actors that hang must not keep the process; what matters has been said on the channel.
        try:
            _flush_output()
        finally:
            os._exit(code)


class _Node:
    def __init__(self, sock: socket.socket, at_step: Callable[[str], None]) -> None:
        self._at_step = at_step
        self._is_hurried = False
        self._channel: Channel[words.ToNode] = Channel(sock, words.ToNode)
        self._selector = selectors.DefaultSelector()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._channel, selectors.EVENT_READ)
        self._selector.register(self._wake_fd, selectors.EVENT_READ)
        self._system: NodeSystem | None = None
        self._ended: ExitSnapshot | None = None
        self._early: list[words.ToNode] = []
        self._stop_requested = False
        self._dropped = 0
        self._logs = LogRelay(self._wake)
        self._recorder: FlightRecorder | None = None
        self._crash_file: IO[bytes] | None = None
        self._stacks_file: IO[bytes] | None = None
        self._beat = Beat(time.monotonic())

    def hurry(self) -> None:
        """Leave soon, whatever the actors do. From a signal handler."""
        self._is_hurried = True
        self._wake()

    def fail(self, error: BaseException) -> None:
        """Say that this process itself has failed, on its main thread."""
        _log.error("node.failed", exc_info=error)
        self._say(words.Exiting(exit_of("failed", error, _now())))
        self._flush()

    def run(self) -> int:
        self._reach("connected")
        boot = self._await_boot()
        if boot is None:
            return 1
        self._reach("booted")
        wear_mark(boot.path, boot.incarnation)
        set_up_logging(self._logs.put, node=boot.path)
        self._crash_file = record_crashes(boot.flight)
        self._recorder = open_recorder(boot.flight, boot.path, SystemClock())
        if self._recorder is not None:
            self._logs.also = self._recorder.on_log
        self._stacks_file = write_stacks_to(RunDirectory(Path(boot.run_dir)).stacks_of(boot.path, boot.incarnation))
        self._say(words.Hello(os.getpid(), origins_of(boot.origins)))
        self._flush()
        self._reach("set_up")
        try:
            self._start(boot)
        except Exception as error:  # whatever prevents the start is said to the kernel, which decides what to do
            _log.exception("node.start_failed", node=boot.path)
            self._ended = exit_of("start_failed", error, _now())
        return self._serve()

    def _await_boot(self) -> words.Boot | None:
        # A spare may wait for long; the end of the stream says that nobody will need it.
        while not self._is_hurried:
            for key, _ in self._selector.select():
                if key.fileobj == self._wake_fd:
                    os.eventfd_read(self._wake_fd)
                    continue
                messages, goes_on = self._channel.receive()
                if messages and isinstance(messages[0], words.Boot):
                    self._early = messages[1:]
                    return messages[0]
                if not goes_on:
                    return None
        return None

    def _reach(self, step: str) -> None:
        self._at_step(step)
        self._say(words.StepReached(step))
        self._flush()

    def _start(self, boot: words.Boot) -> None:
        # Last, so that nothing in them takes the place of a module that the runtime itself imports.
        sys.path.extend(boot.search_path)
        self._system = NodeSystem(
            boot,
            decode_spec(boot.spec),
            on_event=self._on_event,
            on_exit=self._on_exit,
            hangs=self._beat.watch,
            recorder=self._recorder,
        )
        self._reach("built")
        for message in self._early:
            self._take(message)
        self._reach("starting")
        self._system.begin(self._on_ready)

    def _serve(self) -> int:
        while self._ended is None:
            if self._is_hurried:
                self._leave_in_a_hurry()
                return 1
            if self._stop_requested and self._system is not None:
                self._stop_requested = False
                self._system.begin_stop()
            if (beat := self._beat.take(time.monotonic())) is not None:
                self._channel.send(beat)
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._write_out() else 0)
            self._selector.modify(self._channel, events)
            for key, mask in self._selector.select(self._beat.due_in(time.monotonic())):
                if key.fileobj == self._wake_fd:
                    os.eventfd_read(self._wake_fd)
                elif mask & selectors.EVENT_READ and not self._hear():
                    return 1
        if self._system is not None:
            self._system.close()
        self._say(words.Exiting(self._ended))
        self._flush()
        return 0 if self._ended.reason in ("normal", "shutdown") else 1

    def _leave_in_a_hurry(self) -> None:
        """Say the last words first, for SIGKILL may follow; then let what waits be accounted for, in a bounded time."""
        self._say(words.Exiting(ExitSnapshot("killed", signal="SIGTERM", at=_now(), error="it was told to leave at once")))
        self._flush()
        if self._system is not None:
            closing = threading.Thread(target=self._system.close, name="node-closing", daemon=True)
            closing.start()
            closing.join(HURRIED_CLOSE_S)
        self._flush()

    def _hear(self) -> bool:
        try:
            messages, goes_on = self._channel.receive()
        except ProtocolError:
            _log.exception("channel.broken")
            return False
        for message in messages:
            self._take(message)
        return goes_on

    def _take(self, message: words.ToNode) -> None:
        match message:
            case words.Routes(nodes=nodes, addresses=addresses) if self._system is not None:
                self._system.set_routes(nodes, addresses)
            case words.AskSnapshot(number=number) if self._system is not None:
                self._say(words.SnapshotReply(number, self._system.top_snapshot()))
            case words.Reload(spec=spec) if self._system is not None:
                self._system.reload(spec)
            case words.StartAgain(path=path) if self._system is not None:
                self._system.start_again(path)
            case words.StopNode():
                self._stop_requested = True
            case words.InjectFault(path=path, kind=kind) if self._system is not None:
                self._system.inject_fault(path, kind)
            case _:
                _log.warning("channel.message_ignored", message=type(message).__name__)

    def _say(self, message: words.ToKernel) -> None:
        self._channel.send(message)
        self._wake()

    def _on_event(self, event: Event) -> None:
        # On the publisher's thread. A kernel that does not read costs events, which are counted, and never holds an actor up.
        if self._channel.send(words.Report(event, self._dropped)):
            self._dropped = 0
        else:
            self._dropped += 1
        self._wake()

    def _on_ready(self, top: ActorSnapshot) -> None:
        # On the actor's thread: the main thread writes it out.
        self._at_step("ready")
        self._say(words.SnapshotReply(0, top))
        self._say(words.Ready())

    def _on_exit(self, ended: ExitSnapshot) -> None:
        self._ended = ended
        self._wake()

    def _wake(self) -> None:
        os.eventfd_write(self._wake_fd, 1)

    def _write_out(self) -> bool:
        """Write what the channel takes, log lines after all else; True where something is left."""
        while not (is_left := self._channel.flush()) and (lines := self._logs.take()) is not None:
            if not self._channel.send(lines):
                self._logs.lose(lines)
        return is_left

    def _flush(self) -> None:
        """Write what is queued, waiting a second at most."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_WRITE)
            while self._write_out():
                if not selector.select(LAST_WORDS_S):
                    return


def _flush_output() -> None:
    """Write what has been printed, unless whoever is to read it does not."""

    def flush() -> None:
        with contextlib.suppress(Exception):  # there may be no output, or no reader: the process ends either way
            sys.stdout.flush()

    flushing = threading.Thread(target=flush, name="node-output", daemon=True)
    flushing.start()
    flushing.join(OUTPUT_WAIT_S)


def _go_on(_step: str) -> None:
    """Do nothing at a step."""


def _now() -> str:
    return timestamp(SystemClock().wall())
