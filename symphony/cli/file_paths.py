"""Names of files as users give them: made absolute here, since nobody else has the user's current folder."""

import os
import stat
from pathlib import Path

from symphony.domain.errors import InvalidRequestError, NotFoundError

from .errors import FailedError

MAX_BYTES = 1024 * 1024


def absolute(name: str) -> str:
    """Give the absolute path of `name`. Raises `InvalidRequestError` where it cannot be the name of a file."""
    if not name or "\0" in name:
        raise InvalidRequestError(f"{name!r} is no name of a file")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(f"{name!r} is a name that is not UTF-8, which Symphony cannot hold: rename the file") from None
    try:
        return os.path.abspath(name)  # noqa: PTH100  # resolve() would follow links, and name another file
    except FileNotFoundError as error:
        raise InvalidRequestError(f"{name}: the current folder is gone, so give an absolute path") from error


def read_text_file(name: str) -> str:
    """Give the text of a small file that the user names.

    Raises `NotFoundError`, `InvalidRequestError` where it is no regular file, over a megabyte or not UTF-8, `FailedError` where
    it cannot be read.
    """
    try:
        found = Path(name).stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise InvalidRequestError(f"{name}: is {kind}, and a file is wanted")
        with Path(name).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"{name}: no such file") from error
    except (OSError, ValueError) as error:
        raise FailedError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > MAX_BYTES:
        raise InvalidRequestError(f"{name}: has more than {MAX_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequestError(f"{name}: is not UTF-8: byte {error.start} is {data[error.start]:#04x}") from error
