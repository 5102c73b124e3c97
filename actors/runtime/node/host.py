"""NodeHost: the parent's side of its nodes: start them, hear them, know at once when they die.

Two threads. The spawner starts processes, which takes milliseconds; the watcher waits on every node's channel and pidfd, and
never on anything else, so that a node which hangs, floods or is stopped delays nobody. Death is what the pidfd says: a sentinel
pipe stays open as long as any grandchild has it.
"""

import contextlib
import os
import queue
import selectors
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from ..address import ActorPath
from ..clock import Clock, timestamp
from ..errors import ProtocolError, StartError
from ..events import EventLog
from ..exits import describe, exit_of_status
from ..log import Log
from ..origin import foreign
from ..run_directory import RunDirectory
from ..snapshot import ExitSnapshot
from ..transport.base import NodeAddress
from . import words
from .channel import Channel
from .launch import launch

_log = Log()

NODE_MAIN = "actors.runtime.node_process.main:run_node"
"""By name: what runs inside a node can host nodes itself, so it imports this module."""
PRELOADED = ("actors.runtime.node_process.main",)
STATUS_WAIT_S = 0.2
"""How long an exit status may take to come from the fork server after the death itself is known."""
SNAPSHOT_WAIT_S = 0.3
CLOSE_WAIT_S = 1.0


class NodeListener(Protocol):
    """Who hears of one node's life. Called on the host's threads; must not block."""

    def on_ready(self, incarnation: int) -> None:
        """The node is ready."""
        ...

    def on_exit(self, incarnation: int, ended: ExitSnapshot) -> None:
        """The node's process is dead."""
        ...


class Life:
    """One life of a node: a process, its pidfd and our end of its channel. Only the host's threads touch it."""

    def __init__(self, address: NodeAddress, listener: NodeListener) -> None:
        self.address = address
        self.listener = listener
        self.pid: int | None = None
        self.pidfd = -1
        self.channel: Channel[words.ToKernel] | None = None
        self.process: Any = None
        self.is_ready = False
        self.killed_at: float | None = None
        self.stop_asked = False
        self.has_hung_up = False
        self.refused: str | None = None
        self.exiting: ExitSnapshot | None = None
        self.snapshot: words.SnapshotReply | None = None

    def was_killed(self) -> bool:
        """Tell whether this process has killed it, or would have if there had been a process yet."""
        return self.killed_at is not None


class NodeHost:
    """The nodes that one process has started. `close` it; it owns two threads and every node's process."""

    def __init__(
        self, run_dir: RunDirectory, clock: Clock, events: EventLog, origins: dict[str, str], preload: Iterable[str]
    ) -> None:
        self._run_dir = run_dir
        self._clock = clock
        self._events = events
        self._origins = origins
        self._preload = (*PRELOADED, *preload)
        self._known: list[ActorPath] = []
        self._lives: dict[str, Life] = {}
        self._lock = threading.Lock()
        self._answered = threading.Condition(self._lock)
        self._publishing = threading.RLock()
        self._question = 0
        self._selector = selectors.DefaultSelector()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake_fd, selectors.EVENT_READ, None)
        self._arrivals: queue.SimpleQueue[Life] = queue.SimpleQueue()
        self._spawns: queue.SimpleQueue[tuple[Life, words.Boot] | None] = queue.SimpleQueue()
        self._closing = False
        self.on_routes: Callable[[list[ActorPath], list[NodeAddress]], None] = lambda _nodes, _addresses: None
        self.own_address: NodeAddress | None = None
        self._threads = [
            threading.Thread(target=self._spawn_forever, name="node-spawner", daemon=True),
            threading.Thread(target=self._watch_forever, name="node-watcher", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def register(self, path: ActorPath) -> None:
        """Make a node's path known, so that messages to it wait for its life rather than being refused as to nobody."""
        with self._lock:
            if path not in self._known:
                self._known.append(path)
        self._publish_routes()

    def unregister(self, path: ActorPath) -> None:
        """Forget a node's path."""
        with self._lock:
            self._known = [known for known in self._known if known != path]
            ended = self._lives.get(path)
            if ended is not None and ended.pidfd < 0 and ended.channel is None:
                del self._lives[path]
        self._publish_routes()

    def spawn(self, boot: words.Boot, listener: NodeListener) -> None:
        """Start a life; the listener hears how it goes."""
        life = Life(NodeAddress(boot.path, boot.incarnation, boot.endpoint), listener)
        with self._lock:
            self._lives[boot.path] = life
        self._spawns.put((life, boot))

    def ask_to_stop(self, path: str) -> None:
        """Ask a node to stop in order; one whose process is only being made hears it first of all."""
        with self._lock:
            life = self._lives.get(path)
            if life is not None and life.channel is None:
                life.stop_asked = True
        self._send(path, words.StopNode())

    def kill(self, path: str) -> None:
        """End a node's process at once."""
        with self._lock:
            life = self._lives.get(path)
        if life is not None:
            life.killed_at = self._clock.monotonic()
            self._kill_life(life)

    def kill_all(self) -> None:
        """End every node's process at once."""
        for path in list(self._lives):
            self.kill(path)

    def refresh(self, timeout_s: float = SNAPSHOT_WAIT_S) -> None:
        """Ask every ready node how it is, and wait for the answers, `timeout_s` seconds at most."""
        with self._lock:
            self._question += 1
            question = self._question
            asked = [life for life in self._lives.values() if life.is_ready]
        for life in asked:
            self._send(life.address.path, words.AskSnapshot(question))

        def all_answered() -> bool:
            return all(not life.is_ready or (life.snapshot is not None and life.snapshot.number >= question) for life in asked)

        with self._answered:
            self._answered.wait_for(all_answered, timeout_s)

    def life_of(self, path: str) -> Life | None:
        """Give the present life of a node, or None."""
        with self._lock:
            return self._lives.get(path)

    def close(self) -> None:
        """End the threads; processes that still live are killed, and their ends waited for: a second at most."""
        self.kill_all()
        with self._answered:
            self._answered.wait_for(lambda: all(life.pidfd < 0 for life in self._lives.values()), CLOSE_WAIT_S)
        self._closing = True
        self._spawns.put(None)
        self._wake()
        for thread in self._threads:
            thread.join(2.0)
        for life in list(self._lives.values()):
            self._close_life(life)
        self._selector.close()
        with self._lock:
            wake_fd, self._wake_fd = self._wake_fd, -1
        os.close(wake_fd)

    def _send(self, path: str, message: words.ToNode) -> None:
        with self._lock:
            life = self._lives.get(path)
        if life is not None and life.channel is not None and life.channel.send(message):
            self._wake()

    def _wake(self) -> None:
        # Under the lock: once this is closed, the number may be another's descriptor.
        with self._lock:
            if self._wake_fd >= 0:
                os.eventfd_write(self._wake_fd, 1)

    def _publish_routes(self) -> None:
        # One after the other: an older list that overtook a newer one would cut a node off for the rest of its life.
        with self._publishing:
            self._publish_routes_now()
        self._wake()

    def _publish_routes_now(self) -> None:
        with self._lock:
            nodes = list(self._known)
            addresses = [life.address for life in self._lives.values() if life.is_ready]
            channels = [life.channel for life in self._lives.values() if life.channel is not None]
        self.on_routes(nodes, addresses)
        if self.own_address is not None:
            addresses = [*addresses, self.own_address]
        for channel in channels:
            channel.send(words.Routes([str(node) for node in nodes], addresses))

    def _spawn_forever(self) -> None:
        while (order := self._spawns.get()) is not None:
            life, boot = order
            try:
                self._spawn(life, boot)
            except Exception as error:  # what prevents one node's start, whatever it is, must not end the starts of all others
                _log.exception("node.start_failed", node=boot.path)
                at = timestamp(self._clock.wall())
                why = f"cannot start a process: {describe(error)}"
                life.listener.on_exit(boot.incarnation, ExitSnapshot("start_failed", at=at, error=why))

    def _spawn(self, life: Life, boot: words.Boot) -> None:
        if life.was_killed():
            raise StartError("it was killed before that")
        ours, theirs = socket.socketpair()
        channel: Channel[words.ToKernel] = Channel(ours, words.ToKernel)
        try:
            channel.send(boot)
            life.process = launch(NODE_MAIN, theirs, boot.path, self._preload)
            life.pid = life.process.pid
            life.pidfd = os.pidfd_open(life.process.pid)
        except BaseException:  # whatever it was, our end of the channel is closed before it goes on
            channel.close()
            raise
        finally:
            theirs.close()
        with self._lock:
            life.channel = channel
            if life.stop_asked:
                channel.send(words.StopNode())
        # With the boot message, so that the node's actors know the others when they start.
        self._publish_routes()
        if life.was_killed():
            self._kill_life(life)
        self._arrivals.put(life)
        self._wake()

    def _watch_forever(self) -> None:
        while not self._closing:
            for key, mask in self._selector.select():
                if key.data is None:
                    os.eventfd_read(self._wake_fd)
                elif key.fd == key.data.pidfd:
                    self._on_death(key.data)
                elif mask & selectors.EVENT_READ:
                    self._on_readable(key.data)
            while not self._arrivals.empty():
                life = self._arrivals.get()
                assert life.channel is not None  # noqa: S101  # set before it arrives
                self._selector.register(life.channel, selectors.EVENT_READ, life)
                self._selector.register(life.pidfd, selectors.EVENT_READ, life)
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            lives = [life for life in self._lives.values() if life.channel is not None]
        for life in lives:
            channel = life.channel
            if channel is None or channel.fileno() not in self._selector.get_map():
                continue
            left = channel.flush()
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if left else 0)
            if self._selector.get_key(channel).events != events:
                self._selector.modify(channel, events, life)

    def _on_readable(self, life: Life) -> None:
        channel = life.channel
        if channel is None or life.has_hung_up or life.refused is not None:
            return
        try:
            messages, goes_on = channel.receive()
            for message in messages:
                self._on_message(life, message)
        except ProtocolError as error:
            self._refuse(life, str(error))
            return
        if not goes_on:
            # Its death follows; a process that only closed its channel is of no use either.
            life.has_hung_up = True
            self._selector.unregister(channel)
            if life.exiting is None:
                self._kill_life(life)

    def _on_message(self, life: Life, message: words.ToKernel) -> None:
        if life.refused is not None:
            return
        match message:
            case words.Hello(origins=origins):
                wrong = foreign(self._origins, origins)
                if wrong:
                    self._refuse(life, "; ".join(wrong))
            case words.Ready():
                with self._lock:
                    life.is_ready = True
                self._publish_routes()
                life.listener.on_ready(life.address.incarnation)
            case words.Exiting(exit=ended):
                life.exiting = ended
            case words.Report(event=event, dropped=dropped):
                self._events.adopt(event)
                if dropped:
                    self._events.publish("event.dropped", life.address.path, count=dropped)
            case words.SnapshotReply():
                with self._answered:
                    life.snapshot = message
                    self._answered.notify_all()

    def _kill_life(self, life: Life) -> None:
        with self._lock:
            if life.pidfd >= 0:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(life.pidfd, signal.SIGKILL)

    def _refuse(self, life: Life, why: str) -> None:
        _log.error("node.refused", node=life.address.path, why=why)
        life.refused = why
        self._events.publish("node.refused", life.address.path, reason=why)
        self._kill_life(life)

    def _on_death(self, life: Life) -> None:
        self._on_readable(life)
        at = timestamp(self._clock.wall())
        status = self._status_of(life)
        if life.refused is not None:
            ended = ExitSnapshot("start_failed", at=at, error=life.refused)
        elif life.exiting is not None and life.killed_at is None:
            ended = life.exiting
        else:
            ended = exit_of_status(status, at)
        if life.killed_at is not None:
            detected_ms = round((self._clock.monotonic() - life.killed_at) * 1000, 3)
            ended = ExitSnapshot(ended.reason, ended.signal, ended.exit_code, at, ended.error, detected_ms)
        with self._lock:
            life.is_ready = False
            pid = life.pid
        self._remove_socket(life)
        self._close_life(life)
        self._publish_routes()
        self._events.publish("node.exited", life.address.path, pid=pid, reason=ended.reason, signal=ended.signal)
        life.listener.on_exit(life.address.incarnation, ended)

    def _status_of(self, life: Life) -> int | None:
        life.process.join(STATUS_WAIT_S)
        status: int | None = life.process.exitcode
        # multiprocessing's word for "the fork server died and took the status along".
        return None if status == 255 else status

    def _close_life(self, life: Life) -> None:
        with self._lock:
            channel, life.channel = life.channel, None
            pidfd, life.pidfd = life.pidfd, -1
            life.pid = None
            self._answered.notify_all()
        for watched in (channel, pidfd if pidfd >= 0 else None):
            if watched is not None:
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(watched)
        if channel is not None:
            channel.close()
        if pidfd >= 0:
            os.close(pidfd)
        if life.process is not None:
            # multiprocessing keeps two pipes open until its object is closed, which it refuses while the process lives.
            with contextlib.suppress(ValueError):
                life.process.close()

    def _remove_socket(self, life: Life) -> None:
        with contextlib.suppress(OSError):
            os.unlink(life.address.endpoint.removeprefix("ipc://"))  # noqa: PTH108  # an endpoint, not a path of ours
