"""Watcher: the one thread of a node host that waits for descriptors, and calls whoever is meant; it never waits for more.

It outlives whatever goes wrong in what it calls, since a host whose watcher is dead would notice no death any more: each call is
guarded by itself, with a log line. Only where the waiting itself fails again and again does it give up, and says so loudly.
"""

import contextlib
import os
import queue
import selectors
import threading
from collections.abc import Callable
from typing import Any

from ..exits import describe
from ..log import Log

_log = Log()

Job = Callable[[], object]
JOIN_S = 2.0
FAILURES = 20
"""After so many turns in a row that failed in themselves, the next would too."""
FAILED_PAUSE_S = 0.05


class Watcher:
    """Waits for descriptors. `begin` it once, `close` it; `watch`, `wait_for` and `forget` are for its own thread's jobs only.

    `turn` is called after each round with nothing, and gives the seconds until it wants to be called again, None for never.
    `on_failed` is called with the reason where the thread ends without being told to.
    """

    def __init__(self, turn: Callable[[], float | None], on_failed: Callable[[str], None]) -> None:
        self._turn = turn
        self._on_failed = on_failed
        self._selector = selectors.DefaultSelector()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake_fd, selectors.EVENT_READ, None)
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_closing = False
        self._failures = 0
        self._last_failure = ""
        self._thread = threading.Thread(target=self._run, name="node-watcher", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def call(self, job: Job) -> None:
        """Have `job` called on the thread, soon. Any thread may call."""
        self._jobs.put(job)
        self.wake()

    def wake(self) -> None:
        """Have a turn made now. Any thread may call, also after the end."""
        # Under the lock: once this is closed, the number may be another's descriptor.
        with self._lock:
            if self._wake_fd >= 0:
                os.eventfd_write(self._wake_fd, 1)

    def watch(self, fd: Any, on_event: Callable[[int], None]) -> None:
        """Call `on_event` with the selector's events when there is something to read, again and again until `forget`."""
        self.forget(fd)
        self._selector.register(fd, selectors.EVENT_READ, on_event)

    def wait_for(self, fd: Any, events: int) -> None:
        """Wait for these events of a descriptor that is watched; nothing where it is not."""
        with contextlib.suppress(KeyError, ValueError):
            key = self._selector.get_key(fd)
            if key.events != events:
                self._selector.modify(fd, events, key.data)

    def forget(self, fd: Any) -> None:
        """Watch a descriptor no more; it must still be open."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(fd)

    def close(self) -> None:
        """End the thread; waits two seconds at most."""
        self._is_closing = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)
        with self._lock:
            wake_fd, self._wake_fd = self._wake_fd, -1
        if wake_fd >= 0:
            self._selector.close()
            os.close(wake_fd)

    def _run(self) -> None:
        problem = "its thread was ended from inside"
        try:
            pause_s: float | None = None
            while not self._is_closing:
                pause_s = self._round(pause_s)
                if self._failures >= FAILURES:
                    problem = f"{self._failures} turns in a row have failed, the last by {self._last_failure}"
                    return
        except BaseException as error:  # whatever it is, whoever depends on this thread must hear that it is no more
            problem = describe(error)
            raise
        finally:
            if not self._is_closing:
                _log.error("node_watcher.ended", reason=problem)
                self._on_failed(problem)

    def _round(self, pause_s: float | None) -> float | None:
        """Wait, call whoever is meant, and give the seconds until the next round."""
        try:
            for key, mask in self._selector.select(pause_s):
                if key.data is None:
                    os.eventfd_read(self._wake_fd)
                else:
                    _guarded(key.data, mask)
            while not self._jobs.empty():
                _guarded(self._jobs.get())
            due = self._turn()
        except Exception as error:  # the next round may have more luck; only if none has, this thread is of no use
            _log.exception("node_watcher.turn_failed")
            self._failures += 1
            self._last_failure = describe(error)
            return FAILED_PAUSE_S
        self._failures = 0
        return due


def _guarded(call: Callable[..., object], *arguments: object) -> None:
    try:
        call(*arguments)
    except Exception:  # what goes wrong with one node must not end the watch over all others
        _log.exception("node_watcher.call_failed")
