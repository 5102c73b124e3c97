"""ActorRef: what you hold to send. It names a path, so it outlives restarts and works from any process of the system."""

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar, overload

from .address import ActorPath
from .future import Future, refuse_on_event_loop
from .messages import Request
from .proxy import ActorProxy

Reply = TypeVar("Reply")

DEFAULT_TIMEOUT_S = 5.0


class Delivery(Protocol):
    """What a ref needs of its system."""

    def tell(self, path: ActorPath, message: Any) -> None:
        """Send a message to the actor at `path`."""
        ...

    def ask(self, path: ActorPath, message: Any, timeout: float | None) -> Future[Any]:
        """Send a message to the actor at `path`, to be answered within `timeout` seconds."""
        ...


class ActorRef:
    """A ref to the actor at `path`. Any thread may use it; two refs to one path are equal."""

    __slots__ = ("_delivery", "path")

    def __init__(self, delivery: Delivery, path: ActorPath) -> None:
        self._delivery = delivery
        self.path = path

    def tell(self, message: Any) -> None:
        """Send `message` and want no answer.

        Returns once the actor's mailbox, or the link to its node, has taken it. Raises a `DeliveryError` where it was not
        taken, and `UnsendableError` where it cannot cross a process.
        """
        self._delivery.tell(self.path, message)

    @overload
    def ask(self, message: Request[Reply], *, timeout: float | None = ..., block: Literal[True] = ...) -> Reply: ...
    @overload
    def ask(self, message: Request[Reply], *, timeout: float | None = ..., block: Literal[False]) -> Future[Reply]: ...
    @overload
    def ask(self, message: Any, *, timeout: float | None = ..., block: Literal[True] = ...) -> Any: ...
    @overload
    def ask(self, message: Any, *, timeout: float | None = ..., block: Literal[False]) -> Future[Any]: ...
    def ask(self, message: Any, *, timeout: float | None = DEFAULT_TIMEOUT_S, block: bool = True) -> Any:
        """Send `message` and give its answer, or (`block=False`) a future of it.

        The ask resolves exactly once, within `timeout` seconds: with the reply, the actor's declared error, or an
        `ActorRuntimeError` that says what happened. `timeout=None` waits as long as the actor lives. On an event loop's thread,
        `await ref.ask(…, block=False)`; blocking there raises `UsageError`.
        """
        if block:
            refuse_on_event_loop()
        future = self._delivery.ask(self.path, message, timeout)
        return future.get() if block else future

    def proxy(self) -> ActorProxy:
        """Give the actor as an object whose methods and attributes are messages."""
        return ActorProxy(self.tell, lambda message: self.ask(message, block=False))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActorRef) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"<ActorRef {self.path}>"


RefFactory = Callable[[str], ActorRef]
