"""Spawner: the one thread that starts the processes of a host's nodes, and keeps some started beforehand.

One thread that stays, because a kernel may tie a child to the thread that made it. A fork server that is lost on the way is
ended and replaced once per order: whoever ordered must not count as failed because of it. A spare is a process that is up to the
point where it waits for its boot message, so any node can be had from it; one that dies is replaced, and its lifeline ends it
with its parent.
"""

import contextlib
import os
import queue
import select
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any, NamedTuple

from ..clock import Clock, timestamp
from ..errors import StartError
from ..events import EventLog
from ..exits import describe
from ..log import Log
from ..snapshot import ExitSnapshot
from . import words
from .channel import Channel
from .launch import ForkServerLostError, end_fork_server, launch, let_go
from .life import STATUS_WAIT_S, Life
from .watcher import Watcher

_log = Log()

NODE_MAIN = "actors.runtime.node_process.main:run_node"
"""By name: what runs inside a node can host nodes itself, so it imports this module."""
PRELOADED = ("actors.runtime.node_process.main",)
CLOSE_S = 2.0
SPARE_ENDS_S = 1.0
SPARE_PAUSE_S = 0.5
"""How long a spare waits after a start: the node that begins then has more use for the time."""
SPARE_RETRY_S = 1.0


class _Started(NamedTuple):
    process: Any
    pidfd: int
    channel: Channel[words.ToKernel]


class _Order(NamedTuple):
    life: Life
    boot: words.Boot


class _SpareDied(NamedTuple):
    pid: int


class Spawner:
    """Starts processes in the order in which they are ordered. `close` it, then `end_spares` once the watcher is closed.

    On its thread, `on_started` is called with each life, or `on_failed` with what prevents it.
    """

    def __init__(
        self,
        on_started: Callable[[Life], None],
        on_failed: Callable[[Life, ExitSnapshot], None],
        watcher: Watcher,
        clock: Clock,
        events: EventLog,
        *,
        node_main: str | None,
        preload: Sequence[str],
        spares: int,
    ) -> None:
        self._on_started = on_started
        self._on_failed = on_failed
        self._watcher = watcher
        self._clock = clock
        self._events = events
        self._main = node_main or NODE_MAIN
        self._preload = (*PRELOADED, *preload)
        self._wanted_spares = spares
        self._spares: list[_Started] = []
        self._top_up_at = monotonic()
        self._lock = threading.Lock()
        self._orders: queue.SimpleQueue[_Order | _SpareDied | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="node-spawner", daemon=True)
        self._thread.start()

    def order(self, life: Life, boot: words.Boot) -> None:
        """Have a process started for a life."""
        self._orders.put(_Order(life, boot))

    def close(self) -> None:
        """End the thread, after what has been ordered; waits two seconds at most."""
        self._orders.put(None)
        self._thread.join(CLOSE_S)

    def end_spares(self) -> None:
        """End the spares, and wait until they are gone, a second at most. Nobody may watch them any more."""
        with self._lock:
            spares, self._spares = self._spares, []
        for spare in spares:
            # Its end of the channel's stream ends it, if it lives.
            spare.channel.close()
        give_up_at = monotonic() + SPARE_ENDS_S
        for spare in spares:
            if not _has_ended(spare, max(0.0, give_up_at - monotonic())):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(spare.pidfd, signal.SIGKILL)
            _discard(spare)

    def spare_pids(self) -> set[int]:
        """Give the processes that are nobody's yet. Any thread may call."""
        with self._lock:
            return {spare.process.pid for spare in self._spares}

    def _run(self) -> None:
        while True:
            try:
                order = self._orders.get(timeout=self._until_top_up())
            except queue.Empty:
                self._top_up()
                continue
            match order:
                case _Order(life, boot):
                    self._carry_out(life, boot)
                    self._top_up_at = monotonic() + SPARE_PAUSE_S
                case _SpareDied(pid):
                    self._top_up_at = monotonic() + SPARE_RETRY_S
                    self._events.publish("node.spare_died", "/", pid=pid)
                case None:
                    return

    def _until_top_up(self) -> float | None:
        if len(self._spares) >= self._wanted_spares:
            return None
        return max(0.0, self._top_up_at - monotonic())

    def _carry_out(self, life: Life, boot: words.Boot) -> None:
        try:
            self._spawn(life, boot)
        except Exception as error:  # what prevents one node's start, whatever it is, must not end the starts of all others
            _log.exception("node.start_failed", node=boot.path)
            at = timestamp(self._clock.wall())
            self._on_failed(life, ExitSnapshot("start_failed", at=at, error=f"cannot start a process: {describe(error)}"))

    def _spawn(self, life: Life, boot: words.Boot) -> None:
        if life.was_killed():
            raise StartError("it was killed before that")
        started = self._take_spare() or self._start(boot.path)
        try:
            started.channel.send(boot)
        except BaseException:  # whatever it was, nobody else knows of this process
            started.channel.close()
            _discard(started)
            raise
        life.process, life.pidfd, life.pid = started.process, started.pidfd, started.process.pid
        life.channel = started.channel
        # What was asked of it before there was anybody to ask.
        if life.stop_asked:
            started.channel.send(words.StopNode())
        if life.was_killed():
            life.kill()
        self._on_started(life)

    def _start(self, name: str) -> _Started:
        try:
            return self._launch(name)
        except ForkServerLostError as error:
            _log.warning("node.fork_server_lost", reason=str(error))
            self._events.publish("node.fork_server_lost", "/", reason=str(error))
            end_fork_server()
        try:
            return self._launch(name)
        except ForkServerLostError as error:
            raise StartError(f"the fork server was lost twice: {error}") from error

    def _launch(self, name: str) -> _Started:
        # A pair for each try: a process that was made although nobody heard of it must not share another's channel.
        ours, theirs = socket.socketpair()
        channel: Channel[words.ToKernel] = Channel(ours, words.ToKernel)
        try:
            process = launch(self._main, theirs, name, self._preload)
            return _Started(process, os.pidfd_open(process.pid or 0), channel)
        except BaseException:  # whatever it was, our end of the channel is closed before it goes on
            channel.close()
            raise
        finally:
            theirs.close()

    def _take_spare(self) -> _Started | None:
        with self._lock:
            # One that has died stays until the watcher, which sees it too, takes it away.
            found = next((spare for spare in self._spares if not _has_ended(spare, 0.0)), None)
            if found is not None:
                self._spares.remove(found)
            return found

    def _top_up(self) -> None:
        """Start one of the spares that are missing; what prevents that is no reason to stop, for nodes can be had without."""
        try:
            spare = self._start("spare")
        except Exception as error:  # as above: whatever prevents it
            _log.warning("node.no_spare", reason=describe(error))
            self._top_up_at = monotonic() + SPARE_RETRY_S
            return
        with self._lock:
            self._spares.append(spare)
        self._watcher.call(partial(self._watcher.watch, spare.pidfd, partial(self._on_spare_ended, spare)))
        self._events.publish("node.spare_started", "/", pid=spare.process.pid)

    def _on_spare_ended(self, spare: _Started, _events: int) -> None:
        # On the watcher's thread. One that is a node by now is watched as that as soon as the watcher gets to know it.
        self._watcher.forget(spare.pidfd)
        with self._lock:
            is_spare = spare in self._spares
            if is_spare:
                self._spares.remove(spare)
        if is_spare:
            self._orders.put(_SpareDied(spare.process.pid))
            spare.channel.close()
            _discard(spare)


def _has_ended(spare: _Started, within_s: float) -> bool:
    poll = select.poll()
    poll.register(spare.pidfd, select.POLLIN)
    return bool(poll.poll(within_s * 1000))


def _discard(spare: _Started) -> None:
    os.close(spare.pidfd)
    let_go(spare.process, STATUS_WAIT_S)
