"""Symphony's own runtime, with everything on: bounded mailboxes, the default deadline of an ask, statistics.

Every measurement has a system of its own, so that none finds the pool, the names or the garbage of another.
"""

import queue
import threading
from typing import Literal

from actors.runtime import Actor, ActorSystem

from ..workload import (
    Asking,
    Counting,
    Echoing,
    Figure,
    Idling,
    Passing,
    Ref,
    ask_each,
    go_round,
    let_ask,
    spawn_all,
    tell_all,
)

ROOMY = 1_000_000


class _SharedCounter(Counting, Actor):
    # The sender outruns the actor, and Pykka's inbox has no bound: this one holds them all, so that nobody waits or refuses.
    mailbox_capacity = ROOMY


class _PinnedCounter(Counting, Actor):
    dispatcher = "pinned"
    mailbox_capacity = ROOMY


class _SharedEcho(Echoing, Actor):
    pass


class _PinnedEcho(Echoing, Actor):
    dispatcher = "pinned"


class _InlineEcho(Echoing, Actor):
    inline = True


class _InlineAsker(Asking, Actor):
    inline = True


class _Passer(Passing, Actor):
    pass


class _Idler(Idling, Actor):
    pass


COUNTERS: dict[str, type[Actor]] = {"shared": _SharedCounter, "pinned": _PinnedCounter}
ECHOES: dict[str, type[Actor]] = {"shared": _SharedEcho, "pinned": _PinnedEcho, "inline": _InlineEcho}


def tell(kind: Literal["shared", "pinned"], messages: int) -> Figure:
    """Messages a second from one thread to one actor, until all are handled; at most a million, which is its mailbox."""
    done = threading.Event()
    with ActorSystem("tell") as system:
        return tell_all(system.spawn(COUNTERS[kind], name="counter", args=(messages, done)), messages, done)


def ask(kind: Literal["shared", "pinned", "inline"], times: int) -> Figure:
    """A round trip from a thread, in us."""
    with ActorSystem("ask") as system:
        return ask_each(system.spawn(ECHOES[kind], name="echo").ask, times)


def actor_ask(times: int) -> Figure:
    """A round trip from actor to actor, both shared and inline, in us. The asker is told to, so it runs on the pool."""
    results: queue.SimpleQueue[list[float]] = queue.SimpleQueue()
    with ActorSystem("actor-ask") as system:
        echo = system.spawn(_InlineEcho, name="echo")
        return let_ask(system.spawn(_InlineAsker, name="asker", args=(echo.ask, results)), times, results)


def ring(actors: int, laps: int) -> Figure:
    """Hops a second of one token."""
    done = threading.Event()
    refs: list[Ref] = []
    with ActorSystem("ring") as system:
        refs.extend(
            [system.spawn(_Passer, name=f"passer-{n}", args=(refs, (n + 1) % actors, done)) for n in range(actors)],
        )
        return go_round(refs, laps, done)


def spawn(actors: int) -> Figure:
    """Actors a second, each supervised, named and running when `spawn` returns."""
    with ActorSystem("spawn") as system:
        figure, _ = spawn_all(lambda number: system.spawn(_Idler, name=f"idler-{number}"), actors)
        return figure
