"""Channel: one end of the socket pair between the kernel and a node, for one thread that waits on a selector.

It is also the lifeline: the kernel's end closes when the kernel dies, however it dies, and the node sees the end of the stream.
Apart from `send`, which any thread may call, only the owner's loop calls. Nothing here blocks.
"""

import contextlib
import socket
import threading
from collections import deque
from typing import Any, Generic, TypeVar

import msgspec

from ..errors import ProtocolError
from ..wire.framing import FrameReader, frame

Incoming = TypeVar("Incoming")

MAX_WAITING = 10_000
"""Messages that may wait for a peer that does not read; beyond, `send` says no."""
CHUNK = 256 * 1024
CHUNKS = 16
"""What one `receive` reads at most, so that a peer that floods does not keep the loop from the others."""


class Channel(Generic[Incoming]):
    """A framed, typed, non-blocking end of a socket pair. It owns the socket."""

    def __init__(self, sock: socket.socket, incoming: Any) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._reader = FrameReader()
        self._decoder = msgspec.msgpack.Decoder(incoming)
        self._encoder = msgspec.msgpack.Encoder()
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._partly_sent = memoryview(b"")

    def fileno(self) -> int:
        """Give the descriptor, for a selector."""
        return self._socket.fileno()

    def send(self, message: Any) -> bool:
        """Queue a message; False where too many wait. The owner's loop must be woken to `flush` it."""
        return self.send_frame(frame(self._encoder.encode(message)))

    def send_frame(self, data: bytes) -> bool:
        """Queue a message that is a frame already, as `send` does: one that goes to many is encoded once."""
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                return False
            self._waiting.append(data)
        return True

    def flush(self) -> bool:
        """Write what the socket takes; True where something is left, so wait until it is writable."""
        while self._partly_sent or self._waiting:
            if not self._partly_sent:
                with self._lock:
                    data = b"".join(self._waiting)
                    self._waiting.clear()
                self._partly_sent = memoryview(data)
            try:
                sent = self._socket.send(self._partly_sent)
            except BlockingIOError:
                return True
            except OSError:
                # The peer is gone: its end of stream is what the owner acts on.
                self._partly_sent = memoryview(b"")
                return False
            self._partly_sent = self._partly_sent[sent:]
        return False

    def receive(self, chunks: int = CHUNKS) -> tuple[list[Incoming], bool]:
        """Read what there is, up to `chunks` of 256 KiB: the whole messages, and whether the stream goes on.

        Raises `ProtocolError`.
        """
        messages: list[Incoming] = []
        for _ in range(chunks):
            try:
                data = self._socket.recv(CHUNK)
            except BlockingIOError:
                return messages, True
            except OSError:
                return messages, False
            if not data:
                return messages, False
            for payload in self._reader.feed(data):
                try:
                    messages.append(self._decoder.decode(payload))
                except (msgspec.MsgspecError, ValueError, RecursionError) as error:
                    raise ProtocolError(f"not a message of the channel: {error}") from error
        return messages, True

    def close(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):
            self._socket.close()
