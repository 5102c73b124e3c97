"""Router: many actors behind the face of one; a strategy picks who gets each message.

A router is no actor, as Akka's group routers are: the sender's own thread chooses and sends. That saves a hop and a mailbox
that could fill, and keeps the promise that messages from one sender to one actor arrive in the order in which they were sent;
between two routees there is no order. Choosing takes no lock. The routees are one immutable tuple, replaced as a whole.

**A refusal** is `NoSuchActorError`, `NodeUnavailableError` or `RejectedError` that is known once the routee has been sent to:
nobody lives there, its node is away, its mailbox is full. `RoundRobin` and `LeastLoaded` then try each of the others once;
`ConsistentHash` does not, since a key belongs to one. What an ask resolves with later is its answer, and is not tried
elsewhere: by then the caller's thread has gone on. So an actor that answers with one of these three errors says that it did
*not* handle the message, as `DeliveryError` promises; one whose own ask of a third actor fails so should answer with an error
of its own. To tell a refusal from an answer, a blocking ask is sent like any other and then waited for, so a routee that is
`inline` does not run on the asker's thread.

**The load** for `LeastLoaded` is the greater of two numbers: the messages in the routee's mailbox (`ref.waiting()`, which is 0
for an actor of another process) and the asks that this router has under way to it. Their sum would count an ask that waits in a
mailbox of this process twice. Tells to another process are in neither number: a router that only tells such actors takes turns.
Only with a strategy that wants loads are asks counted. Each ask then costs one entry in a set and a callback that takes it out
again, both without a lock: `set.add` and `set.discard` are atomic, where `count += 1` is not.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar, overload

from ..errors import DeliveryError, NodeUnavailableError, NoSuchActorError, RejectedError, UsageError
from ..future import Future
from ..messages import Request
from ..ref import DEFAULT_TIMEOUT_S, ActorRef
from ..waiting import refuse_on_event_loop
from .fan_out import tell_all
from .strategies import Strategy

Reply = TypeVar("Reply")
Sent = TypeVar("Sent")

_REFUSALS = (NoSuchActorError, NodeUnavailableError, RejectedError)
_REASONS_SHOWN = 5


class Router:
    """Sends each message to one of `routees`, which `strategy` picks. Any thread may call any method.

    It owns no actors: a routee that ended for good refuses and is passed over until it is removed. Give a strategy to one
    router only. Raises `UsageError` where a routee is no ref, or named twice, and for what is no strategy.
    """

    __slots__ = ("_lock", "_routees", "_strategy", "_under_way")

    def __init__(self, routees: Iterable[ActorRef], strategy: Strategy) -> None:
        if isinstance(strategy, type) or not callable(getattr(strategy, "choose", None)):
            raise UsageError(f"{strategy!r} is no strategy: give one that is made, such as `RoundRobin()`")
        self._strategy = strategy
        self._lock = threading.Lock()
        self._routees: tuple[ActorRef, ...] = ()
        self._under_way: dict[str, set[Future[Any]]] = {}
        self.with_routees(routees)

    @property
    def routees(self) -> tuple[ActorRef, ...]:
        """Those that are sent to now."""
        return self._routees

    def with_routees(self, routees: Iterable[ActorRef]) -> None:
        """Send to these from now on, and no more to those before. A message that is being sent may still go to one of those."""
        wanted = tuple(routees)
        _check(wanted)
        with self._lock:
            self._swap(wanted)

    def add(self, routee: ActorRef) -> None:
        """Send to this one too; nothing changes where it is among them."""
        _check((routee,))
        with self._lock:
            if routee not in self._routees:
                self._swap((*self._routees, routee))

    def remove(self, routee: ActorRef) -> None:
        """Send no more to this one; nothing changes where it is not among them."""
        with self._lock:
            if routee in self._routees:
                self._swap(tuple(kept for kept in self._routees if kept != routee))

    def tell(self, message: Any) -> None:
        """Send `message` to one routee and want no answer.

        Raises a `DeliveryError` where nobody took it: the routee's own where it was the only one to try, else a `RejectedError`
        that says what each of them said.
        """
        self._route(message, lambda routee: routee.tell(message))

    @overload
    def ask(self, message: Request[Reply], *, timeout: float | None = ..., block: Literal[True] = ...) -> Reply: ...
    @overload
    def ask(self, message: Request[Reply], *, timeout: float | None = ..., block: Literal[False]) -> Future[Reply]: ...
    @overload
    def ask(self, message: Any, *, timeout: float | None = ..., block: Literal[True] = ...) -> Any: ...
    @overload
    def ask(self, message: Any, *, timeout: float | None = ..., block: Literal[False]) -> Future[Any]: ...
    def ask(self, message: Any, *, timeout: float | None = DEFAULT_TIMEOUT_S, block: bool = True) -> Any:
        """Send `message` to one routee and give its answer, or (`block=False`) a future of it, as `ActorRef.ask` does.

        Where nobody took it, the ask fails as `tell` does.
        """
        if block:
            refuse_on_event_loop()
        future: Future[Any]
        try:
            future = self._route(message, lambda routee: self._ask_one(routee, message, timeout))
        except DeliveryError as error:
            future = Future()
            future.set_error(error)
        return future.get() if block else future

    def broadcast(self, message: Any) -> int:
        """Tell `message` to every routee, whatever the strategy, and give how many took it, as `tell_all` does.

        Raises `RejectedError` where there is no routee.
        """
        return tell_all(self._routees_now(), message)

    def _routees_now(self) -> tuple[ActorRef, ...]:
        routees = self._routees
        if not routees:
            raise RejectedError("the router has no routee to send to: give it one with `add` or `with_routees`")
        return routees

    def _route(self, message: Any, send: Callable[[ActorRef], Sent]) -> Sent:
        left = self._routees_now()
        routee: ActorRef | None = self._strategy.choose(message, left, self._load_of)
        refusals: list[tuple[ActorRef, DeliveryError]] = []
        while routee is not None:
            try:
                return send(routee)
            except _REFUSALS as error:
                refusals.append((routee, error))
            left = tuple(other for other in left if other is not routee)
            routee = self._strategy.choose_again(message, left, self._load_of) if left else None
        try:
            raise _refused(refusals) from (refusals[-1][1] if len(refusals) > 1 else None)
        finally:
            # The error's traceback holds this frame: a router whose actors are overloaded must not make a cycle a message.
            del refusals

    def _ask_one(self, routee: ActorRef, message: Any, timeout: float | None) -> Future[Any]:
        future = routee.ask(message, timeout=timeout, block=False)
        if future.is_resolved():
            error = future.error()
            if isinstance(error, _REFUSALS):
                raise error
        elif self._strategy.needs_loads:
            under_way = self._under_way.get(routee.path)
            if under_way is not None:
                # In this order: a future that has resolved in the meantime calls back at once.
                under_way.add(future)
                future.add_done_callback(under_way.discard)
        return future

    def _load_of(self, routee: ActorRef) -> int:
        return max(routee.waiting(), len(self._under_way.get(routee.path, ())))

    def _swap(self, routees: tuple[ActorRef, ...]) -> None:
        self._under_way = {routee.path: self._under_way.get(routee.path, set()) for routee in routees}
        self._routees = routees


def _check(routees: tuple[object, ...]) -> None:
    for routee in routees:
        if not isinstance(routee, ActorRef):
            raise UsageError(f"{routee!r} is no ref: give a router what `system.spawn` or `system.ref` gives")
    if len(set(routees)) < len(routees):
        raise UsageError(f"a routee is named twice in {list(routees)!r}: name each once")


def _refused(refusals: list[tuple[ActorRef, DeliveryError]]) -> DeliveryError:
    if len(refusals) == 1:
        return refusals[0][1]
    said = [f"{routee.path}: {error}" for routee, error in refusals[:_REASONS_SHOWN]]
    if len(refusals) > _REASONS_SHOWN:
        said.append(f"and {len(refusals) - _REASONS_SHOWN} more")
    return RejectedError(f"none of {len(refusals)} routees took the message: {'; '.join(said)}")
