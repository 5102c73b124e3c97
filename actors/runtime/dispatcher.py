"""Dispatchers: which thread runs which mailbox.

`shared` runs many actors in batches on a few threads; its actors must not block. `pinned` gives an actor a thread of its own,
which may block. `async` runs coroutine handlers on one event loop. An actor names its dispatcher; a spawn may choose another.

A cell is scheduled at most once at a time (`cell.py` holds that flag), so a dispatcher only has to run what it is given.
"""

import asyncio
import queue
import threading
import time
import weakref
from collections.abc import Coroutine
from typing import Any, ClassVar, Literal, Protocol

DispatcherKind = Literal["shared", "pinned", "async"]
KINDS: tuple[DispatcherKind, ...] = ("shared", "pinned", "async")
SHARED_THREADS = 2
JOIN_S = 2.0


class Runnable(Protocol):
    """What a dispatcher runs: a cell's turn, which handles what waits, up to a bound."""

    def turn(self) -> Coroutine[Any, Any, None]:
        """Handle what waits. Awaits only where the dispatcher is `async`."""
        ...


class Dispatcher(Protocol):
    """Runs turns. `serves_one` is true where it belongs to one cell, which closes it."""

    serves_one: ClassVar[bool]

    def schedule(self, cell: Runnable) -> None:
        """Run a turn of `cell` soon. Any thread may call; never blocks."""
        ...

    def close(self) -> None:
        """Run no more turns, and end the threads; one that is stuck in a handler is left behind."""
        ...


def run_to_end(turn: Coroutine[Any, Any, None]) -> None:
    """Run a turn that never really awaits, on this thread."""
    try:
        turn.send(None)
    except StopIteration:
        return
    turn.close()
    raise RuntimeError("a turn awaited outside an event loop")


class SharedDispatcher:
    """A few threads for many actors."""

    serves_one: ClassVar[bool] = False

    def __init__(self, name: str, threads: int = SHARED_THREADS) -> None:
        self._runnable: queue.SimpleQueue[Runnable | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-shared-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def schedule(self, cell: Runnable) -> None:
        """Queue a turn; the next free thread runs it."""
        self._runnable.put(cell)

    def close(self) -> None:
        """End the threads after the turns that are queued already."""
        for _ in self._threads:
            self._runnable.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(JOIN_S)

    def _work(self) -> None:
        while (cell := self._runnable.get()) is not None:
            run_to_end(cell.turn())


class PinnedDispatcher:
    """One thread for one actor. `close` does not wait, since a supervisor calls it; `join` does."""

    serves_one: ClassVar[bool] = True

    def __init__(self, name: str) -> None:
        self._runnable: queue.SimpleQueue[Runnable | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"{name}-pinned", daemon=True)
        self._thread.start()

    def schedule(self, cell: Runnable) -> None:
        """Queue a turn on the thread."""
        self._runnable.put(cell)

    def close(self) -> None:
        """End the thread after the turns that are queued already."""
        self._runnable.put(None)

    def join(self, timeout: float) -> None:
        """Wait until the thread has ended, `timeout` seconds at most."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def _work(self) -> None:
        while (cell := self._runnable.get()) is not None:
            run_to_end(cell.turn())


class AsyncDispatcher:
    """One event loop, on a thread of its own, for every `async` actor of a system."""

    serves_one: ClassVar[bool] = False

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._turns: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._serve, name=f"{name}-async", daemon=True)
        self._thread.start()

    def schedule(self, cell: Runnable) -> None:
        """Start a turn as a task of the loop; on a closed loop, do nothing."""
        try:
            self._loop.call_soon_threadsafe(self._begin, cell)
        except RuntimeError:
            if not self._loop.is_closed():
                raise

    def close(self) -> None:
        """Cancel the tasks and end the loop."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(JOIN_S)

    def _begin(self, cell: Runnable) -> None:
        task = self._loop.create_task(cell.turn())
        # The loop keeps only weak references to its tasks.
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()


class Dispatchers:
    """The dispatchers of one system, made when they are first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._shared: SharedDispatcher | None = None
        self._async: AsyncDispatcher | None = None
        # Weak: one that has ended is of no interest, and its own thread keeps it until then.
        self._pinned: weakref.WeakSet[PinnedDispatcher] = weakref.WeakSet()

    def of_kind(self, kind: DispatcherKind, actor: str) -> Dispatcher:
        """Give the dispatcher for an actor named `actor`; a pinned one is new each time, and its cell closes it."""
        if kind == "pinned":
            pinned = PinnedDispatcher(actor)
            with self._lock:
                self._pinned.add(pinned)
            return pinned
        with self._lock:
            if kind == "shared":
                self._shared = self._shared or SharedDispatcher(self._name)
                return self._shared
            self._async = self._async or AsyncDispatcher(self._name)
            return self._async

    def close(self) -> None:
        """Close those that several actors share, and wait 2 s at most for the threads of the others, closed by their cells."""
        with self._lock:
            made = [dispatcher for dispatcher in (self._shared, self._async) if dispatcher is not None]
            self._shared = self._async = None
            pinned = list(self._pinned)
        for dispatcher in made:
            dispatcher.close()
        deadline = time.monotonic() + JOIN_S
        for one in pinned:
            one.join(max(0.0, deadline - time.monotonic()))
