"""Mailbox: an actor's queue and the flag that says whether it is scheduled; neither can lose a message, and neither takes a lock.

A put appends and then looks at `closed` again; whoever sees it closed drains. `deque.popleft` is atomic, so each envelope left
over is given to `_undeliverable` exactly once, whether the closer or a late sender finds it. (Pykka checks first and appends
after, and an actor that stops in between keeps the envelope for ever: the ask then never resolves.)

The `_scheduled` lock is a flag that is tested and set in one step: whoever acquires it owns the duty to run a turn, and ends the
turn by releasing it and looking once more, so that a message which came in between is not left waiting. `_idle` only spares
senders the attempt: it is false while a turn is certain to look again.

Signals have a lane of their own, which is emptied first and is never full. `capacity` bounds the user lane; concurrent senders
may pass it by as many as they are, which is the price of taking no lock. What happens to a message too many is `overflow`'s
business.

A cell is a mailbox, rather than has one: 100,000 idle ones must be cheap, and a call from one object to the next costs a tenth of
a tell. The queue is made with the first message.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Literal, Protocol

from .envelope import Envelope
from .waiting import waiter_of_this_thread

DEFAULT_CAPACITY = 1000


class Waiting(Protocol):
    """The queue of one mailbox. Each method is one atomic step."""

    def append(self, entry: Envelope, /) -> None:
        """Add at the end."""
        ...

    def appendleft(self, entry: Envelope, /) -> None:
        """Put back at the front."""
        ...

    def popleft(self) -> Envelope:
        """Take from the front. Raises `IndexError`."""
        ...

    def remove(self, entry: Envelope, /) -> None:
        """Take out. Raises `ValueError`."""
        ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Envelope]: ...

    def __getitem__(self, first: Literal[0], /) -> Envelope:
        """Look at the one that has waited longest. Raises `IndexError`."""
        ...


class Mailbox:
    """Two lanes, many senders, one turn at a time. Every method may be called from any thread unless it says otherwise.

    `waiting` (None before the first message), `signals` and `blocked`, which wakes the senders that are held, are for turns.
    """

    _schedule: Callable[[Any], None]
    """Has a turn of the mailbox run, whose flag has just been acquired. One for many: the dispatcher's."""

    __slots__ = ("_idle", "_scheduled", "blocked", "capacity", "closed", "signals", "waiting")

    _making = threading.Lock()
    """For all mailboxes: each needs it once in its life."""

    def __init__(self, capacity: int, *, scheduled: bool = False) -> None:
        """Make an empty mailbox. `scheduled` is for one whose first turn its maker runs."""
        self.capacity = capacity
        self.closed = False
        self.waiting: Waiting | None = None
        self.signals: list[object] = []
        self._scheduled = threading.Lock()
        self._idle = not scheduled
        self.blocked: list[Callable[[], None]] | None = None
        if scheduled:
            self._scheduled.acquire()

    def put(self, envelope: Envelope) -> None:
        """Add a message. Where the mailbox is full, `_make_room` decides; where it is closed, `_undeliverable`."""
        waiting = self.waiting
        if waiting is None:
            waiting = self._make()
        if len(waiting) >= self.capacity and not self.closed and not self._make_room(envelope):
            return
        waiting.append(envelope)
        if self.closed:
            self._drain()
        if self._idle and self._scheduled.acquire(False):
            self._idle = False
            self._schedule(self)

    def put_signal(self, signal: object) -> None:
        """Add a signal; it is read before every waiting message."""
        self.signals.append(signal)
        self.wake()

    def wake(self) -> None:
        """See to it that a turn is run soon."""
        if self._idle and self._scheduled.acquire(False):
            self._idle = False
            self._schedule(self)

    def begin_turn(self) -> bool:
        """Take the duty of a turn, for the caller to run it; False where another has it."""
        if not self._idle or not self._scheduled.acquire(False):
            return False
        self._idle = False
        return True

    def end_turn(self) -> None:
        """Give up the duty of a turn, and see to it that what has come meanwhile is looked at. Only who has it."""
        self._idle = True
        self._scheduled.release()
        if (self.waiting or self.signals) and self._has_work():
            self.wake()

    def take(self) -> Envelope | None:
        """Take the next message, or None. Only in a turn."""
        waiting = self.waiting
        if waiting is None:
            return None
        try:
            envelope = waiting.popleft()
        except IndexError:
            return None
        if self.blocked:
            self.tell_there_is_room()
        return envelope

    def take_oldest(self) -> Envelope | None:
        """Take out the message that has waited longest, whichever comes first. Any thread may call."""
        while (oldest := self.oldest()) is not None:
            with suppress(ValueError):  # a turn was quicker
                self.waiting.remove(oldest)  # type: ignore[union-attr]  # there is a queue, since there was a message
                return oldest
        return None

    def put_back(self, envelope: Envelope) -> None:
        """Put a message back in front of all others, however full the mailbox is. Only in a turn."""
        (self.waiting if self.waiting is not None else self._make()).appendleft(envelope)
        if self.closed:
            self._drain()

    def inherit(self, envelope: Envelope) -> None:
        """Add a message that another mailbox had taken, however full this one is."""
        (self.waiting if self.waiting is not None else self._make()).append(envelope)
        if self.closed:
            self._drain()
        self.wake()

    def withdraw(self, reply: object) -> bool:
        """Take out the message whose answer goes to `reply`; False where it does not wait."""
        waiting = self.waiting
        if waiting is None:
            return False
        # `list` copies in one step: a message that comes meanwhile does not disturb it.
        envelope = next((one for one in list(waiting) if one.reply is reply), None)
        if envelope is None:
            return False
        try:
            waiting.remove(envelope)
        except ValueError:
            return False
        if self.blocked:
            self.tell_there_is_room()
        return True

    def close(self) -> None:
        """Take no more messages, and give those that wait to `_undeliverable`, in order. Signals still pass.

        A new life sets `closed` back; a put that crosses it may still be undeliverable, once.
        """
        self.closed = True
        self._drain()
        if self.blocked:
            self.tell_there_is_room(everybody=True)

    def oldest(self) -> Envelope | None:
        """Look at the message that has waited longest, without taking it."""
        waiting = self.waiting
        if waiting is None:
            return None
        try:
            return waiting[0]
        except IndexError:
            return None

    @property
    def depth(self) -> int:
        """How many messages wait."""
        return 0 if self.waiting is None else len(self.waiting)

    def wait_for_room(self, timeout: float) -> bool:
        """Wait until a message fits, or `timeout` seconds; tell whether it does. Blocks: not on an actor's thread."""
        waiter = waiter_of_this_thread()
        with self._making:
            held = self.blocked = self.blocked if self.blocked is not None else []

        def fits() -> bool:
            if self.closed or self.depth < self.capacity:
                return True
            # Each time anew: who is woken may find that another sender was quicker. And look again afterwards, as with a put.
            held.append(waiter.wake)
            return self.closed or self.depth < self.capacity

        try:
            return waiter.wait(fits, timeout)
        finally:
            while waiter.wake in held:
                with suppress(ValueError):  # a turn was quicker
                    held.remove(waiter.wake)
            # Who is woken when its time is up passes that on.
            if self.depth < self.capacity:
                self.tell_there_is_room()

    def tell_there_is_room(self, *, everybody: bool = False) -> None:
        """Let one sender that is held, or all, look again."""
        held = self.blocked
        while held:
            try:
                held.pop(0)()
            except IndexError:
                return
            if not everybody:
                return

    def _make(self) -> Waiting:
        with self._making:
            if self.waiting is None:
                self.waiting = self._new_queue()
            return self.waiting

    def _drain(self) -> None:
        # Only while it is closed: a new life may begin while a late sender is at it.
        while self.closed and (waiting := self.waiting) is not None:
            try:
                envelope = waiting.popleft()
            except IndexError:
                return
            self._undeliverable(envelope)

    def _new_queue(self) -> Waiting:
        return deque()

    def _has_work(self) -> bool:
        """Say whether a turn would find something to do in a mailbox that is not empty."""
        return True

    def _make_room(self, envelope: Envelope) -> bool:
        """Say whether `envelope` is to be added to a mailbox that is full."""
        raise NotImplementedError

    def _undeliverable(self, envelope: Envelope) -> None:
        """Account for a message that nobody will handle."""
        raise NotImplementedError
