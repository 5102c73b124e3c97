"""Proxy: an actor's methods and attributes as if they were here, each use a message.

Pykka's proxies look at the live object from the caller's thread. These look at nothing: the name is resolved where the actor
is, so a proxy to another process works alike. Names that start with an underscore are refused there.
"""

from collections.abc import Callable
from typing import Any

from .future import Future
from .messages import ProxyCall, ProxyGet, ProxySet

Tell = Callable[[Any], None]
Ask = Callable[[Any], Future[Any]]


class Member:
    """An attribute that is not read yet: call it, or `get` it."""

    __slots__ = ("_ask", "_name", "_tell")

    def __init__(self, tell: Tell, ask: Ask, name: str) -> None:
        self._tell = tell
        self._ask = ask
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the method; the future has what it returns."""
        return self._ask(ProxyCall(self._name, args, kwargs))

    def get(self, timeout: float | None = None) -> Any:
        """Read the attribute, waiting up to `timeout` seconds."""
        return self._ask(ProxyGet(self._name)).get(timeout)

    def defer(self, *args: Any, **kwargs: Any) -> None:
        """Call the method and want no answer."""
        self._tell(ProxyCall(self._name, args, kwargs))


class ActorProxy:
    """The actor behind a ref: `proxy.method(…)` gives a future, `proxy.name.get()` a value, and `proxy.name = value` sets it."""

    _tell: Tell
    _ask: Ask

    def __init__(self, tell: Tell, ask: Ask) -> None:
        object.__setattr__(self, "_tell", tell)
        object.__setattr__(self, "_ask", ask)

    def __getattr__(self, name: str) -> Member:
        if name.startswith("_"):
            raise AttributeError(f"{name}: a proxy reaches public names only")
        return Member(self._tell, self._ask, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask(ProxySet(name, value)).get()
