"""Framing of a byte stream: each frame has its length before it, in four bytes, big-endian.

Sans-I/O: bytes in, frames out. The limit is checked on the length, before anything of the frame is kept.
"""

from collections.abc import Iterator

from ..errors import ProtocolError

LENGTH_BYTES = 4
MAX_FRAME = 64 * 1024 * 1024


def frame(payload: bytes, *, limit: int = MAX_FRAME) -> bytes:
    """Give `payload` with its length before it. Raises `ProtocolError` over `limit` bytes."""
    if len(payload) > limit:
        raise ProtocolError(f"a frame of {len(payload)} bytes is over the limit of {limit}")
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


class FrameReader:
    """Collects bytes and gives whole frames. After a `ProtocolError` the stream is lost: close it."""

    def __init__(self, *, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take more of the stream and give the frames that are whole now. Raises `ProtocolError` for a length over the limit."""
        self._buffer += data
        while len(self._buffer) >= LENGTH_BYTES:
            length = int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
            if length > self._limit:
                raise ProtocolError(f"a frame of {length} bytes is over the limit of {self._limit}")
            end = LENGTH_BYTES + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[LENGTH_BYTES:end])
            del self._buffer[:end]
            yield payload

    @property
    def is_between_frames(self) -> bool:
        """Whether the stream could end here without cutting a frame."""
        return not self._buffer
