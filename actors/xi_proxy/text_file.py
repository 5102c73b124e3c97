"""Reading a text file, with every way in which it can be none told as the caller's move."""

import os
import stat
from posixpath import isabs, normpath

from actors.xi_proxy.messages import MAX_BYTES
from symphony.domain.errors import InvalidRequestError, NotFoundError
from symphony.domain.ids import BufferId


def buffer_of(path: str) -> BufferId:
    """Give the id of the buffer that shows the file at `path`. Raises `InvalidRequestError`."""
    if not isabs(path):
        raise InvalidRequestError(f'path: "{path}" is not absolute')
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(f"path: {path!r} cannot be written as UTF-8: {error.reason}") from error
    if "\0" in path:
        raise InvalidRequestError(f"path: {path!r} has a NUL in it")
    return BufferId(normpath(path))


def read_text(path: str) -> str:
    """Give the text of the file at `path`.

    Raises `NotFoundError`, and `InvalidRequestError` for a folder, for what is unreadable, too long, not UTF-8 or no file.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # O_NONBLOCK: a FIFO without a writer would hang us
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                kind = "a directory, not a file" if stat.S_ISDIR(status.st_mode) else "not a regular file"
                raise InvalidRequestError(f"{path} is {kind}")
            with os.fdopen(fd, "rb", closefd=False) as file:
                content = file.read(MAX_BYTES + 1)
        finally:
            os.close(fd)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"there is no file {path}") from error
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise InvalidRequestError(f"{path} has {max(status.st_size, len(content))} bytes; a buffer holds {MAX_BYTES} at most")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequestError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
