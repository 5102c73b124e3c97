"""ActorRef: what you hold to send. It names a path, so it outlives restarts and works from any process of the system."""

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar, overload

from .address import ActorPath
from .current import sender as sender_here
from .current import station
from .envelope import Envelope
from .errors import NoSuchActorError, NotBuiltError, StartError, TerminatedError
from .future import Future, resolved_with
from .messages import ProxyCall, Request
from .proxy import ASK_TIMEOUT_S, STOP, ActorProxy
from .snapshot import ActorState
from .waiting import refuse_on_event_loop

Reply = TypeVar("Reply")

DEFAULT_TIMEOUT_S = ASK_TIMEOUT_S
STOP_TIMEOUT_S = 30.0


class LocalKind(Protocol):
    """What a ref needs of the kind of an actor of its own process."""

    @property
    def behaviour(self) -> type:
        """The actor's class."""
        ...


class LocalCell(Protocol):
    """What a ref needs of an actor of its own process."""

    closed: bool
    state: ActorState
    now: Callable[[], float]

    @property
    def kind(self) -> LocalKind:
        """What it has in common with others of its class."""
        ...

    @property
    def depth(self) -> int:
        """How many messages wait."""
        ...

    def put(self, envelope: Envelope) -> None:
        """Take a message. Raises `RejectedError`."""
        ...

    def ask(self, message: Any, timeout: float | None) -> Future[Any]:
        """Take a message that wants an answer; whatever is wrong resolves the future."""
        ...

    def ask_now(self, message: Any, timeout: float | None) -> Any:
        """Take a message, and give or raise its answer."""
        ...


class Delivery(Protocol):
    """What a ref needs of its system."""

    def cell_at(self, path: ActorPath) -> LocalCell | None:
        """Give the cell at `path`, or None where `path` lies in another process. Raises `NoSuchActorError`."""
        ...

    def tell(self, path: ActorPath, message: Any) -> None:
        """Send a message to the actor at `path` in another process."""
        ...

    def ask(self, path: ActorPath, message: Any, timeout: float | None) -> Future[Any]:
        """Send a message to the actor at `path` in another process, to be answered within `timeout` seconds."""
        ...


class ActorRef:
    """A ref to the actor at `path`. Any thread may use it; two refs to one path are equal.

    It remembers the cell that it has found there, for as long as that takes messages.
    """

    __slots__ = ("_cell", "_delivery", "path")

    def __init__(self, delivery: Delivery, path: ActorPath) -> None:
        self._delivery = delivery
        self._cell: LocalCell | None = None
        self.path = path

    def tell(self, message: Any) -> None:
        """Send `message` and want no answer.

        Returns once the actor's mailbox, or the link to its node, has taken it. Raises a `DeliveryError` where it was not
        taken, and `UnsendableError` where it cannot cross a process.
        """
        cell = self._cell
        if cell is None or cell.closed:
            cell = self._find()
        if cell is None:
            self._delivery.tell(self.path, message)
        else:
            # As `ActorCell.tell`, one call less: this is the runtime's most travelled way.
            here = station.get()
            if here is None or (activity := here.activity) is None:
                sender = ""
            else:
                sender = activity.path if here.thread is None else sender_here()
            cell.put(Envelope(message, sender, cell.now(), True))

    def tell_as_proxy(self, message: ProxyCall) -> None:
        """Send what a proxy says and want no answer. Raises as `tell`."""
        cell = self._find()
        if cell is None:
            self._delivery.tell(self.path, message)
        else:
            cell.put(Envelope(message, sender_here(), cell.now()))

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
        cell = self._cell
        if cell is None or cell.closed:
            try:
                cell = self._find()
            except NoSuchActorError as error:
                if block:
                    raise
                return resolved_with(error)
        if cell is None:
            future = self._delivery.ask(self.path, message, timeout)
        else:
            if block:
                return cell.ask_now(message, timeout)
            future = cell.ask(message, timeout)
        return future.get() if block else future

    def is_alive(self) -> bool:
        """Tell whether the actor takes messages now: it runs, starts or restarts. One in another process is taken for alive."""
        try:
            cell = self._find()
        except NoSuchActorError:
            return False
        return cell is None or not (cell.closed or cell.state in ("stopped", "parked"))

    def waiting(self) -> int:
        """Give how many messages wait in the actor's mailbox; 0 for one in another process, and where nobody lives."""
        try:
            cell = self._find()
        except NoSuchActorError:
            return 0
        return 0 if cell is None else cell.depth

    def proxy(self, *, timeout: float | None = DEFAULT_TIMEOUT_S) -> ActorProxy[Any]:
        """Give the actor as an object whose methods and attributes are messages, asks that resolve within `timeout` seconds."""
        return ActorProxy(self, timeout)

    @property
    def actor_class(self) -> type:
        """The class of the actor. Raises `NoSuchActorError`, and `NotBuiltError` for one in another process."""
        cell = self._cell or self._find()
        if cell is None:
            raise NotBuiltError(f"{self.path}: the class of an actor in another process is not known here")
        return cell.kind.behaviour

    @property
    def actor_urn(self) -> str:
        """What names the actor, under Pykka's name for it: its path."""
        return self.path

    @overload
    def stop(self, *, block: Literal[True] = ..., timeout: float | None = ...) -> bool: ...
    @overload
    def stop(self, *, block: Literal[False], timeout: float | None = ...) -> Future[bool]: ...
    @overload
    def stop(self, *, block: bool = ..., timeout: float | None = ...) -> bool | Future[bool]: ...
    def stop(self, *, block: bool = True, timeout: float | None = STOP_TIMEOUT_S) -> bool | Future[bool]:
        """Stop the actor for good, behind the messages that wait already, and tell (or promise) whether there was one to stop.

        Returns once it is gone, whatever its restart type. Raises `AskTimeoutError` after `timeout` seconds (the order stands),
        and `RejectedError` where its mailbox is full or it is at the top of its process.
        """
        if block:
            refuse_on_event_loop()
        # Without a deadline: a stop that is late is carried out all the same.
        gone: Future[None] = self.ask(ProxyCall(STOP), timeout=None, block=False)
        if block:
            try:
                gone.get(timeout)
            except (NoSuchActorError, TerminatedError, StartError) as error:
                return _was_stopping(error)
            return True
        stopped: Future[bool] = Future()

        def resolved(_: Future[None]) -> None:
            error = gone.error()
            if error is None or isinstance(error, NoSuchActorError | TerminatedError | StartError):
                stopped.set_result(error is None or _was_stopping(error))
            else:
                stopped.set_error(error)

        gone.add_done_callback(resolved)
        return stopped

    def _find(self) -> LocalCell | None:
        cell = self._cell = self._delivery.cell_at(self.path)
        return cell

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActorRef) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"<ActorRef {self.path}>"


def _was_stopping(error: Exception) -> bool:
    """Tell an actor that ended before the order's turn came, or whose supervisor is ending, from one that was not there."""
    return not isinstance(error, NoSuchActorError)


RefFactory = Callable[[str], ActorRef]
