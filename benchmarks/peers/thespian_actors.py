"""Thespian in one process: `simpleSystemBase`, whose handlers run on the caller's thread, inside the call.

Wanted only where the dependency group `bench` is installed, and used in a process of its own: its system is global. Its other
systems give each actor a process; they belong to another question. A tell is handled before `tell` returns, so a rate needs no
wait at the end.
"""

import threading
from typing import Any

from thespian.actors import Actor, ActorSystem  # type: ignore[import-not-found, import-untyped, unused-ignore]  # an optional peer

from ..report import NotMeasuredError
from ..workload import BOUND_S, Figure, ask_each, spawn_all, tell_all

TELLS, ASKS, SPAWNS = 5_000, 1_000, 500


class Echo(Actor):  # type: ignore[misc, unused-ignore]  # untyped
    """Answers with what it was asked."""

    def receiveMessage(self, message: Any, sender: Any) -> None:  # noqa: N802 - Thespian's own hook
        """Answer an ask; Thespian also sends messages of its own, when an actor ends."""
        if isinstance(message, int):
            self.send(sender, message)


class Counter(Actor):  # type: ignore[misc, unused-ignore]  # untyped
    """Counts messages down and says when the last was handled."""

    def receiveMessage(self, message: Any, _sender: Any) -> None:  # noqa: N802 - Thespian's own hook
        """Take first the number of messages and whom to tell, then the messages."""
        if isinstance(message, tuple):
            self._left, self._done = message
        elif isinstance(message, int):
            self._left -= 1
            if not self._left:
                self._done.set()


class _Told:
    def __init__(self, system: Any, address: Any) -> None:
        self._system = system
        self._address = address

    def tell(self, message: Any) -> None:
        self._system.tell(self._address, message)


def measure() -> dict[str, Figure]:
    """Measure every metric once."""
    system = ActorSystem("simpleSystemBase")
    try:
        return {"tell": _tell(system), "ask": _ask(system), "spawn": _spawn(system)}
    finally:
        system.shutdown()


def _tell(system: Any) -> Figure:
    done = threading.Event()
    counter = _Told(system, system.createActor(Counter))
    counter.tell((TELLS, done))
    return tell_all(counter, TELLS, done)


def _ask(system: Any) -> Figure:
    echo = system.createActor(Echo)
    if system.ask(echo, 7, BOUND_S) != 7:
        raise NotMeasuredError("Thespian's actor did not answer")
    return ask_each(lambda message: system.ask(echo, message, BOUND_S), ASKS)


def _spawn(system: Any) -> Figure:
    figure, _ = spawn_all(lambda _number: system.createActor(Echo), SPAWNS)
    return figure
