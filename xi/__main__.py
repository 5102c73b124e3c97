"""`python -P -m xi`: serve one frontend on stdin and stdout, with the log on stderr, until the input ends or SIGTERM says so.

One thread. It never writes where that could block, because a frontend may write a great deal before it reads anything, and two
programs that each wait for the other to read stay so for ever: while output is stuck, input is read on and kept, up to a limit.
Descriptors are left in blocking mode, since that mode is shared with whoever else holds the pipe or terminal; instead a write
waits for `poll` and is no longer than a pipe must then take. Log lines that nobody reads are dropped and counted.
"""

import os
import select
import signal
import sys
import time
from collections import deque
from types import FrameType

import msgspec

from xi.protocol.jsonrpc import Event
from xi.server import Server

_READ = 1 << 16
_WRITE = select.PIPE_BUF
_MAX_KEPT = 256 * 1024 * 1024
_LEAVE_S = 1.0  # a supervisor that sends SIGTERM soon sends SIGKILL
_DRAIN_S = 10.0  # a frontend that has said its last may still be reading
_LOG_FIELD = 500


class Stdio:
    """The loop that moves bytes between the descriptors and the server."""

    def __init__(self) -> None:
        self._output: deque[memoryview] = deque()
        self._kept: deque[bytes] = deque()
        self._kept_size = 0
        self._lost_lines = 0
        self._is_ended = False
        self._is_leaving = False
        self._wake, self._wake_writer = os.pipe()
        self._server = Server(self._queue, self._log)
        self._log_poll = select.poll()
        self._log_poll.register(2, select.POLLOUT)
        self._out_poll = select.poll()
        self._out_poll.register(1, select.POLLOUT)
        self._in_poll = select.poll()
        self._in_poll.register(0, select.POLLIN)
        self._in_poll.register(self._wake, select.POLLIN)

    def run(self) -> None:
        """Serve; returns when the input has ended, when told to leave, or when nobody reads the output any more."""
        signal.signal(signal.SIGTERM, self._leave)
        signal.signal(signal.SIGINT, self._leave)
        try:
            while not (self._is_ended or self._is_leaving):
                self._wait_for_input()
                self._serve_kept()
            self._say_goodbye()
        except BrokenPipeError:
            self._log("output.closed", {})

    def _leave(self, _signal: int, _frame: FrameType | None) -> None:
        self._is_leaving = True
        os.write(self._wake_writer, b"!")  # poll restarts after a signal unless there is something to read

    def _wait_for_input(self) -> None:
        ready = self._in_poll.poll()
        if any(fd == 0 for fd, _ in ready):
            self._read()

    def _read(self) -> None:
        data = os.read(0, _READ)
        if data:
            self._kept.append(data)
            self._kept_size += len(data)
        else:
            self._is_ended = True

    def _serve_kept(self) -> None:
        while self._kept and not self._is_leaving:
            data = self._kept.popleft()
            self._kept_size -= len(data)
            self._handle(self._server.receive(data))
        if self._is_ended and not self._is_leaving:
            self._handle(self._server.receive_end())

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            if self._is_leaving:
                return
            self._server.handle(event)
            self._flush()

    def _queue(self, data: bytes) -> None:
        self._output.append(memoryview(data))

    def _flush(self) -> None:
        """Write all output; read on while the frontend does not, so that it cannot be waiting for us."""
        while self._output:
            if self._out_poll.poll(0):
                self._write_some()
            elif self._is_ended:
                return  # no frontend can be waiting for us to read, and a save still to be served should not wait for one
            else:
                self._wait_for_room()
            if self._is_leaving:
                return

    def _wait_for_room(self) -> None:
        poll = select.poll()
        poll.register(1, select.POLLOUT)
        poll.register(self._wake, select.POLLIN)
        if self._kept_size < _MAX_KEPT:
            poll.register(0, select.POLLIN)
        if any(fd == 0 for fd, _ in poll.poll()):
            self._read()

    def _write_some(self) -> None:
        """Write what a pipe that is ready must take, short messages together."""
        chunk = self._output.popleft()
        if len(chunk) > _WRITE:
            self._output.appendleft(chunk[_WRITE:])
            chunk = chunk[:_WRITE]
        elif self._output:
            joined = bytearray(chunk)
            while self._output and len(joined) + len(self._output[0]) <= _WRITE:
                joined += self._output.popleft()
            chunk = memoryview(joined)
        written = os.write(1, chunk)
        if written < len(chunk):
            self._output.appendleft(chunk[written:])

    def _say_goodbye(self) -> None:
        """Write what is left; a frontend that has stopped reading loses it, at once if we were told to leave."""
        deadline = time.monotonic() + _LEAVE_S
        while self._output:
            patience = max(deadline - time.monotonic(), 0) if self._is_leaving else _DRAIN_S
            if not patience or not self._out_poll.poll(patience * 1000):
                self._log("output.abandoned", {"messages": len(self._output)})
                return
            self._write_some()

    def _log(self, event: str, fields: dict[str, object]) -> None:
        if not self._log_poll.poll(0):
            self._lost_lines += 1
            return
        short = {name: value[-_LOG_FIELD:] if isinstance(value, str) else value for name, value in fields.items()}
        line = msgspec.json.encode({"event": event, **short, "lost_lines": self._lost_lines})
        try:
            os.write(2, line + b"\n")
        except OSError:
            self._lost_lines += 1  # a log without a reader is no reason to stop


def main() -> int:
    """Run the program; return its exit code."""
    Stdio().run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
