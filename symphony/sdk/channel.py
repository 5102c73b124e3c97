"""The framing of the worker channel, without a socket: messages to bytes, bytes to messages.

A frame is four bytes of length, big-endian, and that many bytes of msgpack. A stream that breaks a rule is not resynchronised:
what follows a wrong length means nothing, so the first `MalformedFrameError` is the channel's end.
"""

from struct import Struct as Layout
from typing import Any, Generic, TypeVar

import msgspec

from symphony.sdk.message import FromHost, FromWorker, Invoke, Log, Result
from symphony.sdk.plain import MAX_DEPTH, plain_problem

MAX_SIZE = 64 * 1024 * 1024
"""The most bytes that one message may have."""

_LENGTH = Layout(">I")

Received = TypeVar("Received")


class ChannelError(Exception):
    """Base of the channel's errors."""


class MalformedFrameError(ChannelError):
    """The peer's mistake: it sent bytes that are no message. The channel cannot be used any more."""


class UnsendableError(ChannelError):
    """Our mistake: the message holds what cannot cross. Nothing was sent, and the channel goes on."""


class Channel(Generic[Received]):
    """One end of a worker channel. Not thread-safe: one owner at a time.

    `accepts` is the union of the messages that the other end may send; `max_size` is in bytes.
    """

    def __init__(self, accepts: Any, *, max_size: int = MAX_SIZE, max_depth: int = MAX_DEPTH) -> None:
        # Typed Any because a union is no type[Received] to the type checker.
        self._decoder: msgspec.msgpack.Decoder[Received] = msgspec.msgpack.Decoder(accepts)
        self._encoder = msgspec.msgpack.Encoder()
        self._max_size = max_size
        self._max_depth = max_depth
        self._unread = bytearray()
        self._broken: MalformedFrameError | None = None

    def encode(self, message: FromHost | FromWorker) -> bytes:
        """Give the frame of `message`. Raises `UnsendableError`."""
        problem = plain_problem(_payload(message), max_depth=self._max_depth)
        if problem is not None:
            raise UnsendableError(problem)
        try:
            body = self._encoder.encode(message)
        except (OverflowError, ValueError, TypeError) as error:  # an int over 64 bits; a lone surrogate
            raise UnsendableError(str(error)) from error
        if len(body) > self._max_size:
            raise UnsendableError(f"is {len(body)} bytes long; {self._max_size} is the most")
        return _LENGTH.pack(len(body)) + body

    def feed(self, data: bytes) -> None:
        """Take bytes that arrived; ask for messages until there are none before feeding more."""
        self._unread += data

    def next_message(self) -> Received | None:
        """Give the next complete message, or None until more is fed. Raises `MalformedFrameError`, and from then on again."""
        if self._broken is not None:
            raise self._broken
        body = self._next_body()
        return None if body is None else self._decoded(body)

    def _next_body(self) -> bytes | None:
        if len(self._unread) < _LENGTH.size:
            return None
        (size,) = _LENGTH.unpack_from(self._unread)
        if size == 0:
            raise self._break("a frame is empty")
        if size > self._max_size:
            raise self._break(f"a frame claims {size} bytes; {self._max_size} is the most")
        end = _LENGTH.size + size
        if len(self._unread) < end:
            return None
        body = bytes(memoryview(self._unread)[_LENGTH.size : end])
        del self._unread[:end]
        return body

    def _decoded(self, body: bytes) -> Received:
        try:
            message = self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._break(f"a frame of {len(body)} bytes is no message: {error}") from error
        problem = plain_problem(_payload(message), max_depth=self._max_depth)
        if problem is not None:
            raise self._break(f"a frame of {len(body)} bytes is no message: {problem}")
        return message

    def _break(self, text: str) -> MalformedFrameError:
        self._broken = MalformedFrameError(text)
        self._unread.clear()
        return self._broken


def _payload(message: object) -> object:
    """Give the part of `message` that its type leaves open."""
    match message:
        case Invoke(arguments=payload) | Result(value=payload) | Log(fields=payload):
            return payload
        case _:
            return None
