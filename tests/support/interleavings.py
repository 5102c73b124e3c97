"""Interleavings: every order in which a few threads may meet in a piece of code, explored by frontrun.

Frontrun runs the threads one bytecode at a time and tries each order that could make a difference, up to a number of
preemptions. What it does not trace it does not see: it then reports, after two or three orders, that all is well. So every race
here comes with a twin that has the bug, which must be caught; and one that holds must have been explored in more orders.

Locks, semaphores and conditions are frontrun's own while an exploration lasts, so that a thread which waits hands over; what a
race needs of them has to be made in its constructor. A thread that waits for ever is a failure like any other.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any, ClassVar, Protocol
from unittest import mock

import frontrun  # type: ignore[import-untyped]  # it comes without types
from frontrun.common import InterleavingResult  # type: ignore[import-untyped]  # as above

from actors.runtime.waiting import SemaphoreWaiter, use_waiter

MORE_THAN_BLIND = 3
"""Orders that are explored even where nothing is traced."""
PAIR = 2


class Race(Protocol):
    """What threads meet in. A new one is made for each order; its constructor is not explored."""

    threads: ClassVar[Sequence[Callable[[Any], object]]]
    """What each thread does with the race; what one raises ends the exploration."""

    def check(self) -> None:
        """Assert what must hold once every thread has ended, whatever the order was and whichever threads there were."""
        ...


def assert_holds(race: type[Race]) -> None:
    """Assert that `race` is won: each two of its threads in every order with two preemptions, all in every one with one."""
    most = 0
    for threads, preemptions in _ways(race):
        result = explored(race, threads, preemptions)
        result.assert_holds()
        most = max(most, result.num_explored)
    assert most > MORE_THAN_BLIND, f"no more than {most} orders were explored: is the code traced?"


def assert_caught(race: type[Race]) -> None:
    """Assert that there is an order in which `race` is lost, among those of `assert_holds`: it is the twin that has the bug."""
    assert any(explored(race, threads, preemptions).property_holds is False for threads, preemptions in _ways(race))


def _ways(race: type[Race]) -> Iterator[tuple[Sequence[Callable[[Any], object]], int]]:
    if len(race.threads) > PAIR:
        yield race.threads, 1
    for pair in combinations(race.threads, PAIR):
        yield pair, 2


def explored(race: type[Race], threads: Sequence[Callable[[Any], object]], preemptions: int) -> InterleavingResult:
    """Run `threads` in every order that could make a difference, up to the first in which the race is lost."""
    # Frontrun runs only where it is told that somebody meant it to: it changes `threading` for the time being.
    with mock.patch.dict(os.environ, FRONTRUN_ACTIVE="1"):
        result = frontrun.explore(
            setup=race,
            workers=list(threads),
            invariant=_holds,
            detect_io=False,
            # Time stands still while any thread can go on: a wait that is not ended by another thread lasts as long as it may.
            clock="virtual",
            preemption_bound=preemptions,
            # The order in which a race is lost is shown, and is the same one each time: to run it again tells nothing new.
            reproduce_on_failure=0,
            trace_packages=["actors.*"],
        )
    assert isinstance(result, InterleavingResult)
    return result


def wait_in_sight() -> None:
    """Have the calling thread wait with a semaphore, as where there is no eventfd, from now on.

    A wait on a file descriptor would stop the exploration, which does not see it.
    """
    use_waiter(SemaphoreWaiter())


def _holds(race: Race) -> bool:
    race.check()
    return True


class Seen:
    """A queue, or a list of callbacks, each of whose operations is one step that the exploration sees.

    Frontrun finds the operations of a deque or list by following what is on the stack, and loses some: those on the outcome of a
    conditional expression, say. A write to an attribute it never loses, and what follows one is done before another thread's.
    """

    def __init__(self, *entries: Any) -> None:
        self._entries = deque(entries)
        self._touched = bool(entries)

    def append(self, entry: Any) -> None:
        """Add at the end."""
        self._touched = True
        self._entries.append(entry)

    def appendleft(self, entry: Any) -> None:
        """Put back at the front."""
        self._touched = True
        self._entries.appendleft(entry)

    def popleft(self) -> Any:
        """Take from the front. Raises `IndexError`."""
        self._touched = True
        return self._entries.popleft()

    def pop(self, _first: int = 0) -> Any:
        """Take from the front, as of a list. Raises `IndexError`."""
        self._touched = True
        return self._entries.popleft()

    def remove(self, entry: Any) -> None:
        """Take out. Raises `ValueError`."""
        self._touched = True
        self._entries.remove(entry)

    def clear(self) -> None:
        """Take all out."""
        self._touched = True
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries) if self._touched else 0

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._entries) if self._touched else ())

    def __getitem__(self, place: int) -> Any:
        if not self._touched:
            raise IndexError(place)
        return self._entries[place]
