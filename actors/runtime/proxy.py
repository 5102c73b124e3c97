"""Proxy: an actor's methods and attributes as if they were here, each use a message.

Pykka's proxies look at the live object from the caller's thread. These look at nothing: the name, or the names with dots between
them, is resolved where the actor is, so a proxy to another process works alike. The price is that `proxy.x` cannot know whether
`x` will be called, and so sends nothing yet. Names that start with an underscore are refused, here and there.
"""

from collections.abc import Callable, Generator
from typing import Any, Generic, Literal, Protocol, TypeVar

from .future import Future
from .messages import ProxyCall, ProxyGet, ProxySet

ActorClass = TypeVar("ActorClass")

ASK_TIMEOUT_S = 5.0
STOP = "()stop"
"""Called by the runtime, this stops the actor for good, in its turn. No attribute has such a name."""


class Reached(Protocol):
    """What a proxy needs of a ref."""

    @property
    def path(self) -> str:
        """Where the actor lives."""
        ...

    def tell_as_proxy(self, message: ProxyCall) -> None:
        """Send what a proxy says, and want no answer."""
        ...

    def tell(self, message: Any) -> None:
        """Send a message and want no answer."""
        ...

    def ask(self, message: Any, *, timeout: float | None, block: Literal[False]) -> Future[Any]:
        """Send a message and give a future of its answer."""
        ...


class Member:
    """A name of an actor that is not used yet: call it, read it, or go on to a name of what is there.

    It is read when its value is first wanted: by `get`, `await`, `map`, `filter`, `join`, `reduce` or `get_all`, and once only.
    A name below it that is one of these, or `defer`, is reached by a message: `ref.ask(ProxyGet("player.get"))`.
    """

    __slots__ = ("_name", "_read", "_ref", "_timeout")

    _ref: Reached
    _name: str
    _read: Future[Any] | None
    _timeout: float | None

    def __init__(self, ref: Reached, name: str, timeout: float | None) -> None:
        hold = object.__setattr__
        hold(self, "_ref", ref)
        hold(self, "_name", name)
        hold(self, "_read", None)
        hold(self, "_timeout", timeout)

    def __call__(self, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the method; the future has what it returns."""
        return self._ref.ask(ProxyCall(self._name, args, kwargs), timeout=self._timeout, block=False)

    def defer(self, *args: Any, **kwargs: Any) -> None:
        """Call the method and want no answer."""
        self._ref.tell_as_proxy(ProxyCall(self._name, args, kwargs))

    def get(self, timeout: float | None = None) -> Any:
        """Read the attribute, waiting up to `timeout` seconds, and as long as the proxy waits at most."""
        return self.__as_future__().get(timeout)

    def map(self, function: Callable[[Any], Any]) -> Future[Any]:
        """Read the attribute, and give a future of `function` of it."""
        return self.__as_future__().map(function)

    def filter(self, wanted: Callable[[Any], bool]) -> Future[list[Any]]:
        """Read the attribute, and give a future of those of its items that are `wanted`."""
        return self.__as_future__().filter(wanted)

    def reduce(self, function: Callable[[Any, Any], Any], *initial: Any) -> Future[Any]:
        """Read the attribute, and give a future of its items folded by `function`."""
        return self.__as_future__().reduce(function, *initial)

    def join(self, *others: Any) -> Future[list[Any]]:
        """Read the attribute, and give a future of its value and those of `others`."""
        return self.__as_future__().join(*others)

    def __await__(self) -> Generator[Any, None, Any]:
        return self.__as_future__().__await__()

    def __as_future__(self) -> Future[Any]:
        read = self._read
        if read is None:
            read = self._ref.ask(ProxyGet(self._name), timeout=self._timeout, block=False)
            object.__setattr__(self, "_read", read)
        return read

    def __getattr__(self, name: str) -> "Member":
        return Member(self._ref, f"{self._name}.{_public(name)}", self._timeout)

    def __setattr__(self, name: str, value: Any) -> None:
        _set(self._ref, f"{self._name}.{name}", value, self._timeout)

    def __repr__(self) -> str:
        return f"<{self._name} of {self._ref}>"


class ActorProxy(Generic[ActorClass]):
    """The actor behind a ref: `proxy.method(…)` gives a future, `proxy.name.get()` a value, and `proxy.name = value` sets it.

    Each use is an ask, which resolves within `timeout` seconds. Setting waits, and raises what prevented it. `proxy.a.b.c()` uses
    what is inside of the actor, where that runs. Any thread may use a proxy; two to one actor are equal. `actor_ref` is the ref.
    """

    __slots__ = ("_timeout", "actor_ref")

    actor_ref: Any
    _timeout: float | None

    def __init__(self, actor_ref: Reached, timeout: float | None = ASK_TIMEOUT_S) -> None:
        object.__setattr__(self, "actor_ref", actor_ref)
        object.__setattr__(self, "_timeout", timeout)

    def __getattr__(self, name: str) -> Member:
        return Member(self.actor_ref, _public(name), self._timeout)

    def __setattr__(self, name: str, value: Any) -> None:
        # Python's own, which come from `typing`, are no business of the actor's.
        _set(self.actor_ref, _public(name) if name.startswith("__") else name, value, self._timeout)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActorProxy) and other.actor_ref == self.actor_ref

    def __hash__(self) -> int:
        return hash(self.actor_ref)

    def __repr__(self) -> str:
        return f"<ActorProxy {self.actor_ref.path}>"


def _public(name: str) -> str:
    if name.startswith("_"):
        raise AttributeError(f"{name}: a proxy reaches public names only")
    return name


def _set(ref: Reached, name: str, value: Any, timeout: float | None) -> None:
    ref.ask(ProxySet(name, value), timeout=timeout, block=False).get()
