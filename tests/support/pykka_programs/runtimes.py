"""The two runtimes, by the names that a program takes from one of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import pykka

import actors.runtime
from actors.runtime import ActorSystem
from actors.runtime.errors import AskTimeoutError, NoSuchActorError, TerminatedError

BOUND_S = 5.0


class Runtime(NamedTuple):
    """What `import pykka` gives a program, and the block that its actors live in."""

    name: str
    ThreadingActor: type[Any]
    Future: type[Any]
    get_all: Callable[..., Any]
    dead_errors: tuple[type[Exception], ...]
    timeout_error: type[Exception]
    block: Callable[[], AbstractContextManager[Any]]


@contextmanager
def _until_all_have_stopped() -> Iterator[type[pykka.ActorRegistry]]:
    try:
        yield pykka.ActorRegistry
    finally:
        pykka.ActorRegistry.stop_all(timeout=BOUND_S)


PYKKA = Runtime(
    "pykka",
    pykka.ThreadingActor,
    pykka.ThreadingFuture,
    pykka.get_all,
    (pykka.ActorDeadError,),
    pykka.Timeout,
    _until_all_have_stopped,
)
HERE = Runtime(
    "here",
    actors.runtime.ThreadingActor,
    actors.runtime.Future,
    actors.runtime.get_all,
    (NoSuchActorError, TerminatedError),
    AskTimeoutError,
    lambda: ActorSystem("moved"),
)
