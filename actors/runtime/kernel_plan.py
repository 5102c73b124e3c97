"""KernelPlan: everything a kernel needs to know to start a tree, as data that a warden hands to it."""

import msgspec
from msgspec import Struct

from .snapshot import ExitSnapshot


class KernelPlan(Struct, frozen=True):
    """What to run.

    `spec` is the root supervisor's spec by `encode_spec`; `packages` must come from the same files in every process; `preload`
    are the modules that the fork server imports beforehand, none of which may start a thread. `ended` is how the last kernel
    ended, for one that takes its place.
    """

    system: str
    run_dir: str
    spec: bytes
    packages: tuple[str, ...] = ("actors",)
    preload: tuple[str, ...] = ()
    ended: ExitSnapshot | None = None


class KernelWord(Struct, frozen=True):
    """What a kernel says to its warden, one JSON line each: that it is ready, or what prevented it."""

    ready: bool
    problem: str = ""


def encode_plan(plan: KernelPlan) -> bytes:
    """Give a plan as bytes."""
    return msgspec.msgpack.encode(plan)


def decode_plan(data: bytes) -> KernelPlan:
    """Give the plan of `encode_plan`'s bytes."""
    return msgspec.msgpack.decode(data, type=KernelPlan)
