"""A node's process: what the launched child runs, from its first line to its exit.

The main thread serves the channel to the kernel and does nothing else, so that it answers whatever the actors do. The end of the
channel's stream is the death of the kernel: the process leaves at once.
"""

import contextlib
import faulthandler
import os
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from ..clock import SystemClock, timestamp
from ..errors import ProtocolError
from ..events import Event
from ..exits import exit_of
from ..log import Log
from ..log_setup import set_up_logging
from ..node import words
from ..node.channel import Channel
from ..origin import origins_of
from ..snapshot import ActorSnapshot, ExitSnapshot
from ..supervision.spec import decode_spec
from .system import NodeSystem

_log = Log()

BOOT_WAIT_S = 10.0
LAST_WORDS_S = 1.0


def run_node(sock: socket.socket) -> NoReturn:
    """Be a node: hear from the kernel what to be, be it, and leave. Never returns."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    node = _Node(sock)
    signal.signal(signal.SIGTERM, lambda *_: node.request_stop())
    code = 1
    try:
        code = node.run()
    finally:
        # Threads of actors that hang must not keep the process; what matters has been said on the channel.
        sys.stdout.flush()
        os._exit(code)


class _Node:
    def __init__(self, sock: socket.socket) -> None:
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

    def request_stop(self) -> None:
        """Stop in order, soon. From a signal handler."""
        self._stop_requested = True
        self._wake()

    def run(self) -> int:
        boot = self._await_boot()
        if boot is None:
            return 1
        with contextlib.suppress(OSError):
            Path(boot.log_file).parent.mkdir(mode=0o700, exist_ok=True)
        set_up_logging(Path(boot.log_file), node=boot.path)
        faulthandler.enable()
        self._say(words.Hello(os.getpid(), origins_of(boot.origins)))
        self._flush()
        try:
            self._start(boot)
        except Exception as error:  # whatever prevents the start is said to the kernel, which decides what to do
            _log.exception("node.start_failed", node=boot.path)
            self._ended = exit_of("start_failed", error, _now())
        return self._serve()

    def _await_boot(self) -> words.Boot | None:
        while self._selector.select(BOOT_WAIT_S):
            messages, goes_on = self._channel.receive()
            if messages and isinstance(messages[0], words.Boot):
                self._early = messages[1:]
                return messages[0]
            if not goes_on:
                return None
        return None

    def _start(self, boot: words.Boot) -> None:
        self._system = NodeSystem(boot, decode_spec(boot.spec), on_event=self._on_event, on_exit=self._on_exit)
        for message in self._early:
            self._take(message)
        self._system.begin(self._on_ready)

    def _serve(self) -> int:
        while self._ended is None:
            if self._stop_requested and self._system is not None:
                self._stop_requested = False
                self._system.begin_stop()
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._channel.flush() else 0)
            self._selector.modify(self._channel, events)
            for key, mask in self._selector.select():
                if key.fileobj == self._wake_fd:
                    os.eventfd_read(self._wake_fd)
                elif mask & selectors.EVENT_READ and not self._hear():
                    return 1
        if self._system is not None:
            self._system.close()
        self._say(words.Exiting(self._ended))
        self._flush()
        return 0 if self._ended.reason in ("normal", "shutdown") else 1

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
            case words.StopNode():
                self._stop_requested = True
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
        self._say(words.SnapshotReply(0, top))
        self._say(words.Ready())

    def _on_exit(self, ended: ExitSnapshot) -> None:
        self._ended = ended
        self._wake()

    def _wake(self) -> None:
        os.eventfd_write(self._wake_fd, 1)

    def _flush(self) -> None:
        """Write what is queued, waiting a second at most."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_WRITE)
            while self._channel.flush():
                if not selector.select(LAST_WORDS_S):
                    return


def _now() -> str:
    return timestamp(SystemClock().wall())
