"""Logs: events as lines of JSON, handed on whole; people read them through the command line or a terminal's own renderer.

structlog is configured once a process, by its entry point. That is process-wide state, and the one exception to "no globals": a
logger is taken where it is used, and a program that uses the runtime as a library keeps its own configuration, since nothing
else calls this.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import structlog

from .current import add_activity

MAX_LINE = 128 * 1024
MAX_TEXT = 8 * 1024
"""What is left of each text in a line that would be longer than `MAX_LINE`."""


def set_up_logging(write: Callable[[bytes], None], *, node: str) -> None:
    """Give every log event of this process to `write`, as a line of JSON without its end, and with `node` in it.

    `write` is called on the thread that logs: it must not block, and what it raises is lost with the line.
    """

    def make(*_: Any) -> Any:
        return _Lines(write)

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
        logger_factory=make,
        cache_logger_on_first_use=True,
    )


class _Lines:
    """A logger for structlog that hands lines on; logging must not fail, whatever becomes of them.

    Not structlog's own: that takes a lock for each line, which a signal's handler that logs would wait for on its own thread.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def msg(self, line: bytes) -> None:
        """Hand a line on."""
        with suppress(Exception):  # the line is lost, and there is nobody to tell: it was the log that failed
            self._write(line)

    debug = info = warning = error = critical = exception = msg


class _AddNode:
    def __init__(self, node: str) -> None:
        self._node = node

    def __call__(self, _logger: Any, _method: str, event: Any) -> Any:
        event["node"] = self._node
        return event


def _as_json(event: Any, **_: Any) -> bytes:
    line = _encoded(event)
    if len(line) <= MAX_LINE:
        return line
    # Cut in its texts, not in the line: half a document is none.
    return _encoded({str(key)[:MAX_TEXT]: _shortened(value) for key, value in list(event.items())[:10]})


def _encoded(event: Any) -> bytes:
    try:
        return msgspec.json.encode(event, enc_hook=repr)
    except Exception:  # what cannot be encoded (no unicode, a broken `repr`) must not harm who logs it
        return json.dumps({str(key): _shown(value) for key, value in event.items()}).encode()


def _shortened(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _shown(value)
    # The end of a traceback says what it was.
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT // 4]} … {text[-MAX_TEXT // 2 :]}"


def _shown(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:  # as above
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"
