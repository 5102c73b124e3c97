"""The actor's side of a proxy: resolve the public name, then call, read or set it.

What is wrong with the use, and not with the actor (a name that is not there, arguments that do not fit), is the asker's error: it
answers him, and the actor lives on.
"""

import inspect
from collections.abc import Callable
from typing import Any

from .actor import Actor
from .address import name_of
from .errors import NotBuiltError, RejectedError
from .future import Future
from .messages import ProxyCall, ProxyGet, ProxySet
from .proxy import STOP

_MISSING = object()


def handle_proxied(actor: Actor, message: ProxyCall | ProxyGet | ProxySet) -> Any:
    """Carry out what a proxy asks. Raises `RejectedError` for a name that is private or not there, and for a wrong use."""
    name = message.attribute
    owner: Any = actor
    if name == STOP:
        return stop_for_good(actor)
    if "." in name:
        *way, name = name.split(".")
        for step in way:
            owner = _found(owner, step)
    if isinstance(message, ProxySet):
        return _set(owner, name, message.value)
    # Once: reading a property may have effects.
    found = _found(owner, name)
    if isinstance(message, ProxyGet):
        return found
    if not callable(found):
        raise RejectedError(f"{name!r} is no method of {type(owner).__name__}: read it with `.get()`")
    try:
        return found(*message.args, **message.kwargs)
    except TypeError as error:
        misfit = _misfit(found, message)
        if misfit is None:
            raise
        raise RejectedError(f"{type(owner).__name__}.{name}: {misfit}") from error


def _found(owner: object, name: str) -> Any:
    if name.startswith("_"):
        raise RejectedError(f"{name}: a proxy reaches public names only")
    found = getattr(owner, name, _MISSING)
    if found is _MISSING:
        raise RejectedError(f"{type(owner).__name__} has no {name!r}")
    return found


def _set(owner: object, name: str, value: Any) -> None:
    if name.startswith("_"):
        raise RejectedError(f"{name}: a proxy reaches public names only")
    try:
        setattr(owner, name, value)
    except AttributeError as error:
        # Raised in a setter's own code, it is a failure like any other.
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise
        raise RejectedError(f"{name!r} of {type(owner).__name__} cannot be set: {error}") from error


def _misfit(called: Callable[..., Any], message: ProxyCall) -> str | None:
    """Say why the arguments do not fit what was called; None where they do, so that its own code has raised.

    What a decorator wraps is not looked at: it may be called with other arguments than the asker's, and a handler that has run
    must not be taken for one that has not.
    """
    try:
        signature = inspect.signature(called, follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*message.args, **message.kwargs)
    except TypeError as error:
        return str(error)
    return None


def stop_for_good(actor: Actor) -> Future[None]:
    """Stop the actor before its next message, whatever its restart type; the future resolves once it is gone."""
    context = actor.context
    try:
        # Ordered first, so that the supervisor knows of it when it hears that the actor has stopped.
        gone = context.supervisor.remove(name_of(context.path))
    except NotBuiltError as error:
        raise RejectedError(f"{context.path} is at the top of its process: stop it by `system.remove(name)`") from error
    context.stop()
    return gone
