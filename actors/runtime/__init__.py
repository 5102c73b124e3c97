"""The actor runtime's public face.

Names are imported when they are first used, so that a program which only wants one light part, such as the command line's
client, does not pay for all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .actor import Actor
    from .future import Future
    from .messages import Message, Request
    from .ref import ActorRef
    from .supervision.spec import Backoff, ChildSpec, SupervisorSpec
    from .system import ActorSystem

__all__ = [
    "Actor",
    "ActorRef",
    "ActorSystem",
    "Backoff",
    "ChildSpec",
    "Future",
    "Message",
    "Request",
    "SupervisorSpec",
]

_HOMES = {
    "Actor": "actor",
    "ActorRef": "ref",
    "ActorSystem": "system",
    "Backoff": "supervision.spec",
    "ChildSpec": "supervision.spec",
    "Future": "future",
    "Message": "messages",
    "Request": "messages",
    "SupervisorSpec": "supervision.spec",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)
