"""Orders: what a supervisor may be told to do with its children while it runs. Each has a future for how it went."""

from typing import NamedTuple

from ..actor import ActorFactory
from ..future import Future
from ..ref import ActorRef
from .spec import AnySpec


class AddChild(NamedTuple):
    """Start a further child; `factory` overrides what its spec names, and many children may share one spec.

    The future has its ref once it is running.
    """

    name: str
    spec: AnySpec
    factory: ActorFactory | None
    done: Future[ActorRef]


class RemoveChild(NamedTuple):
    """Stop a child and forget it; the future resolves when it is gone."""

    name: str
    done: Future[None]


class RestartChild(NamedTuple):
    """Start a child that is parked or stopped, at once; the future resolves when it is running."""

    name: str
    done: Future[ActorRef]
