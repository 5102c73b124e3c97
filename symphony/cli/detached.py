"""Starting a tree that outlives the command: in a session of its own, waited for, and with nothing left where it fails."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence

import msgspec

from actors.runtime.run_directory import RunDirectory

from .errors import FailedError, ReportedError, TimedOutError
from .output import note
from .processes import HeldProcesses
from .readiness import Word

STOP_WAIT_S = 15.0
LOG_LINES = 5


def start_detached(arguments: Sequence[str], run_dir: RunDirectory, *, timeout_s: float) -> float:
    """Run `symphony up` with `arguments` in the background and wait until it is up; gives the milliseconds it took.

    Prints what is odd about the tree on standard error.
    Raises `ReportedError` with what the tree said, `FailedError` where it ended without a word, and `TimedOutError`; then nothing
    of it is left running.
    """
    run_dir.logs.mkdir(mode=0o700, exist_ok=True)
    log = run_dir.logs / "warden.log"
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "symphony", "up", *arguments, "--report-fd", str(write_end)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(write_end,),
                start_new_session=True,
            )
        os.close(write_end)
        write_end = -1
        try:
            word = _wait_for_word(read_end, timeout_s)
        except BaseException:  # an interrupt included: what nobody waits for any more must not stay behind
            _end(process, run_dir)
            raise
    finally:
        os.close(read_end)
        if write_end >= 0:
            os.close(write_end)
    for warning in () if word is None else word.warnings:
        note(f"symphony: warning: {warning}")
    if word is not None and word.ready_ms is not None:
        return word.ready_ms
    code = _end(process, run_dir)
    if word is not None and word.problem is not None:
        raise ReportedError(word.problem)
    said = "".join(f"\n{line}" for line in log.read_text(errors="replace").splitlines()[-LOG_LINES:])
    raise FailedError(f"the warden ended with code {code} before the tree was up; the end of {log}:{said}")


def _wait_for_word(descriptor: int, timeout_s: float) -> Word | None:
    """Give the word, or None where the pipe ended without one. Raises `TimedOutError`."""
    deadline = time.monotonic() + timeout_s
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    line = b""
    while not line.endswith(b"\n"):
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimedOutError(f"the tree was not up within {timeout_s:g} s, and has been stopped")
        data = os.read(descriptor, 65536)
        if not data:
            return None
        line += data
    return msgspec.json.decode(line, type=Word)


def _end(process: "subprocess.Popen[bytes]", run_dir: RunDirectory) -> int:
    """End the warden, in order if it lets itself be, and wait for the kernel too; gives the warden's exit code."""
    with HeldProcesses([run_dir.holder().kernel] if run_dir.is_held() else []) as held:
        if process.poll() is None:
            process.terminate()
        try:
            code = process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        held.wait_gone(STOP_WAIT_S)
    return code
