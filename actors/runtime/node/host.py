"""NodeHost: the parent's side of its nodes: start them, hear them, know at once when they die.

The watcher thread waits on every node's channel and pidfd, and never on anything else, so that a node which hangs, floods or is
stopped delays nobody. Death is what the pidfd says: a sentinel pipe stays open as long as any grandchild has it. Processes are
started by the `spawner`, hangs are dealt with by `hangs`, and what dead nodes leave behind is ended by `orphans`.
"""

import contextlib
import multiprocessing.resource_tracker
import selectors
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from ..address import ActorPath
from ..clock import Clock, timestamp
from ..errors import ProtocolError
from ..events import EventLog
from ..exits import describe
from ..log import Log
from ..log_writer import LogWriter
from ..origin import foreign
from ..run_directory import RunDirectory
from ..snapshot import ExitSnapshot
from ..transport.base import NodeAddress
from ..wire.framing import frame
from . import words
from .channel import CHUNKS
from .hangs import Hangs
from .launch import fork_server_pid
from .life import Life, NodeListener
from .orphans import Orphans
from .roster import Roster
from .spawner import Spawner
from .watcher import Watcher

_log = Log()

SNAPSHOT_WAIT_S = 0.3
CLOSE_WAIT_S = 1.0
LEAVE_WAIT_S = 1.0
"""How long a node that has said its last words may take to be gone; whatever keeps it, nothing more is to come of it."""
LAST_WORDS_S = 0.3
"""How long before its time is up a node that stops is told to leave at once: enough to say its last words."""
LAST_CHUNKS = 1024
"""What is read of a dead node at most, in chunks of the channel: far more than any socket holds."""


class NodeHost:
    """The nodes that one process has started. `close` it; it owns threads and every node's process.

    `node_main` is what a node's process runs (`package.module:function`), `spares` how many are started beforehand. A
    process that `adopts_orphans` is made a subreaper. Whoever depends on the host sets `on_failed`, which is called with the
    reason where the host can look after its nodes no more.
    """

    def __init__(
        self,
        run_dir: RunDirectory,
        clock: Clock,
        events: EventLog,
        origins: dict[str, str],
        preload: Sequence[str] = (),
        logs: LogWriter | None = None,
        *,
        node_main: str | None = None,
        spares: int = 0,
        adopts_orphans: bool = False,
    ) -> None:
        self._logs = logs or LogWriter()
        self._run_dir = run_dir
        self._clock = clock
        self._events = events
        self._origins = origins
        self._roster = Roster()
        self._publishing = threading.RLock()
        self._question = 0
        self.adopts = adopts_orphans
        self.on_routes: Callable[[list[ActorPath], list[NodeAddress]], None] = lambda _nodes, _addresses: None
        self.on_failed: Callable[[str], None] = lambda _reason: None
        self.own_address: NodeAddress | None = None
        self.hangs = Hangs(run_dir, clock, events)
        self._watcher = Watcher(self._turn, self._on_watcher_ended)
        self._orphans = Orphans(self._own_processes, adopts=adopts_orphans)
        self._spawner = Spawner(
            self._on_started, self._end, self._watcher, clock, events, node_main=node_main, preload=preload, spares=spares
        )
        self._watcher.begin()

    def register(self, path: ActorPath) -> None:
        """Make a node's path known, so that messages to it wait for its life rather than being refused as to nobody."""
        self._roster.register(path)
        self._publish_routes()

    def unregister(self, path: ActorPath) -> None:
        """Forget a node's path."""
        self._roster.unregister(path)
        self._publish_routes()

    def spawn(self, boot: words.Boot, listener: NodeListener, heartbeat_timeout: float | None = None) -> None:
        """Start a life; the listener hears how it goes. It is hung when it has not been heard for `heartbeat_timeout` seconds."""
        life = Life(boot, listener, heartbeat_timeout, self)
        self._roster.enter(life)
        self._spawner.order(life, boot)

    def ask_to_stop(self, path: str, within_s: float | None = None) -> None:
        """Ask a node to stop in order; one whose process is only being made hears it first of all.

        Shortly before `within_s` seconds are over, it is told to leave at once.
        """
        life = self._roster.of(path)
        if life is None:
            return
        life.stop_asked = True
        if within_s is not None:
            life.hurry_at = self.now() + within_s - min(LAST_WORDS_S, within_s / 4)
        self.send(path, words.StopNode())

    def hurry(self, path: str) -> None:
        """Tell a node to leave at once, with its last words, and without waiting for its actors."""
        life = self._roster.of(path)
        if life is not None:
            life.send_signal(signal.SIGTERM)

    def hurry_all(self) -> None:
        """Tell every node to leave at once."""
        for life in self._roster.living():
            life.send_signal(signal.SIGTERM)

    def reload(self, path: str, spec: bytes) -> None:
        """Tell a node's supervisor what it is to become, by `encode_spec`'s bytes."""
        self.send(path, words.Reload(spec))

    def kill(self, path: str) -> None:
        """End a node's process at once."""
        life = self._roster.of(path)
        if life is not None:
            life.kill()

    def kill_all(self) -> None:
        """End every node's process at once."""
        for life in self._roster.living():
            life.kill()

    def refresh(self, timeout_s: float = SNAPSHOT_WAIT_S) -> None:
        """Ask every ready node how it is, and wait for the answers, `timeout_s` seconds at most."""
        with self._roster.changed:
            self._question += 1
            question = self._question
        asked = [life for life in self._roster.present() if life.is_ready]
        for life in asked:
            self.send(life.address.path, words.AskSnapshot(question))

        def all_answered() -> bool:
            return all(not life.is_ready or (life.snapshot is not None and life.snapshot.number >= question) for life in asked)

        with self._roster.changed:
            self._roster.changed.wait_for(all_answered, timeout_s)

    def life_of(self, path: str) -> Life | None:
        """Give the present life of a node, or None."""
        return self._roster.of(path)

    def close(self) -> None:
        """End the threads and every process: those that live are killed, and waited for a second at most.

        What those leave behind has the time that it was granted, three seconds at most.
        """
        self.kill_all()
        with self._roster.changed:
            self._roster.changed.wait_for(self._roster.is_empty, CLOSE_WAIT_S)
        self._spawner.close()
        self._watcher.close()
        self.hangs.close()
        self._spawner.end_spares()
        self._orphans.close()
        for life in self._roster.living():
            self._roster.leave(life)

    def send(self, path: str, message: words.ToNode) -> None:
        """Say something to a node, if it is there."""
        life = self._roster.of(path)
        channel = None if life is None else life.channel
        if channel is not None and channel.send(message):
            self._watcher.wake()

    def probe(self, on_answer: Callable[[], None]) -> None:
        """Have `on_answer` called by the watcher's thread: one that hangs never does."""
        self._watcher.call(on_answer)

    def now(self) -> float:
        """Give the time in monotonic seconds."""
        return self._clock.monotonic()

    def on_doomed(self, life: Life) -> None:
        """Hear that a life is about to be killed: what is below it is remembered, and that it has to be gone soon."""
        if life.pid is not None:
            self._orphans.node_doomed(life.pid)
        self._watcher.wake()

    def _publish_routes(self) -> None:
        # One after the other: an older list that overtook a newer one would cut a node off for the rest of its life.
        with self._publishing:
            nodes, addresses, channels = self._roster.reachable()
            self.on_routes(nodes, addresses)
            if self.own_address is not None:
                addresses = [*addresses, self.own_address]
            routes = frame(msgspec.msgpack.encode(words.Routes([str(node) for node in nodes], addresses)))
            for channel in channels:
                channel.send_frame(routes)
        self._watcher.wake()

    def _own_processes(self) -> dict[int, str]:
        """Give the processes that this host knows of and has not given up, each with its mark."""
        tracker = getattr(multiprocessing.resource_tracker._resource_tracker, "_pid", None)  # noqa: SLF001  # no public way
        helpers = {pid for pid in (tracker, fork_server_pid()) if pid is not None}
        # In this order: a spare that becomes a node meanwhile is found twice, and not never.
        own = dict.fromkeys(helpers | self._spawner.spare_pids(), "")
        own.update({life.pid: life.mark for life in self._roster.living() if life.pid is not None})
        return own

    def _on_started(self, life: Life) -> None:
        # With the boot message, so that the node's actors know the others when they start.
        self._publish_routes()
        self._watcher.call(partial(self._watch, life))

    def _watch(self, life: Life) -> None:
        assert life.channel is not None  # noqa: S101  # set before it arrives
        self._watcher.watch(life.channel, partial(self._on_channel, life))
        self._watcher.watch(life.pidfd, partial(self._on_death, life))

    def _on_watcher_ended(self, reason: str) -> None:
        self.on_failed(reason)

    def _turn(self) -> float | None:
        """Do what is due, and give the seconds until the next is."""
        now, dues = self.now(), [self.hangs.look(self.now())]
        for life in self._roster.living():
            with _guarded(life.address.path):
                self._flush(life)
                dues.append(self._see_through(life, now))
        return min((due for due in dues if due is not None), default=None)

    def _see_through(self, life: Life, now: float) -> float | None:
        """Hurry who takes too long to stop, and report who survives being killed; gives the seconds until that is due."""
        if life.pidfd < 0:
            return None
        if life.hurry_at is not None and now >= life.hurry_at:
            life.hurry_at = None
            life.send_signal(signal.SIGTERM)
        if life.gone_by is not None and life.exiting is not None and now >= life.gone_by:
            life.gone_by = None
            life.condemn(life.exiting)
        if life.unkillable_at is not None and now >= life.unkillable_at:
            life.unkillable_at = float("inf")
            self._events.publish("node.unkillable", life.address.path, pid=life.pid)
        due = min(at for at in (life.hurry_at, life.gone_by, life.unkillable_at, float("inf")) if at is not None)
        return None if due == float("inf") else max(0.0, due - now)

    def _flush(self, life: Life) -> None:
        channel = life.channel
        if channel is not None and not life.has_hung_up:
            left = channel.flush()
            self._watcher.wait_for(channel, selectors.EVENT_READ | (selectors.EVENT_WRITE if left else 0))

    def _on_channel(self, life: Life, events: int) -> None:
        if life.channel is None or not events & selectors.EVENT_READ:
            return
        if not self._hear(life, CHUNKS):
            life.hang_up()
        if life.has_hung_up or life.refused is not None:
            self._watcher.forget(life.channel)

    def _hear(self, life: Life, chunks: int) -> bool:
        """Take what a node says; False where that was its last."""
        if life.channel is None or life.has_hung_up or life.refused is not None:
            return True
        try:
            messages, goes_on = life.channel.receive(chunks)
            for message in messages:
                self._on_message(life, message)
        except ProtocolError as error:
            self._refuse(life, str(error))
            return True
        return goes_on

    def _on_message(self, life: Life, message: words.ToKernel) -> None:
        if life.refused is not None:
            return
        path, incarnation = life.address.path, life.address.incarnation
        match message:
            case words.Hello(origins=origins):
                wrong = foreign(self._origins, origins)
                if wrong:
                    self._refuse(life, "; ".join(wrong))
            case words.StepReached(step=step):
                life.step = step
            case words.Ready():
                self._on_ready(life)
            case words.Exiting(exit=ended):
                life.exiting = ended
                life.gone_by = self.now() + LEAVE_WAIT_S
                self.hangs.forget(path, incarnation)
            case words.Beat(hung=hung):
                self.hangs.on_beat(path, incarnation, hung)
            case words.Report(event=event, dropped=dropped):
                self._events.adopt(event)
                if dropped:
                    self._events.publish("event.dropped", path, count=dropped)
            case words.LogLines(lines=lines, lost=lost):
                self._logs.put(self._run_dir.log_of(path), path, lines, lost)
            case words.SnapshotReply():
                self._roster.answer(life, message)

    def _on_ready(self, life: Life) -> None:
        life.is_ready = True
        self._publish_routes()
        life.listener.on_ready(life.address.incarnation)
        self.hangs.watch(life.address.path, life.address.incarnation, life, life.heartbeat_timeout)

    def _refuse(self, life: Life, why: str) -> None:
        _log.error("node.refused", node=life.address.path, why=why)
        life.refuse(why)
        self._events.publish("node.refused", life.address.path, reason=why)

    def _on_death(self, life: Life, _events: int) -> None:
        # First: whatever goes wrong with its end, it ends once.
        self._watcher.forget(life.pidfd)
        pid = life.pid
        with _guarded(life.address.path):
            self._hear(life, LAST_CHUNKS)
        try:
            ended = life.exit(timestamp(self._clock.wall()), self.now())
        except Exception as error:  # whatever it is, the process is dead, and whoever listens must hear that
            _log.exception("node.end_unclear", node=life.address.path)
            ended = ExitSnapshot("unknown", at=timestamp(self._clock.wall()), error=f"its end is unclear: {describe(error)}")
        if life.channel is not None:
            self._watcher.forget(life.channel)
        self._end(life, ended, pid)

    def _end(self, life: Life, ended: ExitSnapshot, pid: int | None = None) -> None:
        """Tell that a life has ended, or cannot begin. On the watcher's or the spawner's thread."""
        path, incarnation = life.address.path, life.address.incarnation
        steps = contextlib.ExitStack()
        with _guarded(path), steps:
            # The last is the first: each is taken, whatever the others raise.
            steps.callback(life.listener.on_exit, incarnation, ended)
            if pid is not None:
                # Not before the life has left: until then, whatever is in its session counts as this host's own.
                steps.callback(self._orphans.node_died, pid)
                steps.callback(self._events.publish, "node.exited", path, pid=pid, reason=ended.reason, signal=ended.signal)
            steps.callback(self._publish_routes)
            steps.callback(self._roster.leave, life)
            steps.callback(life.remove_socket)
            steps.callback(self.hangs.remove_files, path, incarnation)
            if pid is not None:
                steps.callback(self.hangs.forget, path, incarnation)


@contextlib.contextmanager
def _guarded(path: str) -> Iterator[None]:
    try:
        yield
    except Exception:  # what goes wrong with one node must end neither the watch over all others nor their starts
        _log.exception("node.watch_failed", node=path)
