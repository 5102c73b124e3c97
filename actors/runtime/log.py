"""Log: the runtime's logger, which never fails.

Where a program that uses the runtime as a library sends its log lines is its own affair, and so is whether that works: standard
output may be closed, a disk full, a descriptor missing. A line that is lost is a nuisance; a restart that does not happen
because a line could not be written is a broken promise.

A program that has not configured structlog gets plain lines on standard error. structlog's own default would print every local
variable of every frame of a failure, which takes a restart a tenth of a second, and tells secrets.
"""

import contextlib
import sys
from typing import Any

import structlog

from .current import add_activity


class Log:
    """Writes events to the logger called `name`. Any thread may call; nothing is raised."""

    def __init__(self, name: str = "actors.runtime") -> None:
        self._configured = structlog.get_logger(name)
        self._plain: Any = None

    def warning(self, event: str, **fields: Any) -> None:
        """Write an event that somebody may want to look into."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """Write an event that went wrong; `exc_info` is the exception."""
        self._write("error", event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        """Write an event that went wrong, with the exception that is being handled."""
        self._write("exception", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, Any]) -> None:
        with contextlib.suppress(Exception):  # what a program's own logging may raise is anything, and there is nobody to tell
            logger = self._configured if structlog.is_configured() else self._plain_logger()
            getattr(logger, level)(event, **fields)

    def _plain_logger(self) -> Any:
        if self._plain is None:
            renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
            stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
            processors: list[Any] = [add_activity, structlog.processors.add_log_level, stamp, renderer]
            self._plain = structlog.wrap_logger(_StandardError(), processors=processors)
        return self._plain


class _StandardError:
    """Writes lines to what standard error is at the time: tests and programs replace it."""

    def msg(self, line: str) -> None:
        """Write one line."""
        sys.stderr.write(f"{line}\n")

    warning = error = exception = msg
