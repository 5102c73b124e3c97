"""How a ref crosses a process: as its path, in a msgpack extension; it is a ref of the receiving system on the other side."""

from collections.abc import Callable
from typing import Any

import msgspec

from .address import parse_path
from .errors import InvalidPathError, ProtocolError
from .ref import ActorRef
from .wire.codec import Codec

REF_EXTENSION = 1


def ref_codec(ref_of: Callable[[str], ActorRef]) -> Codec:
    """Give a codec that knows refs; `ref_of` makes one of a path."""

    def encode(value: Any) -> Any:
        if isinstance(value, ActorRef):
            return msgspec.msgpack.Ext(REF_EXTENSION, value.path.encode())
        raise NotImplementedError(f"{type(value).__name__} is no plain data")

    def decode_extension(code: int, data: memoryview) -> Any:
        if code != REF_EXTENSION:
            raise ProtocolError(f"extension type {code} is not known")
        try:
            return ref_of(parse_path(bytes(data).decode("utf-8", "replace")))
        except InvalidPathError as error:
            raise ProtocolError(str(error)) from error

    def decode(type_: type, value: Any) -> Any:
        if type_ is ActorRef and isinstance(value, ActorRef):
            return value
        raise NotImplementedError(f"{type_.__name__} is no plain data")

    return Codec(encode, decode, decode_extension)
