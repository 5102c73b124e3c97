"""Stock Pykka, the anchor: a thread an actor, an unbounded inbox, and `ask` as Pykka's documentation writes it.

`ask` has no deadline, because Pykka's default has none; Symphony's asks carry theirs. Pykka's `start` returns before the actor's
`on_start` has run, Symphony's `spawn` after it. Both differences are in Pykka's favour.
"""

import queue
import threading

import pykka

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

NAME = "pykka"


class _Counter(Counting, pykka.ThreadingActor):
    pass


class _Echo(Echoing, pykka.ThreadingActor):
    pass


class _Asker(Asking, pykka.ThreadingActor):
    pass


class _Passer(Passing, pykka.ThreadingActor):
    pass


class _Idler(Idling, pykka.ThreadingActor):
    pass


def tell(messages: int) -> Figure:
    """Messages a second from one thread to one actor, until all are handled."""
    done = threading.Event()
    ref = _Counter.start(messages, done)
    try:
        return tell_all(ref, messages, done)
    finally:
        ref.stop()


def ask(times: int) -> Figure:
    """A round trip from a thread, in us."""
    ref = _Echo.start()
    try:
        return ask_each(ref.ask, times)
    finally:
        ref.stop()


def actor_ask(times: int) -> Figure:
    """A round trip from actor to actor, in us."""
    results: queue.SimpleQueue[list[float]] = queue.SimpleQueue()
    echo = _Echo.start()
    asker = _Asker.start(echo.ask, results)
    try:
        return let_ask(asker, times, results)
    finally:
        asker.stop()
        echo.stop()


def ring(actors: int, laps: int) -> Figure:
    """Hops a second of one token."""
    done = threading.Event()
    refs: list[Ref] = []
    started = [_Passer.start(refs, (number + 1) % actors, done) for number in range(actors)]
    refs.extend(started)
    try:
        return go_round(refs, laps, done)
    finally:
        for ref in started:
            ref.stop()


def spawn(actors: int) -> Figure:
    """Actors a second. Few are spawned: Pykka slows down with the threads that there are, which would flatter others."""
    figure, refs = spawn_all(lambda _number: _Idler.start(), actors)
    for ref in refs:
        ref.stop()
    return figure
