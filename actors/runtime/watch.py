"""Death watch: who is told when the life of an actor ends.

Erlang's monitor tells once and is over; Akka tells at the end for good, not at a restart. Here a supervisor starts the next life
under the same path, and what a watcher must put right (a lease, an open session, an answer that will not come) is lost with each
life. So a watch is of a path, and tells of every life that ends there: once a life, with its number. It is over when it is taken
back, when its watcher's time is over, when the actor is removed for good, or when there was nobody to watch, which is told at
once, as Erlang's `noproc` is.

Deaths are what the events say, because supervisors decide there which life has ended, and nodes' events reach the kernel's log
already. A life also ends with whatever it lies below, without an event of its own: a node that is killed takes its actors along,
and so does a supervisor that is given up. So an exit ends every watched life below its path.

No death falls between a watch and its beginning: the watch is put down first, and only then is it asked who lives there. Whoever
is still found alive has yet to exit, and the watch hears that; of whoever has exited before, the answer is that nobody lives.

A thread of its own does the telling. Listeners run while the log is locked: a `tell` there could wait for a full mailbox, or for
a lock whose holder is about to publish, and every publisher of the system with it.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar, get_args

from .address import ActorPath, is_within
from .current import Activity, During
from .dead_letters import DeadLetters
from .errors import NotBuiltError, UsageError
from .event import Event
from .events import EventLog
from .exits import describe
from .snapshot import ExitKind
from .terminated import Terminated

Value = TypeVar("Value")

CLOSE_WAIT_S = 2.0
"""How long `close` waits until those are told who are due."""

_STARTED = ("actor.started", "actor.restarted")
_HEARD = frozenset({*_STARTED, "actor.exited", "actor.restart_scheduled", "actor.parked", "actor.removed"})
_REASONS: tuple[str, ...] = get_args(ExitKind)


class Watcher(Protocol):
    """Who is told: an `ActorRef`, of whichever process."""

    @property
    def path(self) -> ActorPath:
        """Where it lives."""
        ...

    def tell(self, message: Any) -> None:
        """Take the message, or raise."""
        ...


class Watches:
    """The watches of one system, or of one node's part of it. Any thread may call; nothing here waits but `close`.

    `alive` gives the number of the life at a path, if that is in this process or the top of one of its nodes; between two lives,
    the number of the last one, or 0. It gives None where nobody lives and nobody is coming, so also for a life whose own
    `actor.exited`, or that of a supervisor above it, is out already. It is called on the thread that watches. Who lives inside
    the nodes is known from their events. `node` is the name on the events of this process, and `within` the part of the tree
    whose events reach this log.

    A `Terminated` that its watcher does not take, because its mailbox is full or its node is away, becomes a dead letter: nobody
    waits for room on behalf of it, a mailbox that blocks its senders included.
    """

    def __init__(
        self,
        events: EventLog,
        dead_letters: DeadLetters,
        alive: Callable[[ActorPath], int | None],
        *,
        node: str,
        within: ActorPath,
    ) -> None:
        self._dead_letters = dead_letters
        self._alive = alive
        self._node = node
        self._within = within
        self._lock = threading.Lock()
        self._targets: _ByPath[_Target] = _ByPath()
        self._watchers: _ByPath[dict[ActorPath, _Watch]] = _ByPath()
        self._in_nodes: _ByPath[int] = _ByPath()
        self._due: queue.SimpleQueue[tuple[_Watch, Terminated] | None] = queue.SimpleQueue()
        self._teller: threading.Thread | None = None
        self._closed = False
        self._stop_listening = events.listen(self._hear)

    def watch(self, target: ActorPath, watcher: Watcher, *, of_life: bool = False) -> None:
        """Let `watcher` be sent a `Terminated` for each life of `target` that ends from now on.

        `of_life` is for what an actor watches through its context: it ends with the actor's present life (`forget_watcher`),
        because the next one begins without knowing of it, and watches again in `on_start` what it needs. Otherwise the watch
        belongs to the watcher's path, and whichever life is there is told.

        To watch twice is to watch once, for the longer of both times; only that there is nobody is told each time. Raises
        `NotBuiltError` where `target` lies outside the node, `UsageError` where the system is closed.
        """
        if not is_within(target, self._within):
            raise NotBuiltError(f"{target} lies outside of {self._within}: watching from inside a node is not built yet")
        with self._lock:
            if self._closed:
                raise UsageError(f"{watcher.path} cannot watch {target}: the system is closed")
            self._begin_telling()
            known = self._targets.get(target) or self._targets.put(target, _Target())
            watch = known.watches.get(watcher.path)
            if watch is None:
                watch = known.watches[watcher.path] = _Watch(target, watcher, of_life=of_life)
                (self._watchers.get(watcher.path) or self._watchers.put(watcher.path, {}))[target] = watch
            watch.of_life = watch.of_life and of_life
            exits = known.exits
        # Not under the lock, which a listener may wait for: whatever `alive` locks may be held by who publishes.
        life = self._alive(target)
        with self._lock:
            self._find(watch, known, life if life is not None else self._in_nodes.get(target), since=exits)

    def unwatch(self, target: ActorPath, watcher: ActorPath) -> None:
        """Tell `watcher` no more of `target`. What is in its mailbox by then, or on the way there, it still gets."""
        with self._lock:
            watch = (self._watchers.get(watcher) or {}).get(target)
            if watch is not None:
                self._drop(watch)

    def forget_watcher(self, path: ActorPath) -> None:
        """Hear that the life at `path` has ended: what it watched is watched no more. Watches of the path itself stay.

        Call it before the next life begins. A `Terminated` that waits in the mailbox by then is handled by that.
        """
        with self._lock:
            for watch in list((self._watchers.get(path) or {}).values()):
                if watch.of_life:
                    self._drop(watch)

    def close(self) -> None:
        """Watch no more; those who are due are told, within 2 s. No life is said to have ended by this."""
        with self._lock:
            teller, self._closed = self._teller, True
        self._stop_listening()
        self._due.put(None)
        if teller is not None and teller is not threading.current_thread():
            teller.join(CLOSE_WAIT_S)

    def check_invariants(self) -> None:
        """Raise `AssertionError` where the state contradicts itself."""
        with self._lock:
            by_target = [watch for _, known in self._targets.items() for watch in known.watches.values()]
            by_watcher = [watch for _, watches in self._watchers.items() for watch in watches.values()]
            assert all(known.watches for _, known in self._targets.items()), "what nobody watches is forgotten"  # noqa: S101
            assert all(watches for _, watches in self._watchers.items()), "who watches nothing is forgotten"  # noqa: S101
            assert set(map(id, by_target)) == set(map(id, by_watcher)), "both ways lead to the same watches"  # noqa: S101
            assert all(watch.is_wanted for watch in by_target), "what was taken back is gone"  # noqa: S101

    def _find(self, watch: "_Watch", known: "_Target", life: int | None, *, since: int) -> None:
        """Begin the watch, now that it is known who lives there; what was heard meanwhile is newer than `life`."""
        if self._targets.get(watch.target) is not known or known.watches.get(watch.watcher.path) is not watch:
            # It was over before it began: taken back, or told by another thread that there is nobody.
            return
        if life is not None:
            if life > known.ended and known.exits == since:
                known.living = max(life, known.living or 0)
        elif known.living is None and known.exits == since:
            self._put(watch, Terminated(watch.target, 0, "unknown", f"nobody lives at {watch.target}"))
            self._let_go(watch)

    def _hear(self, event: Event) -> None:
        """Take an event of the log, on its publisher's thread and while the log is locked."""
        is_own = event.node == self._node
        if is_own and not (self._targets.reached or self._watchers.reached or self._in_nodes.reached):
            return
        if event.type not in _HEARD:
            return
        if is_own and not self._concerns(event):
            # Most lives are watched by nobody, and cost no lock. Whoever begins to watch just now asks afterwards who lives.
            return
        path, incarnation = ActorPath(event.path), event.fields.get("incarnation")
        with self._lock:
            if event.type in _STARTED and isinstance(incarnation, int):
                self._on_started(path, incarnation, in_node=not is_own)
            elif event.type == "actor.exited" and isinstance(incarnation, int):
                self._on_exited(path, incarnation, event)
            elif event.type == "actor.restart_scheduled" and not is_own:
                self._in_nodes.put(path, 0)
            elif event.type == "actor.parked":
                self._in_nodes.pop(path)
            elif event.type == "actor.removed":
                self._on_removed(path)

    def _concerns(self, event: Event) -> bool:
        path = event.path
        return self._targets.reaches(path) or self._watchers.reaches(path) or self._in_nodes.reaches(path)

    def _on_started(self, path: ActorPath, incarnation: int, *, in_node: bool) -> None:
        if in_node:
            self._in_nodes.put(path, incarnation)
        known = self._targets.get(path)
        if known is None:
            return
        if in_node and known.living is not None and known.ended < known.living < incarnation:
            # A node that publishes more than its kernel reads loses events, and this end was among them.
            self._end(path, known, "unknown", "its end was not reported, but its next life has begun")
        known.living, known.ended = incarnation, incarnation - 1

    def _on_exited(self, path: ActorPath, incarnation: int, event: Event) -> None:
        if (self._in_nodes.get(path) or 0) > incarnation:
            # The last words of a process that was given up: another has taken its place.
            return
        for below, _ in self._in_nodes.within(path):
            self._in_nodes.pop(below)
        reason, error = _reason_of(event), event.fields.get("error")
        why = error if isinstance(error, str) else None
        for below, known in self._targets.within(path):
            if below != path:
                self._end(below, known, reason, f"it ended with {path}" + (f": {why}" if why else ""))
            elif incarnation > known.ended:
                known.living = incarnation
                self._end(path, known, reason, why)

    def _on_removed(self, path: ActorPath) -> None:
        for below, _ in self._in_nodes.within(path):
            self._in_nodes.pop(below)
        for below, known in self._targets.within(path):
            for watch in list(known.watches.values()):
                if not watch.is_told or known.living is not None:
                    life = known.living or known.ended
                    self._put(watch, Terminated(below, life, "unknown", "it has been removed"))
                self._let_go(watch)
        for _, watches in self._watchers.within(path):
            for watch in list(watches.values()):
                self._drop(watch)

    def _end(self, path: ActorPath, known: "_Target", reason: ExitKind, error: str | None) -> None:
        """Tell of the end of the life that is known to live at `path`, if there is one."""
        life, known.living = known.living, None
        if life is None or life <= known.ended:
            return
        known.ended = life
        known.exits += 1
        for watch in known.watches.values():
            self._put(watch, Terminated(path, life, reason, error))

    def _put(self, watch: "_Watch", terminated: Terminated) -> None:
        watch.is_told = True
        self._due.put((watch, terminated))

    def _drop(self, watch: "_Watch") -> None:
        """Let go of a watch, and of what it is due."""
        watch.is_wanted = False
        self._let_go(watch)

    def _let_go(self, watch: "_Watch") -> None:
        known, watches = self._targets.get(watch.target), self._watchers.get(watch.watcher.path) or {}
        watches.pop(watch.target, None)
        if not watches:
            self._watchers.pop(watch.watcher.path)
        if known is not None:
            known.watches.pop(watch.watcher.path, None)
            if not known.watches:
                self._targets.pop(watch.target)

    def _begin_telling(self) -> None:
        if self._teller is None:
            teller = threading.Thread(target=self._tell_forever, name="death-watch", daemon=True)
            teller.start()
            self._teller = teller

    def _tell_forever(self) -> None:
        while (due := self._due.get()) is not None:
            watch, terminated = due
            if watch.is_wanted:
                self._tell(watch.watcher, terminated)

    def _tell(self, watcher: Watcher, terminated: Terminated) -> None:
        try:
            # As a message of the actor that has ended: so dead letters say, and an actor is never held up by a full mailbox.
            with During(Activity(None, terminated.path, terminated.incarnation)):
                watcher.tell(terminated)
        except BaseException as error:  # whatever a ref raises, the message is accounted for, and the others are told
            kind, why = type(terminated).__name__, describe(error)
            self._dead_letters.record(watcher.path, sender=terminated.path, type_=kind, message=terminated, reason=why)


class _Watch:
    """One watcher of one path. `is_wanted` until it is taken back; one that is over by itself still wants what it is due."""

    __slots__ = ("is_told", "is_wanted", "of_life", "target", "watcher")

    def __init__(self, target: ActorPath, watcher: Watcher, *, of_life: bool) -> None:
        self.target = target
        self.watcher = watcher
        self.of_life = of_life
        self.is_wanted = True
        self.is_told = False


class _Target:
    """One path that is watched: the life there (None between two), the last that has ended, and how many ends were heard."""

    __slots__ = ("ended", "exits", "living", "watches")

    def __init__(self) -> None:
        self.living: int | None = None
        self.ended = 0
        self.exits = 0
        self.watches: dict[ActorPath, _Watch] = {}


class _ByPath(Generic[Value]):
    """Values by their paths, and for each ancestor the paths below it, so that an exit costs no look at every watch."""

    def __init__(self) -> None:
        self._values: dict[ActorPath, Value] = {}
        self.reached: dict[str, set[ActorPath]] = {}

    def get(self, path: ActorPath) -> Value | None:
        return self._values.get(path)

    def put(self, path: ActorPath, value: Value) -> Value:
        self._values[path] = value
        for ancestor in _lineage(path):
            self.reached.setdefault(ancestor, set()).add(path)
        return value

    def pop(self, path: ActorPath) -> None:
        if self._values.pop(path, None) is None:
            return
        for ancestor in _lineage(path):
            self.reached[ancestor].discard(path)
            if not self.reached[ancestor]:
                del self.reached[ancestor]

    def within(self, path: str) -> list[tuple[ActorPath, Value]]:
        """Give what is at `path` or below it, in the order of paths."""
        return [(below, self._values[below]) for below in sorted(self.reached.get(path, ()))]

    def items(self) -> list[tuple[ActorPath, Value]]:
        return list(self._values.items())

    def reaches(self, path: str) -> bool:
        """Tell whether there is anything at `path` or below it."""
        return path in self.reached


def _lineage(path: str) -> Iterator[str]:
    """Give `path` and every ancestor of it."""
    while path != "/":
        yield path
        path = path.rpartition("/")[0] or "/"
    yield path


def _reason_of(event: Event) -> ExitKind:
    reason: Any = event.fields.get("reason")
    return reason if reason in _REASONS else "unknown"
