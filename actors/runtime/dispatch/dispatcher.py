"""What dispatchers and cells promise each other.

A cell is scheduled at most once at a time (`mailbox.py` holds that flag), so a dispatcher only has to run what it is given.
"""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Literal, Protocol

DispatcherKind = Literal["shared", "pinned", "async"]
KINDS: tuple[DispatcherKind, ...] = ("shared", "pinned", "async")
JOIN_S = 2.0


BATCH = range(64)
"""Messages in one go: enough to make the hand-over cheap, few enough that other actors get their turn soon."""


class Runnable(Protocol):
    """What a dispatcher runs: a cell's turn, which handles what waits, up to a bound."""

    def turn(self) -> None:
        """Handle what waits, on this thread."""
        ...

    def turn_async(self) -> Coroutine[Any, Any, None]:
        """Handle what waits, where handlers may be coroutines."""
        ...


class Dispatcher(Protocol):
    """Runs turns. `serves_one` is true where it belongs to one cell, which closes it; `batch` counts the messages in one go."""

    serves_one: ClassVar[bool]
    batch: ClassVar[range]

    @property
    def schedule(self) -> Callable[[Runnable], None]:
        """Has a turn of a cell run soon. Any thread may call; never blocks."""
        ...

    def has_others(self) -> bool:
        """Tell whether other cells wait for a turn, so that the one which runs should make room."""
        ...

    def blocking(self) -> AbstractContextManager[None]:
        """Let the dispatcher know, for as long as the block lasts, that its thread waits in a handler."""
        ...

    def do_without(self, thread: int) -> None:
        """Make up for a thread of its own on which an actor that was given up is stuck, so that others get their turns."""
        ...

    def close(self) -> None:
        """Run no more turns, and end the threads; one that is stuck in a handler is left behind."""
        ...


class DispatcherSource(Protocol):
    """Gives each actor of a system its dispatcher."""

    def of_kind(self, kind: DispatcherKind, actor: str) -> Dispatcher:
        """Give the dispatcher for an actor named `actor`."""
        ...

    def instead_of(self, hung: Dispatcher, actor: str, thread: int | None) -> Dispatcher:
        """Give a dispatcher that can go on for the actor whose handler hangs on `thread`, a thread of the dispatcher `hung`."""
        ...

    def close(self) -> None:
        """Run no more turns."""
        ...


def run_to_end(steps: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never really awaits, on this thread."""
    try:
        steps.send(None)
    except StopIteration:
        return
    steps.close()
    raise RuntimeError("a hook awaited outside an event loop")
