"""ActorCell: everything of an actor that outlives a restart: path, mailbox, counters, dispatcher and the link to its supervisor.

Other threads only put things into its mailbox and ask the dispatcher for a turn; a turn handles what waits, one thing at a
time. A turn is a coroutine so that one piece of code serves all dispatchers: on the `async` one it may really wait for a
handler, on the others it runs to its end without ever doing so.

The `_scheduled` lock is a flag that is tested and set in one step: whoever acquires it owns the duty to schedule a turn, and
the turn releases it at its end, then looks once more, so that a message that came in between is not left waiting.
"""

import inspect
import sys
import threading
from collections.abc import Callable
from typing import Any

from . import signals
from .actor import Actor, ActorFactory, Supervisor
from .address import ActorPath
from .cell_spec import CellSpec, Surroundings
from .clock import Clock, timestamp
from .current import Activity, During
from .dispatcher import Dispatcher
from .envelope import Envelope
from .errors import ActorFailedError, AskTimeoutError, NotBuiltError, RejectedError, TerminatedError, UsageError
from .exits import describe, exit_of
from .future import Future
from .life import Life
from .log import Log
from .mailbox import Mailbox
from .messages import PROXY_MESSAGES
from .proxied import handle_proxied
from .snapshot import ActorSnapshot, ActorState, ExitKind, ExitSnapshot, MailboxSnapshot, OsProcessSnapshot

_log = Log()

BATCH = 64
"""Messages a turn: enough to make the hand-over cheap, few enough that other actors get their turn soon."""


class KilledError(TerminatedError):
    """Fails an actor that is to end without being asked to stop."""


class ActorCell:
    """One actor's cell. Any thread may call the public methods, but for `turn`, which is the dispatcher's."""

    def __init__(
        self,
        spec: CellSpec,
        surroundings: Surroundings,
        factory: ActorFactory,
        dispatcher: Dispatcher,
        report: Callable[[signals.ChildReport], None],
        supervisor: Supervisor | None = None,
    ) -> None:
        self.spec = spec
        self.ref = surroundings.ref(spec.path)
        self.state: ActorState = "stopped"
        self.incarnation = 0
        self.last_exit: ExitSnapshot | None = None
        self._surroundings = surroundings
        self._factory = factory
        self._dispatcher = dispatcher
        self._report = report
        self._supervisor = supervisor
        self._mailbox: Mailbox[Envelope, object] = Mailbox(spec.capacity, self._undeliverable)
        self._scheduled = threading.Lock()
        self._actor: Actor | None = None
        self._in_hand: Envelope | None = None
        self._begun = 0
        self._abandoned = 0
        self._os_process: OsProcessSnapshot | None = None
        self._started_at: float | None = None
        self._processed = 0
        self._expired = 0

    @property
    def path(self) -> ActorPath:
        """Where the actor lives."""
        return self.spec.path

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        return self._surroundings.clock

    @property
    def behaviour(self) -> Actor | None:
        """The instance that handles messages now; only the runtime's own code looks at it from outside."""
        return self._actor

    @property
    def supervisor(self) -> Supervisor:
        """The actor's supervisor, where that is in this process."""
        if self._supervisor is None:
            raise NotBuiltError(f"{self.path}: its supervisor is in another process: adding siblings there is not built yet")
        return self._supervisor

    def put(self, envelope: Envelope) -> None:
        """Take a message. Raises `RejectedError` where the mailbox is full; on a stopped actor it becomes a dead letter."""
        if not self._mailbox.put(envelope):
            raise RejectedError(f"{self.path}: the mailbox is full ({self.spec.capacity} messages wait)")
        self._wake()

    def signal(self, signal: object) -> None:
        """Take a signal of the runtime's, ahead of every message. An actor that has ended refuses one that wants an answer."""
        self._mailbox.put_signal(signal)
        self._wake()
        # After the put, as with messages: the turn that could have taken it may have been the last one.
        if self.state == "stopped" and self._mailbox.is_closed:
            self._refuse(signal)

    def start(self, incarnation: int) -> None:
        """Begin a life; the supervisor hears `ChildReady`, or `ChildExited` with what prevented it."""
        self._begun = incarnation
        self.signal(signals.Start(incarnation))

    def stop(self) -> None:
        """Stop before the next message; the supervisor hears `ChildExited`."""
        self.signal(signals.Stop())

    def fail(self, error: BaseException, incarnation: int | None = None) -> None:
        """Fail the present life, or none if that is no more `incarnation`, before its next message."""
        self.signal(signals.Fail(error, self.incarnation if incarnation is None else incarnation))

    def kill(self, reason: str) -> None:
        """End before the next message, by `on_failure` and without `on_stop`; the supervisor hears `ChildExited`."""
        self.fail(KilledError(f"killed: {reason}"))

    def abandon(self, reason: str) -> None:
        """Give up a life that does not end: a Python thread cannot be ended from outside.

        The message in hand is answered now. What the life still does counts for nothing: it reports no more, and it is let go of
        as soon as its handler returns. The mailbox stays, for the next life.
        """
        self._abandoned = self._begun
        self.publish("actor.abandoned", reason=reason, incarnation=self._begun)
        self._give_up_in_hand()
        self.kill(reason)

    def ready(self) -> None:
        """Say that the actor is running; a supervisor is not by its `on_start` alone. Only from its own turn."""
        if self._is_abandoned:
            return
        self._started_at = self.clock.monotonic()
        self.state = "running"
        self._report(signals.ChildReady(self.path, self.incarnation))

    def finish(self) -> None:
        """Say that a supervisor, which does not stop in one go, has stopped."""
        self.signal(signals.Finish())

    def publish(self, type_: str, **fields: Any) -> None:
        """Publish an event under the actor's path."""
        self._surroundings.events.publish(type_, self.path, **fields)

    def set_os_process(self, pid: int | None, command: str = "") -> None:
        """Say which OS process the actor stands for."""
        self._os_process = None if pid is None else OsProcessSnapshot(pid, command)

    def close(self, state: ActorState = "stopped") -> None:
        """Take no more messages; those that wait become dead letters, and their askers hear `TerminatedError`."""
        self.state = state
        self._mailbox.close()

    def release(self) -> None:
        """Close the mailbox and a dispatcher that is this cell's own; whatever was asked of it is answered now. Never waits."""
        self.close(self.state if self.state == "parked" else "stopped")
        self._give_up_in_hand()
        if self._dispatcher.serves_one:
            self._dispatcher.close()

    def snapshot(self) -> ActorSnapshot:
        """Give the actor's state, without children."""
        now = self.clock.monotonic()
        oldest = self._mailbox.peek()
        oldest_s = None if oldest is None else round(now - oldest.sent_at, 3)
        running = self.state == "running" and self._started_at is not None
        return ActorSnapshot(
            path=self.path,
            kind="supervisor" if self.spec.is_supervisor else "worker",
            actor=self.spec.actor,
            node=self._surroundings.node,
            pid=self._surroundings.pid,
            os_process=self._os_process,
            state=self.state,
            incarnation=self.incarnation,
            uptime_s=round(now - (self._started_at or now), 3) if running else None,
            restarts=max(0, self.incarnation - 1),
            last_exit=self.last_exit,
            mailbox=MailboxSnapshot(len(self._mailbox), self._mailbox.capacity, oldest_s),
            processed=self._processed,
            expired=self._expired,
            strategy=self.spec.strategy,
            intensity=self.spec.intensity,
            period_s=self.spec.period_s,
        )

    async def turn(self) -> None:
        """Handle what waits: every signal, and up to 64 messages if the actor is running."""
        try:
            for _ in range(BATCH):
                if (signal := self._mailbox.get_signal_nowait()) is not None:
                    await self._handle_signal(signal)
                elif self.state == "running" and (envelope := self._mailbox.get_nowait()) is not None:
                    await self._handle(envelope)
                else:
                    break
        except Exception:  # a fault of the runtime; it must not end the thread, which may serve others
            _log.exception("actor.turn_failed", path=self.path)
        finally:
            self._scheduled.release()
            if self._has_work():
                self._wake()

    def _wake(self) -> None:
        if self._scheduled.acquire(blocking=False):
            self._dispatcher.schedule(self)

    def _has_work(self) -> bool:
        return self._mailbox.has_signals or (self.state == "running" and len(self._mailbox) > 0)

    async def _handle_signal(self, signal: object) -> None:
        match signal:
            case signals.Start(incarnation):
                await self._start(incarnation)
            case signals.Stop() if self.spec.is_supervisor and self._actor is not None:
                self.state = "stopping"
                await self._pass_on(self._actor, signal)
            case signals.Stop() | signals.Finish():
                await self._stop()
            case signals.Fail(error, incarnation):
                if incarnation == self.incarnation and self._actor is not None:
                    await self._fail(error)
            case _ if self._actor is not None:
                await self._pass_on(self._actor, signal)
            case _:
                self._refuse(signal)

    def _refuse(self, signal: object) -> None:
        done = getattr(signal, "done", None)
        if isinstance(done, Future):
            done.set_error(TerminatedError(f"{self.path} has ended"))

    async def _pass_on(self, actor: Actor, signal: object) -> None:
        try:
            await self._call(actor.on_signal, signal)
        except BaseException as error:  # whatever a handler raises is this actor's failure, and ends nothing else
            await self._fail(error)

    async def _start(self, incarnation: int) -> None:
        if incarnation <= self._abandoned:
            return
        self.incarnation = incarnation
        self._mailbox.reopen()
        self.state = "starting" if self.last_exit is None else "restarting"
        try:
            with self._as_activity():
                self._actor = self._make()
                await self._call(self._actor.on_start)
        except BaseException as error:  # whatever `on_start` raises means that this actor did not start
            self._started_at = None
            await self._let_go(error)
            self._report_exit("start_failed", error)
            return
        if not self.spec.is_supervisor:
            self.ready()

    def _make(self) -> Actor:
        actor = self._factory(Life(self))
        if not isinstance(actor, Actor):
            raise UsageError(f"{type(actor).__name__} is no Actor: subclass actors.runtime.Actor")
        return actor

    async def _stop(self) -> None:
        if self.state == "stopped":
            return
        actor, self._actor, was_running = self._actor, None, self.state == "running"
        self.state = "stopping"
        error: BaseException | None = None
        if actor is not None and was_running:
            try:
                with self._as_activity():
                    await self._call(actor.on_stop)
            except BaseException as raised:  # a failing `on_stop` is reported; the actor is stopped all the same
                error = raised
                self.publish("actor.stop_failed", error=describe(raised))
                _log.error("actor.stop_failed", path=self.path, exc_info=raised)
        self._os_process = None
        if not self._is_abandoned:
            self.close()
            self._report_exit("shutdown", error)

    async def _handle(self, envelope: Envelope) -> None:
        if envelope.deadline is not None and envelope.deadline <= self.clock.monotonic():
            self._expired += 1
            self._answer_error(envelope, AskTimeoutError(f"{self.path} had no turn for it before its deadline"))
            return
        actor = self._actor
        assert actor is not None, "a running cell has a behaviour"  # noqa: S101  # guarded by `state`
        self._in_hand = envelope
        try:
            with self._as_activity(envelope.correlation):
                if isinstance(envelope.message, PROXY_MESSAGES):
                    result = handle_proxied(actor, envelope.message)
                    if inspect.isawaitable(result):
                        result = await self._awaited(result)
                else:
                    result = await self._call(actor.on_receive, envelope.message)
        except BaseException as error:  # what is not declared is this actor's failure, and ends nothing else
            self._processed += 1
            if isinstance(error, (RejectedError, *actor.expected_errors)):
                self._answer_expected(envelope, error)
            else:
                await self._fail_while_handling(envelope, error)
        else:
            self._processed += 1
            if envelope.reply is not None:
                envelope.reply.set_result(result)
        finally:
            self._in_hand = None

    async def _call(self, hook: Callable[..., Any], *args: Any) -> Any:
        result = hook(*args)
        return await self._awaited(result) if inspect.isawaitable(result) else result

    async def _awaited(self, result: Any) -> Any:
        if self.spec.is_async:
            return await result
        if inspect.iscoroutine(result):
            result.close()
        raise UsageError(f'{self.path}: an `async def` handler needs `dispatcher = "async"`')

    def _answer_expected(self, envelope: Envelope, error: BaseException) -> None:
        if envelope.reply is not None:
            envelope.reply.set_error(error)
        else:
            self.publish("actor.error_unobserved", error=describe(error), message_type=envelope.kind())

    async def _fail_while_handling(self, envelope: Envelope, error: BaseException) -> None:
        failure = ActorFailedError(f"{self.path} failed on {envelope.kind()}: {describe(error)}")
        failure.__cause__ = error
        self._record_dead_letter(envelope, f"the actor failed on it: {describe(error)}")
        await self._fail(error, answer=lambda: self._answer_error(envelope, failure))

    async def _fail(self, error: BaseException, *, answer: Callable[[], None] = lambda: None) -> None:
        reason: ExitKind = "start_failed" if self._started_at is None else "failed"
        if isinstance(error, KilledError):
            reason = "killed"
        if not self._is_abandoned:
            self.state = "restarting"
        self._started_at = None
        _log.error("actor.failed", path=self.path, incarnation=self.incarnation, exc_info=error)
        await self._let_go(error)
        # After the state has changed, so that the asker finds the failure done; before the report, which may end this process.
        answer()
        self._report_exit(reason, error)

    @property
    def _is_abandoned(self) -> bool:
        return self.incarnation <= self._abandoned

    def _report_exit(self, reason: ExitKind, error: BaseException | None) -> None:
        if not self._is_abandoned:
            self._report(
                signals.ChildExited(self.path, self.incarnation, exit_of(reason, error, timestamp(self.clock.wall())), error)
            )

    def _give_up_in_hand(self) -> None:
        if (envelope := self._in_hand) is not None:
            self._answer_error(envelope, TerminatedError(f"{self.path} was given up while it handled {envelope.kind()}"))

    async def _let_go(self, error: BaseException) -> None:
        actor, self._actor = self._actor, None
        self._os_process = None
        if actor is None:
            return
        try:
            with self._as_activity():
                await self._call(actor.on_failure, type(error), error, error.__traceback__)
        except BaseException:  # a failing `on_failure` changes nothing: the actor has failed already
            _log.error("actor.on_failure_failed", path=self.path, exc_info=sys.exc_info())

    def _answer_error(self, envelope: Envelope, error: Exception) -> None:
        if envelope.reply is not None:
            envelope.reply.set_error(error)

    def _undeliverable(self, envelope: Envelope) -> None:
        self._answer_error(envelope, TerminatedError(f"{self.path} ended before it handled {envelope.kind()}"))
        if envelope.reply is None:
            self._record_dead_letter(envelope, "the actor has ended")

    def _record_dead_letter(self, envelope: Envelope, reason: str) -> None:
        dead_letters, kind = self._surroundings.dead_letters, envelope.kind()
        dead_letters.record(self.path, sender=envelope.sender, type_=kind, message=envelope.message, reason=reason)

    def _as_activity(self, correlation: int = 0) -> During:
        return During(Activity(self.path, self.incarnation, correlation))
