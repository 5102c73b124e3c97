"""An extension's folder, read: its manifest, checked against this Symphony and this Python, and the digest of its files.

Reading is bounded before it begins, since a folder is named by a user and may be anything, a home directory or a FIFO included.
What cannot be digested is refused: a link leads to files that could change under an unchanged digest.
"""

import os
import stat
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from symphony.domain.errors import InvalidRequestError, NotFoundError, UnavailableError
from symphony.domain.extension import Manifest, digest_of, unmet_requirements
from symphony.domain.manifest import FILE_NAME, read_manifest

MAX_FILES = 1_000
"""The most files of an extension."""

MAX_BYTES = 64 * 1024 * 1024
"""The most bytes that an extension's files may have together."""

_DISTRIBUTION = "symphony-aide"
_NOT_COUNTED = "__pycache__"


class ExtensionFolder(NamedTuple):
    """What a folder holds."""

    manifest: Manifest
    digest: str


def read_folder(directory: str) -> ExtensionFolder:
    """Read the extension in `directory`, an absolute path. Waits for the disk.

    Raises `NotFoundError` (no folder, or no manifest in it), `InvalidRequestError` (a wrong manifest, with every problem;
    versions that do not fit; a folder that is too large or holds what are no files), `NotBuiltError` (from the manifest) and
    `UnavailableError` (it cannot be read).
    """
    root = Path(directory)
    if "\0" in directory or not root.is_absolute():
        raise InvalidRequestError(f"{directory!r}: an extension's folder is given by its absolute path")
    try:
        files = {path.relative_to(root).as_posix(): content for path, content in _contents(root)}
    except FileNotFoundError as error:
        raise NotFoundError(f"{error.filename}: it was removed while it was read; try again") from error
    except OSError as error:
        raise UnavailableError(f"{error.filename or directory} cannot be read: {error.strerror}") from error
    if FILE_NAME not in files:
        raise NotFoundError(f"{directory}: there is no {FILE_NAME} in it, so it is no extension")
    manifest = read_manifest(_text(root / FILE_NAME, files[FILE_NAME]), source=str(root / FILE_NAME))
    unmet = unmet_requirements(manifest, runtime=_own_version(), python=".".join(map(str, sys.version_info[:3])))
    if unmet:
        raise InvalidRequestError(*unmet)
    return ExtensionFolder(manifest, digest_of(files))


def _contents(root: Path) -> Iterator[tuple[Path, bytes]]:
    """Give each file and its content. Raises `OSError`, and `InvalidRequestError` before anything large is read."""
    if not root.is_dir():
        raise NotFoundError(f"{root}: there is no such folder")
    sizes = dict(_files(root))
    if sum(sizes.values()) > MAX_BYTES:
        raise InvalidRequestError(f"{root}: its files have {sum(sizes.values())} bytes; {MAX_BYTES} is the most")
    for path, size in sizes.items():
        # Not through a link that has taken the file's place meanwhile, nor waiting for a FIFO's writer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            content = file.read(size + 1)
        if len(content) != size:
            raise UnavailableError(f"{path}: it changed while it was read; try again")
        yield path, content


def _files(root: Path) -> Iterator[tuple[Path, int]]:
    count = 0
    for number, (folder, folders, names) in enumerate(os.walk(root, onerror=_raise), 1):
        if number > MAX_FILES:
            raise InvalidRequestError(f"{root}: it has more than {MAX_FILES} folders, the most that an extension may have")
        folders[:] = [name for name in folders if name != _NOT_COUNTED]
        for name in (*folders, *names):
            path = Path(folder, name)
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode):
                continue
            if not stat.S_ISREG(found.st_mode):
                raise InvalidRequestError(f"{path}: an extension consists of plain files; this is none (a link, perhaps)")
            count += 1
            if count > MAX_FILES:
                raise InvalidRequestError(f"{root}: it has more than {MAX_FILES} files, the most that an extension may have")
            yield path, found.st_size


def _raise(error: OSError) -> None:
    raise error


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequestError(f"{path}: it is not UTF-8: {error}") from error


def _own_version() -> str:
    try:
        return version(_DISTRIBUTION)
    except PackageNotFoundError:  # run from a folder of sources that nobody installed
        return "of no known version (it is not installed)"
