"""Log: the runtime's logger, which never fails.

Where a program that uses the runtime as a library sends its log lines is its own affair, and so is whether that works: standard
output may be closed, a disk full, a descriptor missing. A line that is lost is a nuisance; a restart that does not happen
because a line could not be written is a broken promise.
"""

import contextlib
from typing import Any

import structlog


class Log:
    """Writes events to the logger called `name`. Any thread may call; nothing is raised."""

    def __init__(self, name: str = "actors.runtime") -> None:
        self._logger = structlog.get_logger(name)

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
            getattr(self._logger, level)(event, **fields)
