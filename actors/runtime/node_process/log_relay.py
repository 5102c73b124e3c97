"""LogRelay: a node's log lines on their way to the kernel, which writes them.

They wait here rather than in the channel, so that a flood of them has no place to take from the words that matter. What has no
room is dropped and counted: nobody who logs ever waits.
"""

import threading
from collections import deque
from collections.abc import Callable

from ..node.words import LogLines

MAX_WAITING = 2 * 1024 * 1024
"""Bytes that may wait for the channel."""
AT_ONCE = 64 * 1024


class LogRelay:
    """Lines that wait. Any thread may `put`; the thread that owns the channel takes. `wake` tells that one that some have come.

    `also` is given each line first, on the thread that logs, where it is set.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self.also: Callable[[bytes], None] | None = None
        # Reentrant: a signal's handler may log on a thread that is in here.
        self._lock = threading.RLock()
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._lost = 0

    def put(self, line: bytes) -> None:
        """Leave a line for the kernel."""
        if self.also is not None:
            self.also(line)
        with self._lock:
            if self._size + len(line) > MAX_WAITING:
                self._lost += 1
                return
            was_empty = not self._lines
            self._lines.append(line)
            self._size += len(line)
        if was_empty:
            self._wake()

    def take(self) -> LogLines | None:
        """Take the next 64 KiB of lines or one line, and the number that was lost; None where there is nothing to say."""
        with self._lock:
            if not self._lines:
                return None
            taken: list[bytes] = []
            size = 0
            while self._lines and (not taken or size + len(self._lines[0]) <= AT_ONCE):
                taken.append(self._lines.popleft())
                size += len(taken[-1])
            self._size = self._size - size if self._lines else 0
            lost, self._lost = self._lost, 0
        return LogLines(taken, lost)

    def lose(self, lines: LogLines) -> None:
        """Count lines that were taken and could not be sent."""
        with self._lock:
            self._lost += len(lines.lines) + lines.lost
