"""Delivery: from a path to the mailbox that lives there, in this process or over the link to another."""

from typing import Any

import msgspec

from .actor import Actor
from .address import ActorPath
from .clock import Clock
from .current import activity
from .envelope import Envelope
from .errors import ActorRuntimeError, AskTimeoutError, RejectedError, TerminatedError
from .future import Future, resolved_with
from .link import Link, LocalActor
from .registry import Registry
from .timers import Timers


class Delivery:
    """Sends for the refs of one system. Any thread may call."""

    def __init__(self, clock: Clock, timers: Timers, registry: Registry) -> None:
        self._clock = clock
        self._timers = timers
        self._registry = registry
        self.link: Link | None = None

    def tell(self, path: ActorPath, message: Any) -> None:
        """Send a message that wants no answer. Raises `DeliveryError` or `UnsendableError` where it was not taken."""
        link = self.link
        node = None if link is None else link.node_of(path)
        if link is not None and node is not None:
            link.tell(node, path, message, _sender())
            return
        envelope = Envelope(message, sender=_sender(), sent_at=self._clock.monotonic())
        self._registry.find(path).cell.put(envelope)

    def ask(self, path: ActorPath, message: Any, timeout: float | None) -> Future[Any]:
        """Send a message that wants an answer; whatever is wrong resolves the future."""
        link = self.link
        node = None if link is None else link.node_of(path)
        if link is not None and node is not None:
            return link.ask(node, path, message, _sender(), timeout)
        future: Future[Any] = Future()
        now = self._clock.monotonic()
        deadline = None if timeout is None else now + timeout
        envelope = Envelope(message, reply=future, sender=_sender(), correlation=id(future), deadline=deadline, sent_at=now)
        try:
            self._registry.find(path).cell.put(envelope)
        except ActorRuntimeError as error:
            return resolved_with(error)
        if deadline is not None:
            self._bound(future, deadline, f"{path} did not answer within {timeout} s")
        return future

    def _bound(self, future: Future[Any], deadline: float, text: str) -> None:
        def expire() -> None:
            future.set_error(AskTimeoutError(text))

        def give_up() -> None:
            future.set_error(TerminatedError("the system ended before the actor answered"))

        timer = self._timers.call_at(deadline, expire, at_close=give_up)
        future.add_done_callback(lambda _: timer.cancel())

    def ask_encoded(self, path: ActorPath, tag: str, body: msgspec.Raw, timeout: float) -> Future[msgspec.Raw]:
        """Ask an actor of another process with a message that is encoded already; the answer stays encoded too.

        An actor of this process is not asked so: it would have to be decoded for.
        """
        link = self.link
        node = None if link is None else link.node_of(path)
        if link is None or node is None:
            self._registry.find(path)
            return resolved_with(RejectedError(f"{path} runs in the kernel and takes no messages"))
        return link.ask(node, path, body, _sender(), timeout, tag=tag, reply_type=msgspec.Raw)

    def local_actor(self, path: str) -> LocalActor:
        """Give the actor at `path` in this process. Raises `NoSuchActorError`."""
        cell, actor = self._registry.find(path)
        return LocalActor(cell.put, actor.messages, expected_errors_of(actor))


def expected_errors_of(actor: type[Actor]) -> tuple[type[Exception], ...]:
    """Give the errors that an actor class declares."""
    return tuple(actor.expected_errors)


def _sender() -> str:
    current = activity.get()
    return "" if current is None else current.path
