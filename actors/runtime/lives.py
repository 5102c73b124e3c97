"""Lives: how an incarnation of an actor begins, and how it ends: stopped, failed or let go of.

Every hook may be a coroutine where the dispatcher is `async`, so these are coroutines; on the other dispatchers they run to their
end without ever awaiting. All of it happens in a turn of the actor's own cell.
"""

import asyncio
import inspect
import sys
from collections.abc import Callable
from typing import Any

from . import signals
from .actor import Actor, ClassFactory
from .cell_face import Cell
from .clock import timestamp
from .current import During, here
from .envelope import Envelope
from .errors import ActorFailedError, TerminatedError, UsageError
from .exits import describe, exit_of
from .flight.recorder import Recorded
from .life import Life
from .log import Log
from .snapshot import ExitKind

_log = Log()


class KilledError(TerminatedError):
    """Fails an actor that is to end without being asked to stop."""


def begin(cell: Cell, incarnation: int) -> Life:
    """Let the cell have a new life."""
    cell.incarnation = incarnation
    cell.closed = False
    # Handlers that swallowed their cancellation may still be at work; they hold up the lives before, not this one.
    cell.in_flight = None
    cell.state = "starting" if cell.last_exit is None else "restarting"
    life = cell.life = Life(cell)
    if (recorder := cell.surroundings.flight) is not None:
        recorder.on_state(cell.path, incarnation, "starting")
        life.seat = recorder.seat(cell.path)
    return life


def made(cell: Cell, life: Life) -> Any:
    """Make the behaviour, call its `on_start` and give what that returns. Raises what they raise."""
    factory = cell.factory
    actor = cell.actor = factory(life)
    if factory.__class__ is not ClassFactory and not isinstance(actor, Actor):
        raise UsageError(f"{type(actor).__name__} is no Actor: subclass actors.runtime.Actor")
    return actor.on_start()


async def start(cell: Cell, incarnation: int) -> None:
    """Begin the life `incarnation`, unless it has been given up already."""
    if incarnation <= cell.abandoned or cell.is_released:
        return
    life = begin(cell, incarnation)
    life.runner = asyncio.current_task() if cell.kind.is_async else None
    station = here()
    before, station.activity = station.activity, life
    try:
        with Recorded(life.seat, "on_start"):
            started = made(cell, life)
            if started is not None and inspect.isawaitable(started):
                await awaited(cell, started)
    except BaseException as error:  # whatever `on_start` raises means that this actor did not start
        await fail_to_start(cell, error)
        return
    finally:
        station.activity = before
    if not cell.kind.is_supervisor:
        cell.ready()


async def fail_to_start(cell: Cell, error: BaseException) -> None:
    """End a life that has not become ready, because of `error`."""
    await _let_go(cell, error)
    _report_exit(cell, "start_failed", error)


async def stop(cell: Cell, *, again: bool = False) -> None:
    """End the present life as was asked, by `on_stop`. Messages that wait are kept for a life that starts `again`."""
    if cell.state == "stopped" or cell.actor is None:
        # Between two lives its supervisor knows of the end, and it is for it to say that there is no other.
        return
    was_running, actor, life = cell.state == "running", cell.actor, cell.life
    cell.state = "stopping"
    if (recorder := cell.surroundings.flight) is not None:
        recorder.on_state(cell.path, cell.incarnation, "stopping")
    error: BaseException | None = None
    if actor is not None and life is not None and was_running:
        try:
            with _as_activity(cell, life), Recorded(life.seat, "on_stop"):
                await call(cell, actor.on_stop)
        except BaseException as raised:  # a failing `on_stop` is reported; the actor is stopped all the same
            error = raised
            cell.publish("actor.stop_failed", error=describe(raised))
            _log.error("actor.stop_failed", path=cell.path, exc_info=raised)
    cell.end_life()
    if not cell.is_abandoned:
        if again:
            cell.state = "restarting"
        else:
            cell.close()
        _report_exit(cell, "shutdown", error)


async def fail(cell: Cell, error: BaseException, *, answer: Callable[[], None] = signals.nobody_asked) -> None:
    """End the present life because of `error`; `answer` tells the asker."""
    reason: ExitKind = "failed" if cell.was_ready else "start_failed"
    if isinstance(error, KilledError):
        reason = "killed"
    is_news = not cell.is_abandoned
    if is_news:
        cell.state = "restarting"
        if (recorder := cell.surroundings.flight) is not None:
            recorder.on_state(cell.path, cell.incarnation, "failed", describe(error))
    await _let_go(cell, error)
    # Afterwards: to write a line may take a while, in which the life's timers would go on.
    if is_news:
        _log.error("actor.failed", path=cell.path, incarnation=cell.incarnation, exc_info=error)
    # After the state has changed, so that the asker finds the failure done; before the report, which may end this process.
    answer()
    _report_exit(cell, reason, error)


def give_up_message(cell: Cell, envelope: Envelope, error: BaseException) -> Callable[[], None]:
    """Account for a message that a life failed on, and give what answers its asker once that life is over.

    The message waits for the next life, in front of all others, if it may be tried again; else it is a dead letter, and its
    asker hears of the failure.
    """
    envelope.failures += 1
    if envelope.failures < cell.kind.attempts:
        cell.put_back(envelope)
        return signals.nobody_asked
    failure = ActorFailedError(f"{cell.path} failed on {envelope.kind()}: {describe(error)}")
    failure.__cause__ = error
    lives = f" in {envelope.failures} lives" if envelope.failures > 1 else ""
    cell.record_dead_letter(envelope, f"the actor failed on it{lives}: {describe(error)}")

    def answer() -> None:
        envelope.answer_error(failure)

    return answer


async def call(cell: Cell, hook: Callable[..., Any], *args: Any) -> Any:
    """Call a hook and wait for what it promises, where the actor may wait."""
    result = hook(*args)
    return await awaited(cell, result) if result is not None and inspect.isawaitable(result) else result


async def awaited(cell: Cell, result: Any) -> Any:
    """Wait for a hook's or handler's result. Raises `UsageError` where the actor runs on no event loop."""
    if cell.kind.is_async:
        return await result
    if inspect.iscoroutine(result):
        result.close()
    raise UsageError(f'{cell.path}: an `async def` handler needs `dispatcher = "async"`')


def _as_activity(cell: Cell, life: Life) -> During:
    life.runner = asyncio.current_task() if cell.kind.is_async else None
    return During(life)


async def _let_go(cell: Cell, error: BaseException) -> None:
    life, actor = cell.life, cell.end_life()
    if actor is None or life is None:
        return
    try:
        with _as_activity(cell, life):
            await call(cell, actor.on_failure, type(error), error, error.__traceback__)
    except BaseException:  # a failing `on_failure` changes nothing: the actor has failed already
        _log.error("actor.on_failure_failed", path=cell.path, exc_info=sys.exc_info())


def _report_exit(cell: Cell, reason: ExitKind, error: BaseException | None) -> None:
    if not cell.is_abandoned:
        ended = exit_of(reason, error, timestamp(cell.clock.wall()))
        cell.report(signals.ChildExited(cell.path, cell.incarnation, ended, error))
