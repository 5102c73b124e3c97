"""BlobStore: contents on disk, each in a file named by its own hash.

    DIRECTORY/incoming/HASH     being written; swept when the store is opened
    DIRECTORY/HA/HASH           whole: it came there by a rename after it was synced

The name is the checksum, so damage can be seen without a second file, and writing twice is harmless. Two hexadecimal digits of
folder keep the folders small.
"""

import re
from hashlib import sha256
from pathlib import Path

from actors.pit.disk import disk_errors, make_directory, write_whole
from symphony.domain.artifact import address_of
from symphony.domain.errors import NotFoundError
from symphony.domain.ids import ArtifactId

_ADDRESS = re.compile(r"sha256:([0-9a-f]{64})")


class BlobStore:
    """The blobs in `directory`, which is made where it is missing.

    One process at a time, and one thread: opening sweeps what a killed process was writing. The methods wait for the disk, so
    they are for a `pinned` actor. They raise `UnavailableError` for whatever the disk refuses.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._incoming = directory / "incoming"
        with disk_errors("open the blob store", directory):
            make_directory(self._incoming)
            leftovers = list(self._incoming.iterdir())
            for leftover in leftovers:
                leftover.unlink()
        self.swept = len(leftovers)
        """How many half-written blobs a life before had left."""

    def put(self, content: bytes) -> ArtifactId:
        """Store `content` and give its address; when this returns it survives SIGKILL and power loss.

        Content that is there and whole is left alone; where it is damaged it is written again.
        """
        address = address_of(content)
        path = self._path(address)
        with disk_errors("write", path):
            if not _holds(path, content):
                make_directory(path.parent)
                write_whole(path, content, self._incoming / path.name)
        return address

    def get(self, address: ArtifactId) -> bytes:
        """Give the content, verified. Raises `NotFoundError` where there is none, or it is damaged, and says which."""
        path = self._path(address)
        with disk_errors("read", path):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                raise NotFoundError(f"there is no content {address}") from None
        if sha256(content).hexdigest() != path.name:
            raise NotFoundError(f"the content {address} is damaged: {path} holds something else; put it again to mend it")
        return content

    def contains(self, address: ArtifactId) -> bool:
        """Say whether there is content under `address`; whether it is whole, only `get` can say."""
        path = self._path(address)
        with disk_errors("look for", path):
            return path.is_file()

    def _path(self, address: ArtifactId) -> Path:
        # The address comes from callers, and would otherwise name any file.
        match = _ADDRESS.fullmatch(address)
        if match is None:
            raise NotFoundError(f'"{address}" is no address of a content: sha256: and 64 hexadecimal digits')
        return self._directory / match[1][:2] / match[1]


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False
