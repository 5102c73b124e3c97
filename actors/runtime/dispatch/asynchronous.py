"""AsyncDispatcher: one event loop, on a thread of its own, for every `async` actor of a system."""

import asyncio
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar

from ..log import Log
from .dispatcher import BATCH, JOIN_S, Runnable

_log = Log()


class AsyncDispatcher:
    """An event loop and its thread."""

    serves_one: ClassVar[bool] = False
    batch: ClassVar[range] = BATCH

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._closing = False
        self._turns: set[asyncio.Task[None]] = set()
        self._asked_at: float | None = None
        self._is_lost = False
        self._thread = threading.Thread(target=self._serve, name=f"{name}-async", daemon=True)
        self._thread.start()

    def schedule(self, cell: Runnable) -> None:
        """Start a turn as a task of the loop; on a closed loop, do nothing."""
        try:
            self._loop.call_soon_threadsafe(self._begin, cell)
        except RuntimeError:
            if not self._loop.is_closed():
                raise

    def has_others(self) -> bool:
        """The loop shares itself out."""
        return True

    def blocking(self) -> AbstractContextManager[None]:
        """Nothing can be done about it: whoever would block the loop is refused before."""
        return nullcontext()

    def do_without(self, thread: int) -> None:
        """Nothing can be done for the others, which belong to this loop; only the next life gets another (`Dispatchers`)."""

    @property
    def thread(self) -> int | None:
        """The number of the loop's thread."""
        return self._thread.ident

    def stuck_since(self, now: float) -> float:
        """Tell since when the loop has not turned, which each call asks it to; `now` means that it does.

        One thread at a time may call.
        """
        asked_at = self._asked_at
        if asked_at is None:
            asked_at = self._asked_at = now
            try:
                self._loop.call_soon_threadsafe(self._turned)
            except RuntimeError:  # it is closed, and holds nobody up
                self._asked_at = None
        return asked_at

    def lose(self) -> None:
        """Wait no more for a loop that a handler holds up. It goes on should the handler return after all."""
        self._is_lost = True

    def close(self) -> None:
        """Cancel the tasks and end the loop."""
        self._closing = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread and not self._is_lost:
            self._thread.join(JOIN_S)

    def _turned(self) -> None:
        self._asked_at = None

    def _begin(self, cell: Runnable) -> None:
        task = self._loop.create_task(cell.turn_async())
        # The loop keeps only weak references to its tasks.
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            while not self._closing:
                try:
                    self._loop.run_forever()
                except BaseException:  # a task of a handler's that ends by SystemExit must not take the other actors along
                    _log.exception("dispatcher.task_failed")
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()
