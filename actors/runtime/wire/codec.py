"""Codec: messages between nodes, as msgpack.

A frame is `[version, [envelope, …]]`; an envelope is an array that starts with a number for its kind. The body of a message
stays raw until its target is known, whose vocabulary then gives it a type. Anything that does not fit is a `ProtocolError`, and
the frame is dropped whole. Never pickle.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct

from ..errors import ProtocolError, UnsendableError
from .framing import MAX_FRAME

VERSION = 1
UNTYPED = ""
"""The tag of a message that is no Struct."""
MAX_BODY = MAX_FRAME - 8 * 1024
"""Bytes of one message: what a frame holds beside the paths around it."""


class TellFrame(Struct, frozen=True, array_like=True, tag=1):
    """A message that wants no answer."""

    to: str
    sender: str
    tag: str
    body: msgspec.Raw


class AskFrame(Struct, frozen=True, array_like=True, tag=2):
    """A message that wants an answer within `ttl_s` seconds (None: as long as the actor lives)."""

    correlation: int
    to: str
    sender: str
    ttl_s: float | None
    tag: str
    body: msgspec.Raw


class ReplyFrame(Struct, frozen=True, array_like=True, tag=3):
    """The answer to an ask."""

    correlation: int
    body: msgspec.Raw


class ErrorFrame(Struct, frozen=True, array_like=True, tag=4):
    """An error for an answer. `kind` is the error's class name; `declared` where the actor declares it as expected."""

    correlation: int
    kind: str
    text: str
    declared: bool


Frame = TellFrame | AskFrame | ReplyFrame | ErrorFrame

EncodeHook = Callable[[Any], Any]
DecodeHook = Callable[[type, Any], Any]
ExtensionHook = Callable[[int, memoryview], Any]


class Codec:
    """Encodes and decodes. The hooks give the runtime's own types, such as refs, a form on the wire."""

    def __init__(self, encode_hook: EncodeHook, decode_hook: DecodeHook, extension_hook: ExtensionHook) -> None:
        self._encoder = msgspec.msgpack.Encoder(enc_hook=encode_hook)
        self._frames = msgspec.msgpack.Decoder(tuple[int, list[Frame]])
        self._decode_hook = decode_hook
        self._extension_hook = extension_hook
        self._bodies: dict[Any, msgspec.msgpack.Decoder[Any]] = {}

    def encode_body(self, value: Any) -> msgspec.Raw:
        """Give a message or a reply as bytes. Raises `UnsendableError` where it is no plain data, or too much."""
        try:
            body = self._encoder.encode(value)
        except Exception as error:  # a value's own code may run here and raise anything; the value cannot be sent either way
            raise UnsendableError(f"{type(value).__name__} cannot cross a process: {error}") from error
        if len(body) > MAX_BODY:
            # The receiver's transport would hang up on such a frame, and the message would be lost without a word.
            size = f"{len(body)} bytes is over the limit of {MAX_BODY}"
            raise UnsendableError(f"{type(value).__name__} cannot cross a process: {size}")
        return msgspec.Raw(body)

    def decode_body(self, body: msgspec.Raw, type_: Any = Any) -> Any:
        """Give the value that `body` holds, as a `type_`. Raises `ProtocolError` where it is none."""
        decoder = self._bodies.get(type_)
        try:
            if decoder is None:
                decoder = msgspec.msgpack.Decoder(type_, dec_hook=self._decode_hook, ext_hook=self._extension_hook)
                self._bodies[type_] = decoder
            return decoder.decode(body)
        except ProtocolError:
            raise
        except Exception as error:  # a message's own checks run here and may raise anything; what sent it is at fault either way
            raise ProtocolError(f"not a {getattr(type_, '__name__', type_)}: {error}") from error

    def encode(self, envelope: Frame) -> bytes:
        """Give one envelope as bytes, to be joined by `join`."""
        return self._encoder.encode(envelope)

    def decode(self, data: bytes) -> list[Frame]:
        """Give the envelopes of a frame. Raises `ProtocolError`."""
        try:
            version, envelopes = self._frames.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise ProtocolError(f"no frame: {error}") from error
        if version != VERSION:
            raise ProtocolError(f"the peer speaks version {version} of the frame format, not {VERSION}")
        return envelopes


def join(envelopes: list[bytes]) -> bytes:
    """Give the frame of encoded envelopes: one frame costs the transport what one envelope would."""
    return b"\x92" + VERSION.to_bytes(1, "big") + b"\xdd" + len(envelopes).to_bytes(4, "big") + b"".join(envelopes)


class Vocabulary:
    """The typed messages that one actor class understands, by their tags."""

    def __init__(self, types: Iterable[type[Struct]]) -> None:
        self._by_tag = {tag_of(type_): type_ for type_ in types}

    def type_of(self, tag: str) -> Any:
        """Give the type of messages with `tag`, or None where the actor does not know it."""
        return Any if tag == UNTYPED else self._by_tag.get(tag)


def tag_of(type_: type) -> str:
    """Give the tag of a message type; untyped for what is no tagged Struct."""
    config = getattr(type_, "__struct_config__", None)
    tag = getattr(config, "tag", None)
    return tag if isinstance(tag, str) else UNTYPED
