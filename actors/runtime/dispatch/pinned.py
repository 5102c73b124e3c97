"""PinnedDispatcher: one thread for one actor, which may block."""

import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from ..current import make_station
from .dispatcher import BATCH, Runnable


class PinnedDispatcher:
    """One thread for one actor. `close` does not wait, since a supervisor calls it; `join` does."""

    serves_one: ClassVar[bool] = True
    batch: ClassVar[range] = BATCH

    def __init__(self, name: str) -> None:
        self._runnable: queue.SimpleQueue[Any] = queue.SimpleQueue()
        # The queue's own method, and no call in between: it is on the way of most messages.
        self.schedule: Callable[[Runnable], None] = self._runnable.put
        self._thread = threading.Thread(target=self._work, name=f"{name}-pinned", daemon=True)
        self._thread.start()

    def has_others(self) -> bool:
        """There are none."""
        return False

    def blocking(self) -> AbstractContextManager[None]:
        """Nothing is to be done about it: that is what the thread is for."""
        return nullcontext()

    def do_without(self, thread: int) -> None:
        """There are no others that could miss it."""

    def close(self) -> None:
        """End the thread after the turns that are queued already."""
        self._runnable.put(None)

    def join(self, timeout: float) -> None:
        """Wait until the thread has ended, `timeout` seconds at most."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def _work(self) -> None:
        make_station()
        while (cell := self._runnable.get()) is not None:
            cell.turn()
