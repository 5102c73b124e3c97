"""Fault injection: harm done on purpose in a node, by the hand of one of its actors' handlers.

The actor is told a message of ours, and its handler is replaced by one that commits the fault at that message and passes all
others on. So the fault happens in the actor's turn, on its dispatcher's thread or loop, exactly as one in its own code would, and
nothing on the way of other messages has to know of it.
"""

import ctypes
import os
import resource
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from msgspec import Struct

from ..cell import ActorCell
from ..chaos.faults import InsideKind
from ..errors import RejectedError

EXIT_CODE = 3
ROOM_BYTES = 64 * 1024 * 1024
"""What may still be allocated when memory is to run out."""
BLOCK_BYTES = 4 * 1024 * 1024
MUTEX_BYTES = 256
"""More than a `pthread_mutex_t` has anywhere; all zero is one that nobody has locked."""


class InjectedFaultError(Exception):
    """The failure that fault injection raises in a handler."""


class FaultMessage(Struct, frozen=True):
    """What an actor is told that is to commit a fault."""

    kind: InsideKind


def inject(cell: ActorCell, kind: InsideKind) -> None:
    """Have the actor's handler commit a fault at its next turn.

    Raises `RejectedError` where no life runs or the mailbox is full.
    """
    actor, life = cell.actor, cell.life
    if actor is None or life is None or cell.state != "running":
        raise RejectedError(f"{cell.path} is {cell.state}: only an actor that runs can commit a fault")
    usual = life.handler or actor.on_receive

    def handle(message: Any) -> Any:
        if isinstance(message, FaultMessage):
            return _COMMIT[message.kind]()
        return usual(message)

    life.become(handle)
    cell.tell(FaultMessage(kind))


def _exit() -> NoReturn:
    os._exit(EXIT_CODE)


def _raise() -> NoReturn:
    raise InjectedFaultError("injected on purpose, by chaos")


def _spin() -> NoReturn:
    while True:
        pass


def _block() -> None:
    # Not `blocking()`: this wait is one that nobody announced.
    held = threading.Lock()
    held.acquire()
    held.acquire()


def _hold_gil() -> None:
    # PyDLL, unlike CDLL, keeps the interpreter's lock during the call, so that no other thread of the process runs. A mutex that
    # waits for itself, not a sleep: a signal, such as the one that asks for stacks, would end a sleep.
    library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(MUTEX_BYTES)
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)


def _use_up_memory() -> None:
    """Allocate beyond a limit that is set just above what the process has; the limit goes again, should the process live on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM_BYTES, hard))
    blocks: list[bytearray] = []
    try:
        while True:
            blocks.append(bytearray(BLOCK_BYTES))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


_COMMIT: Mapping[InsideKind, Callable[[], None]] = MappingProxyType(
    {"exit": _exit, "raise": _raise, "spin": _spin, "block": _block, "hold_gil": _hold_gil, "memory": _use_up_memory}
)
