"""Messages: typed requests, and the three that a proxy sends.

Any plain value can be a message. A `Struct` is better: it is checked on arrival, and a `Request[Reply]` also says what answers
it.
"""

from typing import Any, Generic, TypeVar, get_args

from msgspec import Struct

Reply = TypeVar("Reply")


class Message(Struct, frozen=True, tag=True):
    """A typed message that needs no answer. Its tag on the wire is the class's name."""


class Request(Struct, Generic[Reply], frozen=True, tag=True):
    """A typed message that is answered by a `Reply`: `class GetTotal(Request[int])`."""


class ProxyCall(Struct, frozen=True, tag="proxy.call"):
    """Call a method of the actor."""

    attribute: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}


class ProxyGet(Struct, frozen=True, tag="proxy.get"):
    """Read an attribute of the actor."""

    attribute: str


class ProxySet(Struct, frozen=True, tag="proxy.set"):
    """Set an attribute of the actor."""

    attribute: str
    value: Any


PROXY_MESSAGES = (ProxyCall, ProxyGet, ProxySet)


def reply_type_of(request: type) -> Any:
    """Give the type that answers `request`, as its `Request[...]` base says; `Any` where it does not."""
    for ancestor in request.__mro__:
        for base in ancestor.__dict__.get("__orig_bases__", ()):
            if getattr(base, "__origin__", None) is Request:
                return get_args(base)[0]
    return Any
