"""Workload: what the measured actors do and how they are driven, the same code for every system that has Pykka's hooks.

A ratio is worth what its two sides have in common. So the handlers are mixins, put before each system's own actor class, and the
loops that drive them take anything with Pykka's `tell` and `ask`; a system's module only makes actors and stops them.

Rates are of many messages at a time. Round trips are timed one by one and summed up by their median: the mean of a batch is at
the mercy of the few trips in which another process took the core. The clock read costs every side the same.
"""

import gc
import queue
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from .report import NotMeasuredError, percentile

BOUND_S = 60.0
MESSAGE = 1


class Figure(Struct, frozen=True):
    """One measurement: a rate a second, or the median of many times with their p99."""

    value: float
    p99: float | None = None


class Ref(Protocol):
    """What is driven."""

    def tell(self, message: Any) -> None:
        """Send a message."""
        ...


class Counting:
    """Counts messages down and says when the last was handled."""

    def __init__(self, wanted: int, done: threading.Event) -> None:
        super().__init__()
        self._left = wanted
        self._done = done

    def on_receive(self, _message: Any) -> Any:
        """Count one message."""
        self._left -= 1
        if not self._left:
            self._done.set()


class Echoing:
    """Answers with what it was asked."""

    def on_receive(self, message: Any) -> Any:
        """Answer."""
        return message


class Asking:
    """Told a number, asks another actor that many times, from inside its handler, and puts the times into `results`."""

    def __init__(self, ask: Callable[[Any], Any], results: "queue.SimpleQueue[list[float]]") -> None:
        super().__init__()
        self._ask = ask
        self._results = results

    def on_receive(self, times: Any) -> Any:
        """Ask `times` times."""
        self._results.put(round_trips(self._ask, times))


class Passing:
    """One of a ring: passes the token on, one less, and says when it has come down to nothing."""

    def __init__(self, ring: Sequence[Ref], after: int, done: threading.Event) -> None:
        super().__init__()
        self._ring = ring
        self._after = after
        self._done = done

    def on_receive(self, token: Any) -> Any:
        """Pass the token on."""
        if token:
            self._ring[self._after].tell(token - 1)
        else:
            self._done.set()


class Idling:
    """Does nothing."""

    def on_receive(self, _message: Any) -> Any:
        """Do nothing."""


def tell_all(ref: Ref, messages: int, done: threading.Event) -> Figure:
    """Give the messages a second that one `Counting` actor handles when this thread sends as fast as it can."""
    gc.collect()
    began = time.perf_counter()
    for _ in range(messages):
        ref.tell(MESSAGE)
    wait_for(done, f"{messages} messages to be handled")
    return rate(messages, began)


def ask_each(ask: Callable[[Any], Any], times: int) -> Figure:
    """Give the time of a round trip, in us, asked from this thread."""
    gc.collect()
    return in_microseconds(round_trips(ask, times))


def let_ask(asker: Ref, times: int, results: "queue.SimpleQueue[list[float]]") -> Figure:
    """Give the time of a round trip, in us, asked by an `Asking` actor."""
    gc.collect()
    asker.tell(times)
    try:
        return in_microseconds(results.get(timeout=BOUND_S))
    except queue.Empty:
        raise NotMeasuredError(f"waited {BOUND_S:g} s for an actor to ask another {times} times") from None


def go_round(ring: Sequence[Ref], laps: int, done: threading.Event) -> Figure:
    """Give the hops a second of one token, after a lap that nobody times, in which every actor is woken for the first time."""
    ring[0].tell(len(ring))
    wait_for(done, "the token's first lap")
    done.clear()
    gc.collect()
    hops = laps * len(ring)
    began = time.perf_counter()
    ring[0].tell(hops)
    wait_for(done, f"{laps} laps of the token")
    return rate(hops, began)


def spawn_all(spawn: Callable[[int], Any], actors: int) -> tuple[Figure, list[Any]]:
    """Give the actors spawned a second, and their refs; the caller stops them."""
    gc.collect()
    began = time.perf_counter()
    refs = [spawn(number) for number in range(actors)]
    return rate(actors, began), refs


def round_trips(ask: Callable[[Any], Any], times: int) -> list[float]:
    """Ask one after the other and give the seconds that each took."""
    trips = []
    last = time.perf_counter()
    for _ in range(times):
        ask(MESSAGE)
        now = time.perf_counter()
        trips.append(now - last)
        last = now
    return trips


def rate(count: int, began: float) -> Figure:
    """Give `count` a second, since `began` by `time.perf_counter`."""
    return Figure(count / (time.perf_counter() - began))


def in_microseconds(trips: Sequence[float]) -> Figure:
    """Sum up many times, in seconds, as one figure in us."""
    return Figure(statistics.median(trips) * 1e6, percentile(trips, 99) * 1e6)


def wait_for(done: threading.Event, what: str) -> None:
    """Wait until an actor says that it is done. Raises `NotMeasuredError` after a minute."""
    if not done.wait(BOUND_S):
        raise NotMeasuredError(f"waited {BOUND_S:g} s for {what}")
