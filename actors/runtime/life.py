"""Life: what one incarnation of an actor may ask of the runtime: its context.

The cell stays while lives come and go, so the context is bound to one of them: a timer or a thread that an earlier life has left
behind must not fail or stop its successor. It is also the activity of its handlers, one at a time.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .actor import Supervisor
from .address import ActorPath
from .cell_spec import Surroundings
from .clock import Clock
from .current import Activity, current_activity
from .envelope import Envelope
from .errors import RejectedError, UsageError
from .flight.recorder import Seat
from .groups import Groups
from .ref import ActorRef
from .timers import Timer

Handler = Callable[[Any], Any]

TIDY_ABOVE = 16
"""Timers of one life from which on those that are over are forgotten."""
_NO_TIMERS: list[Timer] = []


class Host(Protocol):
    """What a life needs of its cell."""

    path: ActorPath
    incarnation: int
    capacity: int
    surroundings: Surroundings
    now: Callable[[], float]

    @property
    def successor(self) -> object | None:
        """What has taken the cell's place, if it is stuck."""
        ...

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        ...

    @property
    def ref(self) -> ActorRef:
        """A ref to the actor."""
        ...

    @property
    def supervisor(self) -> Supervisor:
        """The actor's supervisor."""
        ...

    def tell(self, message: Any) -> None:
        """Take a message. Raises `RejectedError`."""
        ...

    def put_back(self, envelope: Envelope) -> None:
        """Put a message back in front of all others."""
        ...

    def publish(self, type_: str, **fields: Any) -> None:
        """Publish an event under the actor's path."""
        ...

    def set_os_process(self, pid: int | None, command: str = "") -> None:
        """Say which OS process the actor stands for."""
        ...

    def fail(self, error: BaseException, incarnation: int | None = None) -> None:
        """Fail that life before its next message."""
        ...

    def stop(self) -> None:
        """Stop before the next message."""
        ...

    def blocking(self) -> AbstractContextManager[None]:
        """Let the dispatcher know that a handler waits while the block lasts."""
        ...


class Life(Activity):
    """One incarnation's context. Any thread may call; what a life that is over asks changes nothing."""

    __slots__ = ("_handlers", "_stashed", "_tidy_above", "_timers", "_watches", "handler", "seat")

    cell: Host
    path: ActorPath

    def __init__(self, cell: Host) -> None:
        # Not by the base's own `__init__`: a life is a part of what spawning an actor costs.
        self.cell = cell
        self.path = cell.path
        self.incarnation = cell.incarnation
        self.in_hand = None
        self.runner = None
        self.waits_for = ()
        self.depth = 0
        self.began = None
        self.pauses = None
        self.seat: Seat | None = None
        self.handler: Handler | None = None
        self._handlers: list[Handler | None] | None = None
        self._stashed: list[Envelope] | None = None
        self._timers: list[Timer] = _NO_TIMERS
        self._tidy_above = TIDY_ABOVE
        self._watches = False

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        return self.cell.clock

    @property
    def ref(self) -> ActorRef:
        """The actor's own ref."""
        return self.cell.ref

    @property
    def supervisor(self) -> Supervisor:
        """The actor's supervisor."""
        return self.cell.supervisor

    def publish(self, type_: str, **fields: Any) -> None:
        """Publish an event under the actor's path."""
        self.cell.publish(type_, **fields)

    def set_os_process(self, pid: int | None, command: str = "") -> None:
        """Say which OS process the actor stands for."""
        if self._is_present:
            self.cell.set_os_process(pid, command)

    def fail(self, error: BaseException) -> None:
        """Fail this life before its next message."""
        self.cell.fail(error, self.incarnation)

    def stop(self) -> None:
        """Stop the actor before its next message."""
        if self._is_present:
            self.cell.stop()

    def blocking(self) -> AbstractContextManager[None]:
        """Let the dispatcher know that the handler waits while the block lasts."""
        return self.cell.blocking()

    def stash(self) -> None:
        """Put the message in hand aside."""
        current = current_activity()
        if current is None or current.cell is not self.cell or current.in_hand is None:
            raise UsageError(f"{self.path}: stash() is for the message that the handler has in hand: there is none here")
        if self._stashed is None:
            self._stashed = []
        if len(self._stashed) >= self.cell.capacity:
            raise RejectedError(f"{self.path}: the stash is full ({len(self._stashed)} messages)")
        self._stashed.append(current.in_hand)
        current.in_hand = None

    def unstash_all(self) -> None:
        """Put what was put aside back in front of the mailbox, in order."""
        stashed, self._stashed = self._stashed, None
        for envelope in reversed(stashed or ()):
            self.cell.put_back(envelope)

    def become(self, handler: Handler) -> None:
        """Handle messages by `handler` from the next one on."""
        if self._handlers is None:
            self._handlers = []
        self._handlers.append(self.handler)
        self.handler = handler

    def unbecome(self) -> None:
        """Handle messages as before the last `become`."""
        if not self._handlers:
            raise UsageError(f"{self.path}: unbecome() without a become()")
        self.handler = self._handlers.pop()

    def tell_later(self, delay_s: float, message: Any) -> Timer:
        """Tell the actor `message` once, in `delay_s` seconds."""
        # Made first, asked for after: it may be due before there is anything to remember.
        timer = Timer(lambda: self._tell_self(message), None)
        self._remember_timer(timer)
        self.cell.surroundings.timers.expect(timer, self.cell.now() + delay_s, delay_s)
        return timer

    def tell_every(self, interval_s: float, message: Any) -> Timer:
        """Tell the actor `message` every `interval_s` seconds."""
        if not interval_s > 0:
            raise UsageError(f"{self.path}: tell_every({interval_s!r}): an interval is more than 0 seconds")
        timers, first = self.cell.surroundings.timers, self.cell.now()
        timer = Timer(lambda: None, None)
        ticks = 0

        def plan() -> None:
            nonlocal ticks
            # From the first one, not from the last: a tick that comes late delays no other. Those that were missed are left out.
            ticks = max(ticks + 1, int((self.cell.now() - first) / interval_s) + 1)
            timers.call_at(first + ticks * interval_s, due)

        def due() -> None:
            if not timer.is_over:
                plan()
                self._tell_self(message)

        self._remember_timer(timer)
        plan()
        return timer

    def find(self, pattern: str) -> tuple[ActorRef, ...]:
        """Give refs to the actors of the process whose paths match."""
        return self.cell.surroundings.find(pattern)

    @property
    def groups(self) -> Groups:
        """The groups of the actor's process."""
        return self.cell.surroundings.groups

    def watch(self, target: ActorRef) -> None:
        """Have the actor told `Terminated` of each life of `target` that ends, until this life ends."""
        if not self._is_present:
            raise UsageError(f"{self.path}: life {self.incarnation} is over: it watches nobody")
        self._watches = True
        self.cell.surroundings.watches.watch(target.path, self.ref, of_life=True)

    def unwatch(self, target: ActorRef) -> None:
        """Hear of `target` no longer."""
        self.cell.surroundings.watches.unwatch(target.path, self.path)

    def end(self) -> None:
        """Let go of what belongs to this life: timers and watches end, what was put aside goes back to the mailbox. In a turn."""
        if self.seat is not None:
            self.seat.leave()
        self.disown()

    def disown(self) -> None:
        """Let go of timers, watches and what was put aside, whatever the handler still does."""
        timers, self._timers = self._timers, []
        for timer in timers:
            timer.cancel()
        self.unstash_all()
        if self._watches:
            # Once only: by the next time, they may be those of another cell's life.
            self._watches = False
            self.cell.surroundings.watches.forget_watcher(self.path)

    def _tell_self(self, message: Any) -> None:
        if self._is_present:
            try:
                self.cell.tell(message)
            except RejectedError as error:
                self.publish("timer.rejected", message_type=type(message).__name__, reason=str(error))

    def _remember_timer(self, timer: Timer) -> None:
        # A thread of the actor's that comes at the same time may make this forget a timer, which then ends by itself: it tells
        # its own life and no other. Those that are over go when the list has become long.
        if self._timers is _NO_TIMERS:
            self._timers = []
        if len(self._timers) >= self._tidy_above:
            self._timers = [kept for kept in self._timers if not kept.is_over]
            self._tidy_above = max(TIDY_ABOVE, 2 * len(self._timers))
        self._timers.append(timer)

    @property
    def _is_present(self) -> bool:
        return self.cell.incarnation == self.incarnation and self.cell.successor is None
