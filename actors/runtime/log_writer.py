"""LogWriter: log lines of many processes into their files, by one thread, behind a bounded queue.

Whoever logs only leaves the line here, so a disk that is slow or full holds nobody up: what has no room is dropped and counted,
and the next line that gets through says how many were lost.
"""

import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from .clock import timestamp

MAX_WAITING = 8 * 1024 * 1024
"""Bytes that may wait to be written."""
ROTATE_ABOVE = 16 * 1024 * 1024
TOLD_EVERY_S = 5.0
"""How often at most a node's losses are told, beside what the log itself says of them."""
CLOSE_S = 1.0


class _Batch(NamedTuple):
    file: Path
    node: str
    lines: Sequence[bytes]
    lost: int

    @property
    def size(self) -> int:
        return sum(map(len, self.lines)) + len(self.lines)


class LogWriter:
    """Writes lines to files. Any thread may `put`; `close` it last. Its thread begins with the first line.

    `on_lost` is told a node and how many of its lines were lost, on the writer's thread and not more often than every 5 s a node.
    `on_new_file` is called there when a file has its first lines.
    """

    def __init__(
        self,
        on_lost: Callable[[str, int], object] = lambda _node, _count: None,
        on_new_file: Callable[[], object] = lambda: None,
    ) -> None:
        self.on_lost = on_lost
        self._on_new_file = on_new_file
        # A condition's lock is reentrant: a signal's handler may log on a thread that is in here.
        self._arrived = threading.Condition()
        self._waiting: deque[_Batch] = deque()
        self._size = 0
        self._lost: Counter[Path] = Counter()
        self._untold: Counter[str] = Counter()
        self._told_at: dict[str, float] = {}
        self._half_written: set[Path] = set()
        self._thread: threading.Thread | None = None
        self._closing = False

    def put(self, file: Path, node: str, lines: Sequence[bytes], lost: int = 0) -> None:
        """Have lines appended to a file, after the word that `lost` were lost before them. Never blocks."""
        batch = _Batch(file, node, lines, lost)
        with self._arrived:
            if self._closing or self._size + batch.size > MAX_WAITING:
                self._lost[file] += len(lines) + lost
                return
            self._size += batch.size
            self._waiting.append(batch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_forever, name="log-writer", daemon=True)
                self._thread.start()
            self._arrived.notify()

    def close(self) -> None:
        """Write what waits, within a second, and end the thread."""
        with self._arrived:
            self._closing = True
            self._arrived.notify()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _write_forever(self) -> None:
        while True:
            with self._arrived:
                while not self._waiting and not self._closing:
                    self._arrived.wait()
                if not self._waiting:
                    return
                batch = self._waiting.popleft()
                self._size -= batch.size
                lost = batch.lost + self._lost.pop(batch.file, 0)
            try:
                self._write(batch, lost)
            except Exception:  # whatever it is, the next lines may have more luck, and nobody else would write them
                with self._arrived:
                    self._lost[batch.file] += len(batch.lines) + lost
            if lost:
                with suppress(Exception):  # as above: a listener's fault must not end the log of every process
                    self._tell(batch.node, lost)

    def _write(self, batch: _Batch, lost: int) -> None:
        lines = [_word_of(batch.node, lost), *batch.lines] if lost else batch.lines
        data = b"".join(line + b"\n" for line in lines)
        try:
            file = batch.file.open("ab", buffering=0)
        except OSError:
            # Logs must not be lost because their folder is: this is where a service's own output goes.
            if sys.stderr is None:  # a process that was started without one
                raise
            sys.stderr.buffer.write(data)
            sys.stderr.buffer.flush()
            return
        with file:
            if batch.file in self._half_written:
                data = b"\n" + data
            self._half_written.add(batch.file)
            written = len(data)
            while data:
                data = data[file.write(data) or 0 :]
            self._half_written.discard(batch.file)
            size = file.tell()
        if size == written:
            with suppress(Exception):  # these lines are written, whatever becomes of that
                self._on_new_file()
        if size > ROTATE_ABOVE:
            with suppress(OSError):
                batch.file.replace(batch.file.with_suffix(".old.jsonl"))

    def _tell(self, node: str, lost: int) -> None:
        self._untold[node] += lost
        now = time.monotonic()
        if now - self._told_at.get(node, now - TOLD_EVERY_S) >= TOLD_EVERY_S:
            self._told_at[node] = now
            self.on_lost(node, self._untold.pop(node))


def _word_of(node: str, lost: int) -> bytes:
    at = timestamp(time.time())
    return msgspec.json.encode({"event": "log.dropped", "level": "warning", "count": lost, "node": node, "at": at})
