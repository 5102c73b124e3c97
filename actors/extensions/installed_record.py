"""InstalledRecord: which extensions are installed, in a file, so that they stay so across restarts and reboots.

One small JSON document that is replaced whole: a reader finds the old one or the new one, whatever kills the writer.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from symphony.domain.errors import UnavailableError
from symphony.ports.extension import ExtensionState

FILE_NAME = "installed.json"
SCHEMA = "symphony.extensions/1"


class _Document(Struct, frozen=True, rename={"schema_": "schema"}):
    schema_: str
    installed: tuple[ExtensionState, ...]


class InstalledRecord:
    """The record in `directory`. One process and one thread at a time; each call waits for the disk."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME

    def read(self) -> tuple[ExtensionState, ...] | None:
        """Give what is installed, or None where the file is not one of this version; that is moved aside then, to `*.damaged`.

        Raises `UnavailableError` where the disk refuses.
        """
        try:
            content = self.path.read_bytes() if self.path.exists() else None
        except OSError as error:
            raise self._refused("read", error) from error
        if content is None:
            return ()
        try:
            document = msgspec.json.decode(content, type=_Document)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            document = None
        if document is not None and document.schema_ == SCHEMA:
            return document.installed
        try:
            self.path.replace(self.path.with_suffix(".damaged"))
        except OSError as error:
            raise self._refused("move aside", error) from error
        return None

    def write(self, installed: Iterable[ExtensionState]) -> None:
        """Make `installed` what is installed; when this returns it survives a loss of power. Raises `UnavailableError`."""
        content = msgspec.json.format(msgspec.json.encode(_Document(SCHEMA, tuple(installed))))
        new = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with new.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._refused("write", error) from error

    def _refused(self, doing: str, error: OSError) -> UnavailableError:
        advice = "check that this user may write there and that there is free space, then try again"
        return UnavailableError(f"cannot {doing} {self.path}, the record of installed extensions: {error.strerror}; {advice}")
