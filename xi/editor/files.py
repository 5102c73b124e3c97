"""Files: read whole, written so that there is at every moment either the old content or the new.

A save writes a temporary file beside the target, flushes it to disk and renames it over the target, which keeps its mode and,
where the system lets us, its owner. A symbolic link is followed, so that the link stays a link. Hard links are the price: other
names of the file keep the old content.

Whether someone else has changed the file since is asked of its stamp, and only if that differs of its content, so that a mere
`touch` is no conflict.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

import msgspec

from xi.protocol.errors import BAD_ENCODING, FILE_CHANGED, IO_ERROR, RequestError
from xi.rope.rope import Rope

BOM = b"\xef\xbb\xbf"
MAX_BYTES = 1 << 30


class FileError(RequestError):
    """A file that cannot be opened or saved; the code says how, the message which and why."""


class OnDisk(msgspec.Struct, frozen=True):
    """What was on disk when it was last read or written; `stamp` is None when there was no file."""

    text: Rope
    has_bom: bool = False
    stamp: tuple[int, int, int, int] | None = None


def load(path: str) -> OnDisk:
    """Return the text at `path`, empty when there is no file; raises FileError."""
    try:
        data, stamp = _read(path)
    except FileNotFoundError:
        return OnDisk(Rope.of(""))
    except (OSError, ValueError) as error:
        raise FileError(f"cannot open {path!r}: {_reason(error)}", IO_ERROR) from error
    has_bom = data.startswith(BOM)
    try:
        return OnDisk(Rope.from_bytes(data[len(BOM) :] if has_bom else data), has_bom, stamp)
    except UnicodeDecodeError as error:
        raise FileError(f"cannot open {path!r}: it is not UTF-8 at byte {error.start}", BAD_ENCODING) from error


def save(path: str, content: bytes, known: OnDisk | None) -> tuple[int, int, int, int]:
    """Put `content` at `path` and return its stamp; raises FileError and leaves the file as it was.

    `known` is what the caller believes to be there, and the save is refused when it is not; None overwrites whatever there is.
    """
    try:
        target = _resolved(path)
        mode = _mode_of(target)
        if known is not None and _has_changed(target, known):
            raise FileError(
                f"File has changed on disk since it was read: {path!r}; save it elsewhere, or open it anew", FILE_CHANGED
            )
        return _replace(target, content, mode)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL byte
        raise FileError(f"cannot save {path!r}: {_reason(error)}", IO_ERROR) from error


def is_same(path: str, other: str | None) -> bool:
    """Whether two paths lead to one file, through links or not, whether it exists or not."""
    return other is not None and (path == other or _resolved(path) == _resolved(other))


def _resolved(path: str) -> Path:
    if not path:
        raise ValueError("the path is empty")
    return Path(os.path.realpath(path))  # not Path.resolve, which raises RuntimeError on a loop of links before Python 3.13


def _read(path: str) -> tuple[bytes, tuple[int, int, int, int]]:
    if not path:
        raise ValueError("the path is empty")
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # O_NONBLOCK: opening a FIFO must not hang the editor
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        _require_regular(status)
        if status.st_size > MAX_BYTES:
            raise ValueError(f"it has {status.st_size} bytes, and {MAX_BYTES} is the most this editor takes")
        return file.read(), _stamp(status)


def _mode_of(target: Path) -> os.stat_result | None:
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    _require_regular(status)
    if not os.access(target, os.W_OK):
        raise PermissionError(13, "the file is not writable")  # a rename would not ask
    return status


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(21, "Is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")


def _has_changed(target: Path, known: OnDisk) -> bool:
    try:
        if _stamp(target.stat()) == known.stamp:
            return False
        data, _ = _read(str(target))
    except FileNotFoundError:
        return False  # nothing is lost by writing it again
    return data != (BOM if known.has_bom else b"") + bytes(known.text)


def _replace(target: Path, content: bytes, status: os.stat_result | None) -> tuple[int, int, int, int]:
    # The name is ours by the process id: only the leftover of a killed editor with our id can be in the way.
    temporary = target.with_name(f".{target.name[:200]}.{os.getpid()}.xi-save")
    with suppress(FileNotFoundError):
        temporary.unlink()
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(fd, "wb") as file:
            if status is not None:
                _take_owner(fd, status)
                os.fchmod(fd, stat.S_IMODE(status.st_mode))
            file.write(content)
            file.flush()
            os.fsync(fd)
            stamp = _stamp(os.fstat(fd))
        temporary.rename(target)
    except BaseException:  # whatever it was, also a signal to leave: no litter in the user's folder
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)
    return stamp


def _take_owner(fd: int, status: os.stat_result) -> None:
    with suppress(PermissionError):  # only root may give files away; then the saver owns the file, as with any editor
        os.fchown(fd, status.st_uid, status.st_gid)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems cannot; the content itself is safe by then
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _stamp(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
