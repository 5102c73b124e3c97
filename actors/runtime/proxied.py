"""The actor's side of a proxy: resolve the public name, then call, read or set it."""

from typing import Any

from .actor import Actor
from .errors import RejectedError
from .messages import ProxyCall, ProxyGet, ProxySet


def handle_proxied(actor: Actor, message: ProxyCall | ProxyGet | ProxySet) -> Any:
    """Carry out what a proxy asks. Raises `RejectedError` for a name that is private or not there."""
    name = message.attribute
    if name.startswith("_"):
        raise RejectedError(f"{name}: a proxy reaches public names only")
    if not isinstance(message, ProxySet) and not hasattr(actor, name):
        raise RejectedError(f"{type(actor).__name__} has no {name!r}")
    match message:
        case ProxyCall():
            return getattr(actor, name)(*message.args, **message.kwargs)
        case ProxyGet():
            return getattr(actor, name)
        case ProxySet():
            setattr(actor, name, message.value)
            return None
