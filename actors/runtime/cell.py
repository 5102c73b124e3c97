"""ActorCell: everything of an actor that outlives a restart: path, mailbox, counters, dispatcher and the link to its supervisor.

Other threads only put things into its mailbox and ask the dispatcher for a turn; what a turn does is in `turns.py`, and how lives
begin and end in `lives.py`. Both work on the attributes here that have no underscore.
"""

import asyncio
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from msgspec import structs

from . import signals, turns
from .actor import Actor, ActorFactory, Supervisor
from .address import ActorPath
from .ask import AskDeadline, Unobserved, cut_off, timed_out
from .cell_spec import CellKind, Surroundings
from .clock import Clock
from .current import Activity, Wait, busy_for, sender
from .dispatch.dispatcher import Dispatcher
from .envelope import Envelope
from .errors import NotBuiltError, RejectedError, TerminatedError
from .future import Future
from .held_thread import thread_held_by
from .inline import NOT_IDLE, ask_inline
from .life import Life
from .lives import KilledError
from .log import Log
from .mailbox import Mailbox, Waiting
from .overflow import make_room
from .priority_queue import PriorityQueue
from .ref import ActorRef
from .snapshot import ActorSnapshot, ActorState, ExitSnapshot, HasChildren, MailboxSnapshot, OsProcessSnapshot

_log = Log()


class ActorCell(Mailbox):
    """One actor's cell. Any thread may call the public methods, but for `turn` and `turn_async`, which are the dispatcher's.

    `state`, `incarnation`, the counters and `running_since` (monotonic; None before a life is ready) are for anybody to read.
    `actor` and `life` are those of the present incarnation, and only a turn changes them; `in_flight` are the messages that a
    concurrent actor has in hand. A cell that has a `successor` is left to the turn that it is stuck in (`succession`).
    """

    __slots__ = (
        "__weakref__",
        "_schedule",
        "_supervisor",
        "abandoned",
        "actor",
        "begun",
        "dispatcher",
        "dropped",
        "expired",
        "factory",
        "in_flight",
        "incarnation",
        "is_released",
        "kind",
        "last_exit",
        "life",
        "now",
        "os_process",
        "path",
        "processed",
        "report",
        "running_since",
        "state",
        "successor",
        "surroundings",
    )

    def __init__(
        self,
        path: ActorPath,
        kind: CellKind,
        surroundings: Surroundings,
        factory: ActorFactory,
        dispatcher: Dispatcher,
        report: Callable[[signals.ChildReport], None],
        supervisor: Supervisor | None = None,
        *,
        scheduled: bool = False,
    ) -> None:
        super().__init__(kind.capacity, scheduled=scheduled)
        self.path = path
        self.kind = kind
        self.surroundings = surroundings
        self.factory = factory
        self.dispatcher = dispatcher
        self._schedule = dispatcher.schedule
        self.report = report
        self._supervisor = supervisor
        self.now = surroundings.clock.monotonic
        self.state: ActorState = "stopped"
        self.incarnation = 0
        self.begun = 0
        self.abandoned = 0
        self.is_released = False
        self.successor: ActorCell | None = None
        self.last_exit: ExitSnapshot | None = None
        self.actor: Actor | None = None
        self.life: Life | None = None
        self.in_flight: dict[Activity, asyncio.Task[None]] | None = None
        self.os_process: OsProcessSnapshot | None = None
        self.running_since: float | None = None
        self.processed = 0
        self.expired = 0
        self.dropped = 0

    @property
    def ref(self) -> ActorRef:
        """A ref to the actor."""
        return self.surroundings.make_ref(self.path)

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        return self.surroundings.clock

    @property
    def last_step(self) -> str:
        """Nothing: only processes start in steps."""
        return ""

    @property
    def is_abandoned(self) -> bool:
        """Whether the present life has been given up."""
        return self.incarnation <= self.abandoned

    @property
    def has_free_hands(self) -> bool:
        """Whether one more message may be handled now, beside those that a concurrent actor has in hand."""
        return self.in_flight is None or len(self.in_flight) < self.kind.concurrency

    @property
    def was_ready(self) -> bool:
        """Whether the present life has been running."""
        return self.running_since is not None

    @property
    def supervisor(self) -> Supervisor:
        """The actor's supervisor, where that is in this process."""
        if self._supervisor is None:
            raise NotBuiltError(f"{self.path}: its supervisor is in another process: adding siblings there is not built yet")
        return self._supervisor

    @property
    def waits_for(self) -> tuple[Wait, ...]:
        """What the handler which runs now waits for; nothing where others of its handlers may run meanwhile."""
        life = self.life
        return () if life is None or self.kind.concurrency > 1 else life.waits_for

    def tell(self, message: Any) -> None:
        """Take a message that wants no answer. Raises `RejectedError` where it does not."""
        self.put(Envelope(message, sender(), self.now(), True))

    def ask(self, message: Any, timeout: float | None) -> Future[Any]:
        """Take a message that wants an answer within `timeout` seconds; whatever is wrong resolves the future."""
        future: Future[Any] = Future(self)
        now = self.now()
        deadline = None if timeout is None else now + timeout
        try:
            self.put(Envelope(message, sender(), now, False, future, deadline))
        except RejectedError as error:
            future.set_error(error)
            return future
        if timeout is not None and deadline is not None:
            self.surroundings.timers.expect(AskDeadline(future, self.path, timeout), deadline, timeout)
        return future

    def ask_now(self, message: Any, timeout: float | None) -> Any:
        """Take a message, and give or raise its answer. Waits for it, or runs the actor on this thread where that may be."""
        if self.kind.inline and (answer := ask_inline(self, message, timeout)) is not NOT_IDLE:
            return answer
        if timeout is None:
            return self.ask(message, None).get()
        future: Future[Any] = Future(self)
        now = self.now()
        # A timeout that is no number is over, as one that has passed.
        deadline = now + timeout if timeout > -math.inf else -math.inf
        self.put(Envelope(message, sender(), now, False, future, deadline))
        # Bounded by the wait, which is cheaper than an appointment of its own.
        if not future.wait_until(deadline, self.surroundings.timers):
            # Before its time, a wait ends only with the system.
            future.set_error(timed_out(self.path, timeout) if self.now() >= deadline else cut_off(self.path))
        return future.get()

    def blocking(self) -> AbstractContextManager[None]:
        """Let the dispatcher know that a handler of this actor waits while the block lasts."""
        return self.dispatcher.blocking()

    def signal(self, signal: object) -> None:
        """Take a signal of the runtime's, ahead of every message. An actor that has ended refuses one that wants an answer."""
        self.put_signal(signal)
        # After the put, as with messages: the turn that could have taken it may have been the last one.
        if self.state == "stopped" and self.closed:
            turns.refuse(self, signal)

    def start(self, incarnation: int) -> None:
        """Begin a life; the supervisor hears `ChildReady`, or `ChildExited` with what prevented it."""
        self.begun = incarnation
        self.is_released = False
        self.signal(signals.Start(incarnation))

    def stop(self, *, again: bool = False) -> None:
        """Stop before the next message; the supervisor hears `ChildExited`. What waits is kept for a life that starts `again`."""
        self.signal(signals.Stop(again))

    def reload(self, order: object) -> None:
        """Pass on to a supervisor that it is to become something else."""
        self.signal(order)

    def fail(self, error: BaseException, incarnation: int | None = None) -> None:
        """Fail the present life, or none if that is no more `incarnation`, before its next message."""
        self.signal(signals.Fail(error, self.incarnation if incarnation is None else incarnation))

    def kill(self, reason: str) -> None:
        """End before the next message, by `on_failure` and without `on_stop`; the supervisor hears `ChildExited`."""
        self.fail(KilledError(f"killed: {reason}"))

    def abandon(self, reason: str) -> None:
        """Give up a life that does not end: a Python thread cannot be ended from outside.

        The message in hand is answered now. What the life still does counts for nothing: it reports no more, and it is let go of
        as soon as its handler returns: a coroutine is cancelled, and `on_kill` may help. The messages stay, for the next life.
        """
        self.abandoned = self.begun
        self.publish("actor.abandoned", reason=reason, incarnation=self.begun)
        self._give_up_in_hand()
        actor, life = self.actor, self.life
        for task in self._tasks():
            with suppress(RuntimeError):  # the loop is closed already, and the task with it
                task.get_loop().call_soon_threadsafe(self._cancel, task, life)
        self.kill(reason)
        if (thread := thread_held_by(self)) is not None:
            self.dispatcher.do_without(thread)
        if actor is None:
            return
        try:
            actor.on_kill()
        except Exception:  # a failing `on_kill` changes nothing: the actor is given up already, and the supervisor must go on
            _log.exception("actor.on_kill_failed", path=self.path)

    def ready(self) -> None:
        """Say that the actor is running; a supervisor is not by its `on_start` alone. Only from its own turn."""
        if self.incarnation > self.abandoned:
            self.set_running()
            self.report(signals.ChildReady(self.path, self.incarnation))

    def set_running(self) -> None:
        """Show that the actor is running, as of now. Only from its own turn."""
        self.running_since = self.now()
        if not self.is_released:
            self.state = "running"

    def end_life(self) -> Actor | None:
        """Have no behaviour any more, and give the one that was. Only from its own turn."""
        actor, self.actor = self.actor, None
        life, self.life = self.life, None
        self.os_process = None
        self.running_since = None
        if self.state == "running":
            # Also of a life that was given up: what runs has a behaviour.
            self.state = "restarting"
        if life is not None:
            try:
                life.end()
            except BaseException:  # whatever goes wrong here, this life is over, and its supervisor must hear of it
                _log.exception("actor.end_failed", path=self.path)
        return actor

    def anew(self, dispatcher: Dispatcher) -> "ActorCell":
        """Make another cell for the same actor, which has had no life yet."""
        return ActorCell(self.path, self.kind, self.surroundings, self.factory, dispatcher, self.report, self._supervisor)

    def withdraw(self, reply: object) -> bool:
        """Take out the message whose answer goes to `reply`; False where it does not wait."""
        return super().withdraw(reply) or (self.successor is not None and self.successor.withdraw(reply))

    def finish(self) -> None:
        """Say that a supervisor, which does not stop in one go, has stopped."""
        self.signal(signals.Finish())

    def publish(self, type_: str, **fields: Any) -> None:
        """Publish an event under the actor's path."""
        self.surroundings.events.publish(type_, self.path, **fields)

    def report_unobserved(self, error: BaseException) -> None:
        """Publish that nobody collected an error, on a thread of the dispatcher's: the garbage collector calls."""
        self.surroundings.run_soon(Unobserved(self.publish, error))

    def show_limits(self, strategy: str, intensity: int, period_s: float) -> None:
        """Show these limits of a supervisor in snapshots from now on."""
        self.kind = structs.replace(self.kind, strategy=strategy, intensity=intensity, period_s=period_s)

    def set_os_process(self, pid: int | None, command: str = "") -> None:
        """Say which OS process the actor stands for."""
        self.os_process = None if pid is None else OsProcessSnapshot(pid, command)

    def close(self, state: ActorState = "stopped") -> None:
        """Take no more messages; those that wait become dead letters, and their askers hear `TerminatedError`."""
        self.state = state
        super().close()

    def set_state(self, state: ActorState) -> None:
        """Show this state until the next life. One that is parked or stopped takes no messages: nobody would answer them."""
        if state in ("parked", "stopped"):
            self.close(state)
        else:
            self.state = state

    def release(self, state: ActorState = "stopped") -> None:
        """Close the mailbox and a dispatcher that is this cell's own; whatever was asked of it is answered now. Never waits."""
        self.is_released = True
        self.close("parked" if self.state == "parked" else state)
        self._give_up_in_hand()
        if self.dispatcher.serves_one:
            self.dispatcher.close()

    def drop(self, envelope: Envelope, reason: str) -> None:
        """Account for a message that the mailbox had no room for."""
        self.dropped += 1
        envelope.answer_error(RejectedError(f"{self.path}: {reason}"))
        self.record_dead_letter(envelope, reason)

    def record_dead_letter(self, envelope: Envelope, reason: str) -> None:
        """Keep a message that could not be handled."""
        dead_letters, kind = self.surroundings.dead_letters, envelope.kind()
        dead_letters.record(self.path, sender=envelope.sender, type_=kind, message=envelope.message, reason=reason)

    def snapshot(self) -> ActorSnapshot:
        """Give the actor's state, and that of what is below it if it is a supervisor."""
        kind, now = self.kind, self.now()
        oldest = self.oldest()
        oldest_s = None if oldest is None else round(now - oldest.sent_at, 3)
        # What was given up and goes on all the same is no actor that runs.
        is_over = self.state == "running" and self.is_abandoned
        since = self.running_since if self.state == "running" and not is_over else None
        behaviour = self.actor
        return ActorSnapshot(
            path=self.path,
            kind="supervisor" if kind.is_supervisor else "worker",
            actor=kind.name,
            node=self.surroundings.node,
            pid=self.surroundings.pid,
            os_process=self.os_process,
            state="restarting" if is_over else self.state,
            incarnation=self.incarnation,
            uptime_s=None if since is None else round(now - since, 3),
            restarts=max(0, self.incarnation - 1),
            last_exit=self.last_exit,
            mailbox=MailboxSnapshot(self.depth, self.capacity, oldest_s, self.dropped),
            processed=self.processed,
            expired=self.expired,
            strategy=kind.strategy,
            intensity=kind.intensity,
            period_s=kind.period_s,
            busy_s=busy_for((self.life, *list(self.in_flight or ())), now),
            children=tuple(behaviour.child_snapshots()) if isinstance(behaviour, HasChildren) else (),
        )

    turn = turns.run
    turn_async = turns.run_async

    def _cancel(self, task: asyncio.Task[None], life: Life | None) -> None:
        """Cancel a task that still runs a life. On the task's loop: a turn may have begun the next life meanwhile."""
        if self.life is life and life is not None and (life.runner is task or task in (self.in_flight or {}).values()):
            task.cancel()

    def _tasks(self) -> list[asyncio.Task[None]]:
        runner = None if self.life is None else self.life.runner
        return [*(self.in_flight or {}).values(), *([runner] if isinstance(runner, asyncio.Task) else ())]

    def _give_up_in_hand(self) -> None:
        for one in (self.life, *(self.in_flight or ())):
            if one is not None and (envelope := one.in_hand) is not None:
                what = f"{self.path} was given up while it handled {envelope.kind()}"
                envelope.answer_error(TerminatedError(what))

    def _has_work(self) -> bool:
        return bool(self.signals) or (self.state == "running" and bool(self.waiting) and self.has_free_hands)

    def _new_queue(self) -> Waiting:
        priority_of = self.kind.priority_of
        return super()._new_queue() if priority_of is None else PriorityQueue(priority_of)

    def _make_room(self, envelope: Envelope) -> bool:
        return make_room(self, envelope, self.kind.overflow, self.now())

    def _undeliverable(self, envelope: Envelope) -> None:
        if self.successor is not None:
            self.successor.inherit(envelope)
        elif not envelope.answer_error(TerminatedError(f"{self.path} ended before it handled {envelope.kind()}")):
            self.record_dead_letter(envelope, "the actor has ended")
