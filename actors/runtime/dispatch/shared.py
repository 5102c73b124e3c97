"""SharedDispatcher: a few threads for many actors, which grow while handlers wait.

Two threads do the work of any number of actors, since only one runs Python at a time. A handler that waits (for an answer, say)
takes its thread with it: two that wait for a third would be a deadlock. So a wait is announced, and while fewer threads than two
can run, another is started, up to a bound; it ends once it has had nothing to do for a while. Waiting in a shared actor works,
then, but it costs a thread: each that is started is reported as starvation. (Java's ForkJoinPool compensates so for `join`.)

A thread whose handler hangs is lost, and another takes its place; should the handler return after all, its thread ends.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from ..current import make_station
from .dispatcher import BATCH, JOIN_S, Runnable

THREADS = 2
MAX_THREADS = 64
SPARE_S = 10.0
"""How long a thread that was started for one that waits is kept with nothing to do."""

Starved = Callable[[int, int, bool], None]
"""Hears of starvation: how many threads there are, how many of them wait, and whether another could be started."""


class SharedDispatcher:
    """A few threads for many actors. `on_starved` is called on the thread that is about to wait."""

    serves_one: ClassVar[bool] = False
    batch: ClassVar[range] = BATCH

    def __init__(self, name: str, on_starved: Starved, threads: int = THREADS, max_threads: int = MAX_THREADS) -> None:
        self._name = name
        self._on_starved = on_starved
        self._wanted = threads
        self._most = max_threads
        self._runnable: queue.SimpleQueue[Any] = queue.SimpleQueue()
        # The queue's own method, and no call in between: it is on the way of most messages.
        self.schedule: Callable[[Runnable], None] = self._runnable.put
        self._lock = threading.Lock()
        self._threads: dict[int, threading.Thread] = {}
        self._started = 0
        self._waiting: set[int] = set()
        self._lost: set[int] = set()
        self._closed = False
        with self._lock:
            for _ in range(threads):
                self._start_thread(self._work)

    def has_others(self) -> bool:
        """Tell whether other cells wait for a turn."""
        return not self._runnable.empty()

    @contextmanager
    def blocking(self) -> Iterator[None]:
        """Let another thread take over what this one cannot do while the block lasts."""
        thread = threading.get_ident()
        if thread not in self._threads or thread in self._waiting:
            # An actor that runs on its asker's thread takes none of these; one that waits within a wait takes no second one.
            yield
            return
        self._begin_wait(thread)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(thread)

    def lose(self, thread: int | None) -> None:
        """Do without a thread whose handler hangs; with None, find one more beside those that are held up, whoever they are.

        Any thread may call.
        """
        with self._lock:
            if thread is not None:
                if self._threads.pop(thread, None) is None:
                    return
                self._lost.add(thread)
                self._waiting.discard(thread)
            grows = len(self._threads) + len(self._lost) < self._most and not self._closed
            if grows:
                self._start_thread(self._help_out)
            threads, unable = len(self._threads) + len(self._lost), len(self._waiting) + len(self._lost)
        self._on_starved(threads, unable, grows)

    def do_without(self, thread: int) -> None:
        """Make up for a thread of its own on which an actor that was given up is stuck. Any thread may call."""
        self.lose(thread)

    def close(self) -> None:
        """End the threads after the turns that are queued already."""
        with self._lock:
            self._closed = True
            threads = list(self._threads.values())
        for _ in threads:
            self._runnable.put(None)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(JOIN_S)

    def _begin_wait(self, thread: int) -> None:
        with self._lock:
            self._waiting.add(thread)
            starved = len(self._threads) - len(self._waiting) < self._wanted
            grows = starved and len(self._threads) < self._most and not self._closed
            if grows:
                self._start_thread(self._help_out)
            threads, waiting = len(self._threads), len(self._waiting)
        if starved:
            self._on_starved(threads, waiting, grows)

    def _start_thread(self, work: Callable[[], None]) -> None:
        self._started += 1
        ready = threading.Event()

        def run() -> None:
            make_station()
            self._threads[threading.get_ident()] = threading.current_thread()
            ready.set()
            work()

        thread = threading.Thread(target=run, name=f"{self._name}-shared-{self._started}", daemon=True)
        thread.start()
        ready.wait()

    def _work(self) -> None:
        take = self._runnable.get
        while (cell := take()) is not None:
            cell.turn()
            if self._lost and self._is_lost():
                return

    def _help_out(self) -> None:
        """Work until there has been nothing to do for a while, and others can do what comes."""
        take = self._runnable.get
        while True:
            try:
                cell = take(timeout=SPARE_S)
            except queue.Empty:
                if self._is_spare():
                    return
                continue
            if cell is None:
                return
            cell.turn()
            if self._lost and self._is_lost():
                return

    def _is_lost(self) -> bool:
        """Tell whether this thread has been given up meanwhile, and so has to end."""
        with self._lock:
            thread = threading.get_ident()
            found = thread in self._lost
            # The operating system gives a number again that nobody has any more.
            self._lost.discard(thread)
            return found

    def _is_spare(self) -> bool:
        """Tell whether this thread may end: without it, as many as there should be do not wait. It counts no more then."""
        with self._lock:
            if len(self._threads) - len(self._waiting) <= self._wanted:
                return False
            del self._threads[threading.get_ident()]
            return True
