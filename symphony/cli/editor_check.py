"""Check of the editor: the configured program starts and answers xi's frontend protocol in time."""

import contextlib
import select
import subprocess
import time
from collections.abc import Sequence
from typing import IO

import msgspec

from .finding import Finding

ANSWER_S = 2.0
LEAVE_S = 2.0
NEW_VIEW_ID = 0
_HELLO = b'{"method":"client_started","params":{}}\n{"id":0,"method":"new_view","params":{}}\n'
MAX_SAID = 1024 * 1024


class Answer(msgspec.Struct):
    """As much of a JSON-RPC message as says whether it answers the question."""

    id: int | None = None
    result: object = None


def editor_finding(command: Sequence[str]) -> Finding:
    """Start the editor, open a view, and end it again."""
    name, said = "editor", " ".join(command)
    remedy = "correct xi.command in symphony.toml, or remove it to use Symphony's own editor"
    started_at = time.monotonic()
    try:
        process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
    except (OSError, ValueError) as error:
        return Finding(name, f"{said} does not start: {getattr(error, 'strerror', None) or error}", remedy)
    with process:
        try:
            has_answered = _converse(process)
        finally:
            _end(process)
    if not has_answered:
        return Finding(name, f"{said} does not answer new_view within {ANSWER_S:g} s", remedy)
    return Finding(name, f"{said} answers after {(time.monotonic() - started_at) * 1000:.0f} ms")


def _converse(process: "subprocess.Popen[bytes]") -> bool:
    if process.stdin is None or process.stdout is None:
        return False
    try:
        process.stdin.write(_HELLO)
        process.stdin.flush()
    except BrokenPipeError:
        return False
    return _reads_answer(process.stdout, time.monotonic() + ANSWER_S)


def _reads_answer(stdout: IO[bytes], deadline: float) -> bool:
    said = b""
    while len(said) < MAX_SAID:
        ready, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
        data = stdout.read1(65536) if ready and hasattr(stdout, "read1") else b""
        if not data:
            return False
        said += data
        *lines, _ = said.split(b"\n")
        if any(map(_is_answer, lines)):
            return True
    return False


def _is_answer(line: bytes) -> bool:
    try:
        answer = msgspec.json.decode(line, type=Answer)
    except msgspec.MsgspecError:
        return False
    return answer.id == NEW_VIEW_ID and answer.result is not None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End its input, which tells it to leave, and kill it if it does not."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    try:
        process.wait(LEAVE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
