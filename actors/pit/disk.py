"""Durable changes to a disk, and the one way in which their failure is told.

A rename is durable only when its folder was synced after it; a file's content, only when the file was synced before.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from symphony.domain.errors import UnavailableError


@contextmanager
def disk_errors(doing: str, path: Path) -> Iterator[None]:
    """Turn an `OSError` into an `UnavailableError` that says what was done, where, and what to do."""
    try:
        yield
    except OSError as error:
        what = error.strerror or type(error).__name__
        advice = "check that it is a place that this user may write to, with free space, then try again"
        raise UnavailableError(f"cannot {doing} {path}: {what}; {advice}") from error


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable. Raises `OSError`."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path) -> None:
    """Make `directory`, and its parents, durably; private to this user. Raises `OSError`."""
    missing = [folder for folder in (directory, *directory.parents) if not folder.is_dir()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_directory(folder.parent)


def write_whole(path: Path, content: bytes, temporary: Path) -> None:
    """Give `path` the `content`, whole or not at all, also under SIGKILL and power loss.

    `temporary` is a name in the same file system; what a killed process left there is written over. Raises `OSError`.
    """
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)
