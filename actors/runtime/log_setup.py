"""Logs: events as JSON lines, one file a node; people read them through the command line or a terminal's own renderer.

structlog is configured once a process, by its entry point. That is process-wide state, and the one exception to "no globals": a
logger is taken where it is used, and a program that uses the runtime as a library keeps its own configuration, since nothing
else calls this.
"""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
import structlog

from .current import add_activity


def set_up_logging(file: Path, *, node: str) -> None:
    """Send every log event of this process to `file`, appended, with `node` in each line. Lines are written whole.

    A file that cannot be opened sends them to standard error: logs must not stop a node.
    """
    try:
        stream: Any = file.open("ab", buffering=0)
    except OSError:
        stream = sys.stderr.buffer
    structlog.configure(
        processors=[
            add_activity,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            _AddNode(node),
            structlog.processors.JSONRenderer(serializer=_as_json),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=cast("BinaryIO", _Unfailing(stream))),
        cache_logger_on_first_use=True,
    )


class _Unfailing:
    """A stream whose writes may get lost and never fail: a full disk costs lines, not the actor that logs."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._stream.write(data)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


class _AddNode:
    def __init__(self, node: str) -> None:
        self._node = node

    def __call__(self, _logger: Any, _method: str, event: Any) -> Any:
        event["node"] = self._node
        return event


def _as_json(event: Any, **_: Any) -> bytes:
    try:
        return msgspec.json.encode(event, enc_hook=repr)
    except Exception:  # what cannot be encoded (no unicode, a broken `repr`) must not harm who logs it
        return json.dumps({str(key): _shown(value) for key, value in event.items()}).encode()


def _shown(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:  # as above
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"
