"""Proxy: an actor's methods and attributes as if they were here, each use a message.

Pykka's proxies look at the live object from the caller's thread. These look at nothing: the name is resolved where the actor is, so a
proxy to another process works alike. Names that start with an underscore are refused there.
"""

from typing import TYPE_CHECKING, Any

from .future import Future
from .messages import ProxyCall, ProxyGet, ProxySet

if TYPE_CHECKING:
    from .ref import ActorRef


class Member:
    """An attribute that is not read yet: call it, or `get` it."""

    __slots__ = ("_name", "_ref")

    def __init__(self, ref: "ActorRef", name: str) -> None:
        self._ref = ref
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the method; the future has what it returns."""
        return self._ref.ask(ProxyCall(self._name, args, kwargs), block=False)

    def get(self, timeout: float | None = None) -> Any:
        """Read the attribute, waiting up to `timeout` seconds."""
        return self._ref.ask(ProxyGet(self._name), block=False).get(timeout)

    def defer(self, *args: Any, **kwargs: Any) -> None:
        """Call the method and want no answer."""
        self._ref.tell(ProxyCall(self._name, args, kwargs))


class ActorProxy:
    """The actor behind a ref: `proxy.method(…)` gives a future, `proxy.attribute.get()` a value, `proxy.attribute = value` sets it."""

    _ref: "ActorRef"

    def __init__(self, ref: "ActorRef") -> None:
        object.__setattr__(self, "_ref", ref)

    def __getattr__(self, name: str) -> Member:
        if name.startswith("_"):
            raise AttributeError(f"{name}: a proxy reaches public names only")
        return Member(self._ref, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ref.ask(ProxySet(name, value))
