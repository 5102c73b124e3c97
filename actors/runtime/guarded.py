"""GuardedCell: the cell of an actor that may hang in a process that cannot be killed for it.

A Python thread cannot be ended from outside. So a handler that hangs is left behind on its thread, and the duty of its turn is
taken away: whoever takes it ends the life, and the next one runs its turns elsewhere, at once. The guard makes that safe. It is
open while a handler runs, and both sides close it in one atomic step, the turn when its handler returns, the taker when it gives
up on that; who comes second has no duty any more. A turn that has lost it lets go of its own actor and touches nothing else.
Hooks are not guarded: what is stuck in `on_start` or `on_stop` is followed in another cell, as any actor is (`succession`).

A told message then costs twice as much (1.2 µs instead of 0.5), because the guard goes round each message and not round a batch:
an abandoned life must not take another one. So only actors with `hang_after` have it, and in a node nobody needs it. They are not
run on their asker's thread either, since nobody could make up for that.
"""

import threading
from collections.abc import Callable
from typing import Any

from msgspec import structs

from . import signals, turns
from .actor import Actor, ActorFactory, Supervisor
from .address import ActorPath
from .cell import ActorCell
from .cell_spec import CellKind, Surroundings
from .dispatch.dispatcher import Dispatcher, run_to_end
from .lives import KilledError, awaited
from .log import Log

_log = Log()

ONE = range(1)

Replacing = Callable[[Dispatcher, str, int | None], Dispatcher]
"""Gives a dispatcher that can go on for an actor that hangs on a thread of another one."""


class Guard:
    """Says of one turn who ends it. `thread` is the one that runs the handler, while it is open."""

    __slots__ = ("_closed", "thread")

    def __init__(self) -> None:
        self.thread: int | None = None
        self._closed = threading.Lock()
        self._closed.acquire()

    def open(self) -> None:
        """Allow the turn to be taken away. Only in the turn."""
        self.thread = threading.get_ident()
        self._closed.release()

    def close(self) -> bool:
        """Allow it no more; False where the other side was first, or it was not open."""
        return self._closed.acquire(False)


class GuardedCell(ActorCell):
    """A cell that can be taken out of the hands of a handler that hangs, by `abandon`."""

    __slots__ = ("_instead_of", "guard")

    def __init__(
        self,
        path: ActorPath,
        kind: CellKind,
        surroundings: Surroundings,
        factory: ActorFactory,
        dispatcher: Dispatcher,
        report: Callable[[signals.ChildReport], None],
        supervisor: Supervisor | None,
        instead_of: Replacing,
    ) -> None:
        kind = structs.replace(kind, inline=False) if kind.inline else kind
        super().__init__(path, kind, surroundings, factory, dispatcher, report, supervisor)
        self._instead_of = instead_of
        self.guard = Guard()
        self._go_on_by(dispatcher)

    def abandon(self, reason: str) -> None:
        """Give up a life that does not end; if that is because it hangs, the next one runs at once, whatever its handler does."""
        is_hung = self.state == "hung"
        super().abandon(reason)
        if is_hung and (self.guard.close() or (self.kind.concurrency > 1 and self.begin_turn())):
            self._take_over(self.guard.thread)

    def anew(self, dispatcher: Dispatcher) -> "GuardedCell":
        """Make another cell for the same actor, which has had no life yet."""
        path, kind, around, made = self.path, self.kind, self.surroundings, self.factory
        return GuardedCell(path, kind, around, made, dispatcher, self.report, self._supervisor, self._instead_of)

    def turn(self) -> None:
        """Run a turn on this thread, one message at a time."""
        guard, is_ours, actor = self.guard, True, self.actor
        try:
            for _ in self.dispatcher.batch:
                while self.signals:
                    run_to_end(turns.handle_signal(self, self.signals.pop(0)))
                if self.state != "running" or not (waiting := self.waiting):
                    break
                actor = self.actor
                guard.open()
                try:
                    turns.handle_batch(self, waiting, ONE)
                finally:
                    is_ours = guard.close()
                if not is_ours:
                    break
        except BaseException as error:  # a fault of the runtime; it must not end the thread, which may serve others
            _log.exception("actor.turn_failed", path=self.path)
            if is_ours:
                run_to_end(turns.fail_by_fault(self, error))
        finally:
            if is_ours:
                self.end_turn()
            else:
                run_to_end(self._let_go_late(actor))

    async def turn_async(self) -> None:
        """Run a turn on an event loop."""
        guard, is_ours, actor = self.guard, True, self.actor
        try:
            for _ in self.dispatcher.batch:
                if self.signals:
                    await turns.handle_signal(self, self.signals.pop(0))
                elif (life := self.life) is None or self.state != "running" or (envelope := self.take()) is None:
                    break
                else:
                    actor = self.actor
                    guard.open()
                    try:
                        await turns.handle(self, envelope, life)
                    finally:
                        is_ours = guard.close()
                    if not is_ours:
                        break
        except BaseException as error:  # a fault of the runtime; it must not end the loop, which serves others
            _log.exception("actor.turn_failed", path=self.path)
            if is_ours:
                await turns.fail_by_fault(self, error)
        finally:
            if is_ours:
                self.end_turn()
            else:
                await self._let_go_late(actor)

    def _go_on_by(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        if self.kind.concurrency > 1:
            # Its handlers are tasks beside the turn, and what the loop that they hold up has still to do is to begin one.
            self._schedule = lambda _: self._schedule_concurrent()
        else:
            self._schedule = dispatcher.schedule

    def _schedule_concurrent(self) -> None:
        guard = self.guard
        guard.open()
        self.dispatcher.schedule(_ConcurrentTurn(self, guard))

    def _take_over(self, thread: int | None) -> None:
        """End the life in the place of a turn that hangs on `thread`. Only who has the duty of the turn."""
        life = self.life
        envelope = None if life is None else life.in_hand
        self.guard = Guard()
        self.in_flight = None
        self._go_on_by(self._instead_of(self.dispatcher, self.path, thread))
        self.end_life()
        if envelope is not None and envelope.is_plain:
            self.record_dead_letter(envelope, "the actor hung on it")
        self.end_turn()

    async def _let_go_late(self, actor: Actor | None) -> None:
        """Let an actor that was left behind clean up, on its own thread, now that its handler has returned."""
        if actor is None:
            return
        error = KilledError(f"{self.path} was given up while it hung")
        try:
            result: Any = actor.on_failure(KilledError, error, None)
            if result is not None and hasattr(result, "__await__"):
                await awaited(self, result)
        except BaseException:  # a failing `on_failure` changes nothing: the actor was given up long ago
            _log.exception("actor.on_failure_failed", path=self.path)


class _ConcurrentTurn:
    """A turn of a concurrent actor that its loop has still to begin, if it has not been taken away by then."""

    __slots__ = ("_cell", "_guard")

    def __init__(self, cell: GuardedCell, guard: Guard) -> None:
        self._cell = cell
        self._guard = guard

    def turn(self) -> None:
        """Not on a thread: a concurrent actor is `async`."""
        raise NotImplementedError

    async def turn_async(self) -> None:
        """Run the turn."""
        if self._guard.close():
            await turns.run_async(self._cell)
