"""Orders: what a supervisor may be told to do with its children while it runs. Each has a future for how it went."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..actor import ActorFactory
from ..future import Future
from ..ref import ActorRef
from .difference import Difference
from .spec import AnySpec, SupervisorSpec


class AddChild(NamedTuple):
    """Start a further child; `factory` overrides what its spec names, and many children may share one spec.

    The future has its ref once it is running.
    """

    name: str
    spec: AnySpec
    factory: ActorFactory | None
    done: Future[ActorRef]


class StartLike(NamedTuple):
    """Start a further child of a dynamic supervisor, with what is given behind what its template gives.

    Without a name, it gets its template's and a number. The future has its ref once it is running.
    """

    name: str | None
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    done: Future[ActorRef]


class RemoveChild(NamedTuple):
    """Stop a child and forget it; the future resolves when it is gone."""

    name: str
    done: Future[None]


class StopChild(NamedTuple):
    """Stop a child and keep its spec; the future resolves when it has stopped."""

    name: str
    done: Future[None]


class StartChild(NamedTuple):
    """Start a child that is parked, stopped or waits for its restart; the future resolves when it is running."""

    name: str
    done: Future[ActorRef]


class RestartChild(NamedTuple):
    """Stop a child, start it again; the future resolves when it is running."""

    name: str
    done: Future[ActorRef]


class Reload(NamedTuple):
    """Become what this spec says; the future has what that changes, once it has begun."""

    spec: SupervisorSpec
    done: Future[Difference]


class Probe(NamedTuple):
    """Say that the supervisor takes its turns; the future resolves in one."""

    done: Future[None]


Order = AddChild | StartLike | RemoveChild | StopChild | StartChild | RestartChild | Reload | Probe
ORDERS = (AddChild, StartLike, RemoveChild, StopChild, StartChild, RestartChild, Reload, Probe)
