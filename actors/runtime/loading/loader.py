"""Loader: the parent's side: start a loader's process, wait for its answer within a bound, and leave nothing of it.

The user's code is not imported here: this may be a process that becomes a warden, and must not have threads, signal handlers and
modules that it knows nothing of.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress

import msgspec

from ..errors import SpecError, StartError
from ..memory_file import memory_file
from ..supervision.spec import SupervisorSpec, decode_spec, encode_spec
from .words import Answer, Load, Loaded

KEPT_OUTPUT = 4000
"""Bytes of what the loader printed that are shown where it fails."""
MAX_ANSWER = 64 * 1024 * 1024
SPARE_S = 5.0
"""How much later than its parent a loader would end itself."""


def load_target(target: str, search_path: Sequence[str], *, timeout_s: float) -> SupervisorSpec:
    """Give the tree that `target` (`module:attr`) names.

    Blocks, `timeout_s` seconds at most. Raises `SpecError` with every problem, and `StartError` where the user's code never came
    to an end, or ended the process.
    """
    return _load(Load(target, b"", tuple(search_path)), target, timeout_s)


def check_spec(tree: SupervisorSpec, search_path: Sequence[str], *, whose: str, timeout_s: float) -> SupervisorSpec:
    """Give `tree`, all of whose actors can be imported; as `load_target` but for a spec that is there already."""
    return _load(Load("", encode_spec(tree), tuple(search_path)), whose, timeout_s)


def _load(question: Load, whose: str, timeout_s: float) -> SupervisorSpec:
    deadline = time.monotonic() + timeout_s
    with ExitStack() as theirs, ExitStack() as ours:
        # Not a pipe: a loader that does not read would hold up whoever fills it.
        question_fd = memory_file("loader-question", msgspec.msgpack.encode(question))
        theirs.callback(os.close, question_fd)
        answer_read, answer_write = os.pipe2(os.O_CLOEXEC)
        ours.callback(os.close, answer_read)
        theirs.callback(os.close, answer_write)
        output_read, output_write = os.pipe2(os.O_CLOEXEC)
        ours.callback(os.close, output_read)
        theirs.callback(os.close, output_write)
        command = [sys.executable, "-P", "-m", __package__, str(answer_write), str(os.getpid()), str(timeout_s + SPARE_S)]
        process = subprocess.Popen(
            command,
            stdin=question_fd,
            stdout=output_write,
            stderr=output_write,
            pass_fds=(answer_write,),
            start_new_session=True,
        )
        ours.pop_all()
    try:
        data, output, in_time = _read(process.pid, answer_read, output_read, deadline)
    finally:
        # All of its session: a module may start processes when it is imported.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        os.close(answer_read)
        os.close(output_read)
    said = f"; it printed:\n{output}" if output else ""
    if not in_time:
        raise StartError(f"{whose}: importing it did not come to an end within {timeout_s:g} s{said}")
    return _tree_of(data, whose, code, said)


def _tree_of(data: bytes, whose: str, code: int, said: str) -> SupervisorSpec:
    try:
        answer = msgspec.msgpack.decode(data, type=Answer)
    except msgspec.MsgspecError:
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        raise StartError(f"{whose}: importing it ended the process that did so, {how}{said}") from None
    if not isinstance(answer, Loaded):
        *first, last = answer.problems
        raise SpecError(*first, last + said)
    tree = decode_spec(answer.spec)
    assert isinstance(tree, SupervisorSpec)  # noqa: S101  # the loader has checked it
    return tree


def _read(pid: int, answer_fd: int, output_fd: int, deadline: float) -> tuple[bytes, str, bool]:
    """Read until the process has ended; gives its answer, the last of its output, and whether it ended in time.

    The pipes tell nothing about its end: a process that a module has forked may hold them for ever.
    """
    kept = {answer_fd: b"", output_fd: b""}
    limits = {answer_fd: MAX_ANSWER, output_fd: KEPT_OUTPUT}
    pidfd = os.pidfd_open(pid)
    for descriptor in kept:
        os.set_blocking(descriptor, False)
    in_time, has_ended = True, False
    try:
        with selectors.DefaultSelector() as selector:
            for descriptor in (*kept, pidfd):
                selector.register(descriptor, selectors.EVENT_READ)
            while in_time and not has_ended:
                ready = {key.fd for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
                in_time, has_ended = bool(ready), pidfd in ready
                for descriptor in kept:
                    data = _what_is_there(descriptor)
                    kept[descriptor] = (kept[descriptor] + data)[-limits[descriptor] :]
                    if descriptor in ready and not data:
                        selector.unregister(descriptor)
    finally:
        os.close(pidfd)
    return kept[answer_fd], kept[output_fd].decode(errors="backslashreplace").rstrip(), in_time


def _what_is_there(descriptor: int) -> bytes:
    found = b""
    with suppress(BlockingIOError):
        while len(found) < MAX_ANSWER and (data := os.read(descriptor, 65536)):
            found += data
    return found
