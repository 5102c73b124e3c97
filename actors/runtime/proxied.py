"""The actor's side of a proxy: resolve the public name, then call, read or set it."""

from typing import Any

from .actor import Actor
from .errors import RejectedError
from .messages import ProxyCall, ProxyGet, ProxySet

_MISSING = object()


def handle_proxied(actor: Actor, message: ProxyCall | ProxyGet | ProxySet) -> Any:
    """Carry out what a proxy asks. Raises `RejectedError` for a name that is private or not there."""
    name = message.attribute
    if name.startswith("_"):
        raise RejectedError(f"{name}: a proxy reaches public names only")
    if isinstance(message, ProxySet):
        setattr(actor, name, message.value)
        return None
    # Once: reading a property may have effects.
    found = getattr(actor, name, _MISSING)
    if found is _MISSING:
        raise RejectedError(f"{type(actor).__name__} has no {name!r}")
    if isinstance(message, ProxyGet):
        return found
    if not callable(found):
        raise RejectedError(f"{name!r} is no method of {type(actor).__name__}: read it with `.get()`")
    return found(*message.args, **message.kwargs)
