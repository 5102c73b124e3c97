"""KernelPlan: all that a kernel needs to know to start a tree, as data that a warden hands to it; and what they say meanwhile."""

from enum import Enum

import msgspec
from msgspec import Struct

from ..snapshot import ExitSnapshot


class KernelPlan(Struct, frozen=True):
    """What to run.

    `spec` is the root supervisor's spec by `encode_spec`; `packages` must come from the same files in every process; `preload`
    are the modules that the fork server imports beforehand, none of which may start a thread. `ended` is how the last kernel
    ended, for one that takes its place. `search_path` are absolute folders that nodes, and nobody else, import from, last of all.
    `origin` is what whoever started the tree wants to be told again when it is reloaded; nobody here looks into it.
    `allow_fault_injection` lets clients ask for faults.
    """

    system: str
    run_dir: str
    spec: bytes
    packages: tuple[str, ...] = ("actors",)
    preload: tuple[str, ...] = ()
    ended: ExitSnapshot | None = None
    search_path: tuple[str, ...] = ()
    origin: dict[str, str] = {}
    allow_fault_injection: bool = False
    spares: int = 0
    node_main: str | None = None


class KernelWord(Struct, frozen=True):
    """What a kernel says to its warden, one JSON line each: that it is ready, or what prevented it.

    With a `plan`, that it has been reloaded, and what a kernel that takes its place is to run; with `stopping`, that somebody has
    asked it to stop; with `answers`, that it is there, after `WardenWord.ASK`.
    """

    ready: bool
    problem: str = ""
    plan: KernelPlan | None = None
    stopping: bool = False
    answers: bool = False


class WardenWord(Enum):
    """What a warden says to its kernel after the plan, a byte each.

    Stop in order; hurry, so that no node waits for its actors; and whether it is there.
    """

    STOP = b"s"
    HURRY = b"h"
    ASK = b"a"


def encode_plan(plan: KernelPlan) -> bytes:
    """Give a plan as bytes."""
    return msgspec.msgpack.encode(plan)


def decode_plan(data: bytes) -> KernelPlan:
    """Give the plan of `encode_plan`'s bytes."""
    return msgspec.msgpack.decode(data, type=KernelPlan)
