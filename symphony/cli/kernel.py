"""Reaching the kernel: a connection, or the reason why there is none; and questions to SymphonyCore behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from actors.runtime.control.client import ControlClient, KernelRefusedError
from actors.runtime.errors import ActorRuntimeError, NodeUnavailableError, NoSuchActorError
from actors.runtime.run_directory import RunDirectory
from symphony.domain.errors import UnavailableError

from .errors import NotRunningError, RefusedError
from .invocation import Invocation
from .refusals import unwrapped

CORE, SYMPHONY = "/engine/core", "symphony"
Reply = TypeVar("Reply")


@contextmanager
def connected(invocation: Invocation) -> Iterator[ControlClient]:
    """Give a connection to the kernel of this invocation's run directory, every call bounded by its timeout.

    Raises `NotRunningError`, or `UnavailableError` where a kernel is there that does not answer; what the kernel refuses comes
    out as the error that it names.
    """
    with connection(invocation.run_directory(), invocation.timeout_s) as client:
        yield client


@contextmanager
def connection(run_dir: RunDirectory, timeout_s: float) -> Iterator[ControlClient]:
    """Give a connection to the kernel of `run_dir`, as `connected` does."""
    try:
        client = ControlClient(run_dir.control_socket, timeout_s=timeout_s)
    except NodeUnavailableError as error:
        raise why_silent(run_dir) from error
    with client:
        try:
            yield client
        except KernelRefusedError as error:
            raise unwrapped(error) from error


def why_silent(run_dir: RunDirectory) -> Exception:
    """Give the error for a run directory at whose socket nobody answers."""
    if not run_dir.is_held():
        return NotRunningError()
    holder = run_dir.holder()
    who = f"kernel pid {holder.kernel}" if holder.kernel else f"warden pid {holder.warden}" if holder.warden else "a kernel"
    return UnavailableError(
        f"{who} has {run_dir.path} but does not answer: it is starting or hung; try again, or end it with `symphony down --now`"
    )


def ask_core(client: ControlClient, message: Any, reply_type: type[Reply], *, timeout_s: float) -> Reply:
    """Ask SymphonyCore; raises what it declares, what `ControlClient` raises, and `RefusedError` in a tree that has none."""
    try:
        reply: Reply = client.ask(CORE, message, reply_type, timeout_s=timeout_s)
    except KernelRefusedError as error:
        if error.kind == NoSuchActorError.__name__ and (name := _system_of(client)) != SYMPHONY:
            raise RefusedError(
                f"the tree that runs is {name!r}, which has no {CORE}: only Symphony's own tree can do that"
            ) from error
        raise unwrapped(error) from error
    return reply


def _system_of(client: ControlClient) -> str:
    """Give the name of the tree; Symphony's own where the kernel has something else to do than to tell it."""
    try:
        return client.ping().system
    except ActorRuntimeError:
        return SYMPHONY


def newest_event(client: ControlClient) -> int:
    """Give the number of the newest event, 0 where there is none."""
    newest = 0
    for batch in client.events():
        newest = batch.events[-1].seq
    return newest
