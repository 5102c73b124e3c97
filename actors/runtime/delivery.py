"""Delivery: from a path to the mailbox that lives there, in this process or over the link to another."""

from typing import Any

import msgspec

from .actor import Actor
from .address import ActorPath
from .cell import ActorCell
from .current import sender
from .errors import NoSuchActorError, RejectedError
from .future import Future, resolved_with
from .link import Link, LocalActor
from .registry import Registry


class Delivery:
    """Sends for the refs of one system. Any thread may call."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.link: Link | None = None

    def cell_at(self, path: ActorPath) -> ActorCell | None:
        """Give the cell at `path`, or None where `path` lies in another process. Raises `NoSuchActorError`."""
        link = self.link
        return None if link is not None and link.node_of(path) is not None else self._registry.find(path)

    def tell(self, path: ActorPath, message: Any) -> None:
        """Send a message to another process. Raises `DeliveryError` or `UnsendableError` where it was not taken."""
        link, node = self._way_to(path)
        link.tell(node, path, message, sender())

    def ask(self, path: ActorPath, message: Any, timeout: float | None) -> Future[Any]:
        """Send a message that wants an answer to another process; whatever is wrong resolves the future."""
        try:
            link, node = self._way_to(path)
        except NoSuchActorError as error:
            return resolved_with(error)
        return link.ask(node, path, message, sender(), timeout)

    def _way_to(self, path: ActorPath) -> tuple[Link, ActorPath]:
        link = self.link
        node = None if link is None else link.node_of(path)
        if link is None or node is None:
            raise NoSuchActorError(f"nobody lives at {path}")
        return link, node

    def ask_encoded(self, path: ActorPath, tag: str, body: msgspec.Raw, timeout: float) -> Future[msgspec.Raw]:
        """Ask an actor of another process with a message that is encoded already; the answer stays encoded too.

        An actor of this process is not asked so: it would have to be decoded for.
        """
        link = self.link
        node = None if link is None else link.node_of(path)
        if link is None or node is None:
            self._registry.find(path)
            return resolved_with(RejectedError(f"{path} runs in the kernel and takes no messages"))
        return link.ask(node, path, body, sender(), timeout, tag=tag, reply_type=msgspec.Raw)

    def local_actor(self, path: str) -> LocalActor:
        """Give the actor at `path` in this process. Raises `NoSuchActorError`."""
        cell = self._registry.find(path)
        return LocalActor(cell.put, cell.kind.behaviour.messages, expected_errors_of(cell.kind.behaviour))


def expected_errors_of(actor: type[Actor]) -> tuple[type[Exception], ...]:
    """Give the errors that an actor class declares."""
    return tuple(actor.expected_errors)
