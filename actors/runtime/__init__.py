"""The actor runtime's public face.

Names are imported when they are first used, so that a program which only wants one light part, such as the command line's
client, does not pay for all.

A program written for Pykka moves by changing its base class to `ThreadingActor`, and running inside of `with ActorSystem(…):`.
`ask_failure = "reply"` on the class gives Pykka's rule for exceptions in asks. All that differs from Pykka 4.5 then:

| what | Pykka | here |
|---|---|---|
| **starting** | | |
| where `start()` starts | in the process's one registry | in a handler, beside its actor; else in the `with` block's system |
| `start()` in a thread begun in the block | as anywhere | `UsageError`: `system.spawn(Class, name=…)` |
| `start()` returns | at once | when `on_start` has returned; 10 s at most, then `StartError` |
| an exception in `on_start` | is logged | is raised by `start()` |
| an `on_start` that asks who starts it | waits for its turn | `AskCycleError` |
| `__init__` runs | where `start()` is called | where messages are handled |
| `super().__init__()` | must be called | may be left out |
| class attributes with a meaning | `use_daemon_thread` | those of `Actor` (`messages`, `inline`, …); and `self.context` |
| threads | end the program late, if not daemons | are daemons, and end with the block |
| **failures** | | |
| an exception in an ask | its asker's; the actor lives on | so too by `ask_failure = "reply"`; else it fails the actor |
| what that asker is raised | the exception | `ActorFailedError` from it, unless by `"reply"` or `expected_errors` |
| after a failure | the actor is gone | a started one too; one of `system.spawn` is restarted with its mailbox |
| `on_failure` after a failing `on_start` | not called | called |
| a `BaseException` in a handler | stops every actor; no answer | fails that actor; its asker is told |
| a message that nobody handles | a warning; the answer is None | `RejectedError`; no failure |
| failures are told | to the logger `pykka` | by events (`actor.exited`), and to the runtime's own log |
| an ask's error that nobody collects | a line at level info | the event `ask.error_unobserved` |
| names of errors | `ActorDeadError`, `Timeout` | `NoSuchActorError` or `TerminatedError`, `AskTimeoutError` |
| **asking** | | |
| an ask, or a use of a proxy | waits for ever | resolves within 5 s, or `timeout=`; `ref.proxy(timeout=None)` |
| a message whose time is up before its turn | is handled | is not |
| messages that may wait | any number | `mailbox_capacity`, 1000; one more is `RejectedError`, or by `overflow` |
| actors that ask each other | wait for each other | `AskCycleError` at once |
| a handler returns a future | the answer is the future | the answer is what that resolves with |
| waiting on an event loop's thread | stops the loop | `UsageError` |
| `await future` | stops the loop | lets it go on |
| `map`, `filter`, `reduce` | run in `get`, where that is called | run once, where the future is resolved |
| a future of one's own | `ThreadingFuture`; has `set_get_hook` | `Future`; has not: `map` |
| setting it twice | `queue.Full` | `UsageError` |
| **stopping** | | |
| `ref.stop()` waits | for ever | 30 s, or `timeout=`; the order stands |
| all are stopped | by `ActorRegistry.stop_all()`, behind what waits | by the end of the block; what waits becomes dead letters |
| one that is busy then | is waited for | has 2 s, then is left behind |
| **refs and proxies** | | |
| `ActorRegistry` | finds every actor of the process | is not there: `system.find("/**")`, `system.groups` |
| `actor_urn` | a random UUID | the actor's path |
| `actor_inbox`, `actor_stopped` | are there | are not: `ref.waiting()`, `ref.is_alive()`, `context.watch(ref)` |
| `proxy.x`, not called | is read at once | is read when `get`, `await`, `map` or the like wants it |
| `proxy.x`, where there is none | `AttributeError` at once | `RejectedError` when it is used |
| `dir(proxy)` | has the actor's names | has not |
| `proxy.x(…)`, where the arguments do not fit | `TypeError` | `RejectedError`; never a failure |
| `proxy.a.b` | where `a` is marked `traversable` | always, but for names of `Future` (`get`, `map`, …) and `defer` |
| `proxy._x = 1` | sets it on the proxy | `RejectedError` |
| a proxy to an actor that is gone | `ActorDeadError` when it is made | errors when it is used |
| `messages.ProxyCall(("a", "b"), …)` | is told | `ProxyCall("a.b", …)` of our `messages`, told by `tell_as_proxy` |
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .actor import Actor
    from .future import Future, first, gather, get_all
    from .messages import Message, Request
    from .proxy import ActorProxy
    from .ref import ActorRef
    from .routing.router import Router
    from .routing.strategies import ConsistentHash, LeastLoaded, RoundRobin
    from .supervision.spec import Backoff, ChildSpec, RestartLimit, SupervisorSpec
    from .system import ActorSystem
    from .terminated import Terminated
    from .threading_actor import ThreadingActor

__all__ = [
    "Actor",
    "ActorProxy",
    "ActorRef",
    "ActorSystem",
    "Backoff",
    "ChildSpec",
    "ConsistentHash",
    "Future",
    "LeastLoaded",
    "Message",
    "Request",
    "RestartLimit",
    "RoundRobin",
    "Router",
    "SupervisorSpec",
    "Terminated",
    "ThreadingActor",
    "first",
    "gather",
    "get_all",
]

_HOMES = {
    "Actor": "actor",
    "ActorProxy": "proxy",
    "ActorRef": "ref",
    "ActorSystem": "system",
    "Backoff": "supervision.spec",
    "ChildSpec": "supervision.spec",
    "ConsistentHash": "routing.strategies",
    "Future": "future",
    "LeastLoaded": "routing.strategies",
    "Message": "messages",
    "Request": "messages",
    "RestartLimit": "supervision.spec",
    "RoundRobin": "routing.strategies",
    "Router": "routing.router",
    "SupervisorSpec": "supervision.spec",
    "Terminated": "terminated",
    "ThreadingActor": "threading_actor",
    "first": "future",
    "gather": "future",
    "get_all": "future",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)
