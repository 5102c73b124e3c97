"""WorkerWatch: waits for the end of one process on a thread of its own, and can kill it from any thread.

It has its own copy of the pidfd, so that whoever reaps the process may close the first one at any time, and no number of another
process can be taken for this one's.
"""

import os
import select
import signal
import threading
from collections.abc import Callable
from contextlib import suppress


class WorkerWatch:
    """Calls `on_end` once, on its thread, when the process of `pidfd` has ended before `close`; it must be quick.

    It is given the exit status, a negative number being a signal. A process that somebody has reaped by then is not reported: who
    did knows of its end.
    """

    def __init__(self, pidfd: int, name: str, on_end: Callable[[int], None]) -> None:
        self._on_end = on_end
        self._lock = threading.Lock()
        self._pidfd = os.dup(pidfd)
        self._closed_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._wait, name=f"{name}-watch", daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """Send SIGKILL to the process, if there is still one. Any thread may call."""
        with self._lock, suppress(ProcessLookupError):
            if self._pidfd >= 0:
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def close(self) -> None:
        """Watch no longer; `on_end` is not called after this returns. Again is the same as once. Not from `on_end`."""
        if self._pidfd < 0:
            return
        os.eventfd_write(self._closed_fd, 1)
        self._thread.join()
        with self._lock:
            os.close(self._pidfd)
            os.close(self._closed_fd)
            self._pidfd = -1

    def _wait(self) -> None:
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        poller.register(self._closed_fd, select.POLLIN)
        ready = dict(poller.poll())
        if self._closed_fd not in ready and (status := self._status()) is not None:
            self._on_end(status)

    def _status(self) -> int | None:
        try:
            # Without reaping: the process belongs to whoever started it.
            ended = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
