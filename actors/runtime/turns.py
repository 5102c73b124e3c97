"""Turns: what a dispatcher's thread does with a cell: every signal, then messages, one at a time, up to a bound.

The way of a message through a turn is the runtime's hottest: it calls the handler and looks at what comes back, and leaves
everything that is out of the ordinary (a signal, a failure, a coroutine) to coroutines, which cost more.
"""

import asyncio
import inspect
from types import CoroutineType
from typing import Any, NoReturn

from . import lives, signals
from .actor import Actor
from .cell_face import Cell
from .current import Activity, During, here
from .dispatch.dispatcher import run_to_end
from .envelope import Envelope, ReplySlot
from .errors import AskTimeoutError, TerminatedError, UsageError
from .exits import describe
from .flight.recorder import Recorded, Seat
from .future import Future
from .life import Life
from .log import Log
from .mailbox import Waiting
from .messages import PROXY_MESSAGES
from .priority_queue import PriorityQueue
from .proxied import handle_proxied

_log = Log()

CANCEL_S = 2.0
"""How long a coroutine may take to end after it was cancelled."""
_PROXIED: frozenset[type] = frozenset(PROXY_MESSAGES)


def run(cell: Cell) -> None:
    """Run a turn on this thread; who calls has the cell's flag, and has it no more afterwards."""
    try:
        while True:
            while cell.signals:
                run_to_end(handle_signal(cell, cell.signals.pop(0)))
            if cell.state != "running" or not (waiting := cell.waiting):
                break
            handle_batch(cell, waiting)
            if not (waiting or cell.signals) or cell.dispatcher.has_others():
                break
    except BaseException as error:  # a fault of the runtime; it must not end the thread, which may serve others
        _log.exception("actor.turn_failed", path=cell.path)
        run_to_end(fail_by_fault(cell, error))
    finally:
        cell.end_turn()


async def run_async(cell: Cell) -> None:
    """Run a turn on an event loop: handlers may be coroutines."""
    try:
        for _ in cell.dispatcher.batch:
            if cell.signals:
                signal = cell.signals.pop(0)
                await settle(cell, signal)
                await handle_signal(cell, signal)
            elif (
                (life := cell.life) is None
                or cell.state != "running"
                or not cell.has_free_hands
                or (envelope := cell.take()) is None
            ):
                break
            elif cell.kind.concurrency > 1:
                begin_to_handle(cell, envelope)
            else:
                await handle(cell, envelope, life)
    except BaseException as error:  # a fault of the runtime; it must not end the loop, which serves others
        _log.exception("actor.turn_failed", path=cell.path)
        await fail_by_fault(cell, error)
    finally:
        cell.end_turn()


async def fail_by_fault(cell: Cell, error: BaseException) -> None:
    """End the life in which the runtime itself has gone wrong, so that its supervisor hears of it."""
    try:
        if cell.actor is not None:
            await lives.fail(cell, error)
    except BaseException:  # there is nothing left to do for this actor; the others go on
        _log.exception("actor.turn_failed", path=cell.path)


def start_here(cell: Cell) -> BaseException | None:
    """Begin the first life of a cell whose flag the caller has and keeps, on this thread; give what prevented it, or None.

    The cell's supervisor hears of a failure by itself, and of readiness by the caller.
    """
    life = lives.begin(cell, cell.begun)
    station = here()
    before, station.activity = station.activity, life
    try:
        with Recorded(life.seat, "on_start"):
            started = lives.made(cell, life)
        if started is not None and isinstance(started, CoroutineType):
            refuse_coroutine(cell, started)
    except BaseException as error:  # whatever `on_start` raises means that this actor did not start
        run_to_end(lives.fail_to_start(cell, error))
        return error
    finally:
        station.activity = before
    cell.set_running()
    return None


def fail_here(cell: Cell, error: BaseException) -> None:
    """Fail an actor because of a fault in what was done for it, on this thread; who calls has the cell's flag."""
    run_to_end(lives.fail(cell, error))


def refuse(cell: Cell, signal: object) -> None:
    """Answer a signal that nobody will handle."""
    done = getattr(signal, "done", None)
    if isinstance(done, Future):
        done.set_error(TerminatedError(f"{cell.path} has ended"))


def handle_batch(cell: Cell, waiting: Waiting, batch: range | None = None) -> None:
    """Handle what waits, up to a bound: the dispatcher's, or `batch`; who calls has the cell's flag."""
    actor, life = cell.actor, cell.life
    assert actor is not None, "a running cell has a behaviour"  # noqa: S101  # guarded by `state`
    assert life is not None, "a running cell has a life"  # noqa: S101  # guarded by `state`
    pop, signals_wait, on_receive = waiting.popleft, cell.signals, actor.on_receive
    station = here()
    before, station.activity = station.activity, life
    life.began = cell.now()
    seat = life.seat
    if seat is not None:
        _record_batch(seat, waiting, life.began)
    try:
        for _ in batch or cell.dispatcher.batch:
            # Looked at before it is taken: an exception costs more than a message.
            if signals_wait or not waiting:
                return
            try:
                envelope = pop()
            except IndexError:  # a sender has dropped or withdrawn it
                return
            if cell.blocked:
                cell.tell_there_is_room()
            life.in_hand = envelope
            try:
                if envelope.is_plain:
                    result = (life.handler or on_receive)(envelope.message)
                    if result is not None and isinstance(result, CoroutineType):
                        refuse_coroutine(cell, result)
                elif not _handle_particular(cell, actor, life, envelope):
                    continue
            except BaseException as error:  # what is not declared is this actor's failure, and ends nothing else
                if not answered(cell, life, envelope, error):
                    cell.processed += 1
                    run_to_end(fail(cell, life, envelope, error))
                    return
            cell.processed += 1
    finally:
        life.in_hand = life.began = None
        station.activity = before
        if seat is not None:
            seat.end()


def _record_batch(seat: Seat, waiting: Waiting, began: float) -> None:
    """Record that a batch begins, and its first message: to record each would cost a tenth of what it takes to handle it."""
    try:
        first = waiting.first() if isinstance(waiting, PriorityQueue) else waiting[0]
    except IndexError:  # a sender has dropped or withdrawn it
        return
    seat.begin(first.message.__class__, -began if len(waiting) > 1 else began)


def _handle_particular(cell: Cell, actor: Actor, life: Life, envelope: Envelope) -> bool:
    """Handle an ask, or what a proxy sends; False where its time was up. Raises what the handler raises."""
    if _has_expired(cell, envelope):
        return False
    result, reply = handled(cell, actor, life, envelope.message), envelope.reply
    if reply is not None and life.in_hand is not None:
        if result.__class__ is Future:
            answer(reply, result)
        else:
            reply.set_result(result)
    return True


def handled(cell: Cell, actor: Actor, life: Life, message: Any) -> Any:
    """Call the handler, which runs on this thread, and give what it returns. Raises what it raises."""
    proxied = message.__class__ in _PROXIED
    result = handle_proxied(actor, message) if proxied else (life.handler or actor.on_receive)(message)
    if result is not None and isinstance(result, CoroutineType):
        refuse_coroutine(cell, result)
    return result


def refuse_coroutine(cell: Cell, result: "CoroutineType[Any, Any, Any]") -> NoReturn:
    """Raise `UsageError`: nobody would run this handler's coroutine."""
    result.close()
    raise UsageError(f'{cell.path}: an `async def` handler needs `dispatcher = "async"`')


async def handle(cell: Cell, envelope: Envelope, act: Activity) -> None:
    """Handle one message on an event loop, in the task that runs this."""
    actor, life = cell.actor, cell.life
    assert actor is not None, "a running cell has a behaviour"  # noqa: S101  # guarded by `state`
    assert life is not None, "a running cell has a life"  # noqa: S101  # guarded by `state`
    if _has_expired(cell, envelope):
        return
    act.in_hand, act.began = envelope, cell.now()
    act.runner = asyncio.current_task()
    seat = life.seat if life.seat is None or act is life else life.seat.beside()
    if seat is not None:
        seat.begin(envelope.message.__class__, act.began)
    try:
        with During(act):
            message = envelope.message
            proxied = message.__class__ in _PROXIED
            result = handle_proxied(actor, message) if proxied else (life.handler or actor.on_receive)(message)
            if result.__class__ is not Future and inspect.isawaitable(result):
                result = await result
    except BaseException as error:  # what is not declared is this actor's failure, and ends nothing else
        cell.processed += 1
        if not answered(cell, act, envelope, error):
            await fail(cell, act, envelope, error)
    else:
        cell.processed += 1
        if (reply := envelope.reply) is not None and act.in_hand is not None:
            answer(reply, result)
    finally:
        act.in_hand = act.runner = act.began = None
        if seat is not None:
            seat.end()


def begin_to_handle(cell: Cell, envelope: Envelope) -> None:
    """Handle a message in a task of its own, beside others of a concurrent actor."""
    act = Activity(cell, cell.path, cell.incarnation)
    in_flight = cell.in_flight = cell.in_flight if cell.in_flight is not None else {}

    def done(_: "asyncio.Task[None]") -> None:
        in_flight.pop(act, None)
        cell.wake()

    in_flight[act] = asyncio.get_running_loop().create_task(handle(cell, envelope, act))
    in_flight[act].add_done_callback(done)


async def settle(cell: Cell, signal: object) -> None:
    """See what a concurrent actor has in hand to its end: on a stop it is finished, on a failure it is cancelled."""
    tasks = list((cell.in_flight or {}).values())
    if not tasks or not isinstance(signal, signals.Stop | signals.Fail):
        return
    if isinstance(signal, signals.Stop):
        await asyncio.wait(tasks)
    elif signal.incarnation == cell.incarnation:
        for task in tasks:
            task.cancel()
        _, stuck = await asyncio.wait(tasks, timeout=CANCEL_S)
        if stuck:
            _log.warning("actor.handlers_stuck", path=cell.path, count=len(stuck))


async def handle_signal(cell: Cell, signal: object) -> None:
    """Do what a signal says; who calls has the cell's flag."""
    match signal:
        case signals.Start(incarnation):
            await lives.start(cell, incarnation)
        case signals.Stop() if cell.kind.is_supervisor and cell.actor is not None:
            cell.state = "stopping"
            await _pass_on(cell, signal)
        case signals.Stop(again):
            await lives.stop(cell, again=again)
        case signals.Finish():
            await lives.stop(cell)
        case signals.Fail(error, incarnation, tell_asker):
            if incarnation == cell.incarnation and cell.actor is not None:
                await lives.fail(cell, error, answer=tell_asker)
            else:
                tell_asker()
        case _ if cell.actor is not None:
            await _pass_on(cell, signal)
        case _:
            refuse(cell, signal)


async def _pass_on(cell: Cell, signal: object) -> None:
    actor = cell.actor
    assert actor is not None, "signals are passed on to a behaviour"  # noqa: S101  # the caller has looked
    try:
        await lives.call(cell, actor.on_signal, signal)
    except BaseException as error:  # whatever a handler raises is this actor's failure, and ends nothing else
        await lives.fail(cell, error)


def _has_expired(cell: Cell, envelope: Envelope) -> bool:
    deadline = envelope.deadline
    if deadline is None or deadline > cell.now():
        return False
    cell.expired += 1
    envelope.answer_error(AskTimeoutError(f"{cell.path} had no turn for it before its deadline"))
    return True


def answer(reply: ReplySlot, result: Any) -> None:
    """Give an ask its answer, which may be a future: then it is answered as soon as that is."""
    if result.__class__ is not Future:
        reply.set_result(result)
        return

    def resolved(promised: "Future[Any]") -> None:
        error = promised.error()
        if error is None:
            reply.set_result(promised.get())
        else:
            reply.set_error(error)

    result.add_done_callback(resolved)


def answered(cell: Cell, act: Activity, envelope: Envelope, error: BaseException) -> bool:
    """Answer with an error that does not fail the actor; False where it does.

    A message that has been put aside is answered when it is handled, so an error of the handler's after that is nobody's.
    """
    reply, kind = envelope.reply, cell.kind
    replies = kind.ask_failure == "reply" and reply is not None and isinstance(error, Exception)
    if not replies and not isinstance(error, kind.expected):
        return False
    if act.in_hand is None or not envelope.answer_error(error):
        cell.publish("actor.error_unobserved", error=describe(error), message_type=envelope.kind())
    return True


async def fail(cell: Cell, act: Activity, envelope: Envelope, error: BaseException) -> None:
    """Fail the actor on a message. One that it has put aside meanwhile waits for the next life with the others."""
    tell_asker = signals.nobody_asked if act.in_hand is None else lives.give_up_message(cell, envelope, error)
    if act is cell.life:
        await lives.fail(cell, error, answer=tell_asker)
    else:
        # Others of this actor's handlers may be at work: a turn lets go of all of them.
        cell.signal(signals.Fail(error, act.incarnation, tell_asker))
