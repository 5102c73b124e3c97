"""Waiting: how a handler or any other thread stops until something is there, and what has to be known about it meanwhile."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .current import Activity, Occupied, Wait
from .errors import AskCycleError, UsageError
from .waiter import EventfdWaiter, SemaphoreWaiter, Waiter


def _new_waiter() -> Waiter:
    return EventfdWaiter() if hasattr(os, "eventfd") else SemaphoreWaiter()


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.waiter = _new_waiter()


_of_thread = _OfThread()


def _begin_anew() -> None:
    _of_thread.waiter = _new_waiter()


# A child of a fork has its parent's descriptor, and would take wakes from it.
os.register_at_fork(after_in_child=_begin_anew)


def waiter_of_this_thread() -> Waiter:
    """Give what the calling thread waits with: one for all its waits, closed with the thread."""
    return _of_thread.waiter


def use_waiter(waiter: Waiter) -> Waiter:
    """Let the calling thread wait with `waiter` from now on, and give what it waited with before."""
    before, _of_thread.waiter = _of_thread.waiter, waiter
    return before


def refuse_on_event_loop() -> None:
    """Raise `UsageError` on a thread whose event loop is running, which a wait would stop."""
    # The public `get_running_loop` raises where there is none, which costs more than the whole wait.
    if asyncio._get_running_loop() is not None:  # noqa: SLF001
        raise UsageError("waiting for an answer would stop this thread's event loop: `await ref.ask(…, block=False)`")


@contextmanager
def waiting_for(current: Activity, waits: tuple[Wait, ...]) -> Iterator[None]:
    """Let it be known that the handler which runs here waits, for as long as the block lasts.

    Raises `AskCycleError` where one that has to answer waits for this actor already, directly or through others: nobody of them
    would go on. The edges are there before the search begins, so of two actors that ask each other at once one finds out.
    """
    current.waits_for = (*current.waits_for, *waits)
    try:
        for wait in waits:
            refuse_cycle(current.cell, wait.target)
        yield
    finally:
        # One's own by identity: threads that share a handler's context may end their waits in any order.
        current.waits_for = tuple(kept for kept in current.waits_for if not any(kept is own for own in waits))


def refuse_cycle(asker: Occupied, target: Occupied) -> None:
    """Raise `AskCycleError` where `target` is `asker` or waits for it."""
    way: dict[Occupied, Occupied | None] = {target: None}
    to_look_at = [target]
    while to_look_at:
        cell = to_look_at.pop()
        if cell is asker:
            raise AskCycleError(" asks ".join((str(asker.path), *_names(way, cell))))
        for wait in cell.waits_for:
            if wait.target not in way and not wait.is_over():
                way[wait.target] = cell
                to_look_at.append(wait.target)


def _names(way: dict[Occupied, Occupied | None], end: Occupied) -> list[str]:
    names = [str(end.path)]
    cell = way.get(end)
    while cell is not None:
        names.append(str(cell.path))
        cell = way[cell]
    return names[::-1]
