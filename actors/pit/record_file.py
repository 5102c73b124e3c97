r"""RecordFile: an append-only journal of records, whole or absent, whatever kills the process.

    file    =  "SYMPHJ1\n"  record*
    record  =  length (4, little-endian)  CRC-32 of the payload (4)  CRC-32 of the eight bytes before (4)  payload (msgpack)

Each append is synced before it returns, so only the last record can be torn, and a torn one was never acknowledged: opening cuts
it off. Any other record that is wrong is damage to what was acknowledged; opening refuses it and touches nothing, since cutting
there would lose the good records behind it in silence. The header has a checksum of its own to tell the two apart: a damaged
length would otherwise look like a record that was cut short.
"""

import os
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from struct import Struct as Layout
from typing import Any, Generic, TypeVar
from zlib import crc32

import msgspec

from actors.pit.disk import disk_errors, make_directory, write_whole
from symphony.domain.errors import InvalidRequestError, UnavailableError

Record = TypeVar("Record")

MAGIC = b"SYMPHJ1\n"
MAX_PAYLOAD = 2**31 - 1

_CHECKED = Layout("<II")
_CHECK = Layout("<I")
_HEADER = _CHECKED.size + _CHECK.size


class Recovered(msgspec.Struct, Generic[Record], frozen=True):
    """What a journal held: its records in order, and how many bytes of a torn one were cut off."""

    records: list[Record]
    torn_bytes: int


class RecordFile(Generic[Record]):
    """The journal at `path`, of records of the type `kind`; made where it is missing.

    `kind` is anything msgspec can decode, a union of tagged Structs above all, which Python's typing has no name for.

    One process at a time, and one thread. The methods wait for the disk, so they are for a `pinned` actor. They raise
    `UnavailableError` for whatever the disk refuses; after a failed write the journal is closed, as nobody can say what the disk
    holds then, and opening it again tells.
    """

    def __init__(self, path: Path, kind: Any) -> None:
        self.path = path
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(kind)
        self._temporary = path.with_name(path.name + ".new")
        self._file: FileIO | None = None

    def open(self) -> Recovered[Record]:
        """Read every whole record, cut off a torn tail, and be ready for more.

        Raises `UnavailableError` where the file is damaged or no journal, saying where; it is untouched then.
        """
        self.close()
        with disk_errors("open the journal", self.path):
            make_directory(self.path.parent)
            self._temporary.unlink(missing_ok=True)
            content = self.path.read_bytes() if self.path.exists() else b""
            if not content:
                content = MAGIC
                write_whole(self.path, content, self._temporary)
        records, end = self._read(content)
        with disk_errors("open the journal", self.path):
            file = self.path.open("r+b", buffering=0)
            if end < len(content):
                file.truncate(end)
                os.fsync(file.fileno())
            file.seek(end)
        self._file = file
        return Recovered(records, len(content) - end)

    def append(self, record: Record) -> None:
        """Add a record; when this returns it survives SIGKILL and power loss.

        Raises `InvalidRequestError` for a record of more than 2 GiB.
        """
        if self._file is None:
            raise UnavailableError(f"the journal {self.path} is not open; open it, which tells what it holds, then try again")
        framed = self._framed(record)
        try:
            with disk_errors("append to", self.path):
                _write_all(self._file, framed)
                os.fsync(self._file.fileno())
        except UnavailableError:
            self.close()
            raise

    def compact(self, records: Iterable[Record]) -> None:
        """Hold `records` and nothing else, or stay as before, open and all: the file is replaced whole."""
        content = b"".join([MAGIC, *(self._framed(record) for record in records)])
        with disk_errors("compact", self.path):
            make_directory(self.path.parent)
            write_whole(self.path, content, self._temporary)
        # What is open is the file as it was, which has no name any more.
        self.close()
        with disk_errors("open again", self.path):
            file = self.path.open("r+b", buffering=0)
            file.seek(len(content))
        self._file = file

    def close(self) -> None:
        """Close the file; again is the same as once."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _framed(self, record: Record) -> bytes:
        payload = self._encoder.encode(record)
        if len(payload) > MAX_PAYLOAD:
            raise InvalidRequestError(f"a record of {len(payload)} bytes is too long for {self.path}; {MAX_PAYLOAD} is the most")
        checked = _CHECKED.pack(len(payload), crc32(payload))
        return checked + _CHECK.pack(crc32(checked)) + payload

    def _read(self, content: bytes) -> tuple[list[Record], int]:
        """Give the whole records and where they end."""
        if not content.startswith(MAGIC):
            raise UnavailableError(f"{self.path} is not a journal of this version: move it away, then try again")
        records: list[Record] = []
        at = len(MAGIC)
        while (payload := self._payload_at(content, at)) is not None:
            try:
                records.append(self._decoder.decode(payload))
            except msgspec.DecodeError as error:
                raise self._damage(at, f"is whole, but not what this version writes: {error}") from error
            at += _HEADER + len(payload)
        return records, at

    def _payload_at(self, content: bytes, at: int) -> memoryview | None:
        """Give the payload of the record at `at`, or None where there is the end or a torn one."""
        body = at + _HEADER
        # A file that had grown before its content arrived ends in zeros after a power loss.
        if body > len(content) or not any(memoryview(content)[at:]):
            return None
        length, check = _CHECKED.unpack_from(content, at)
        if _CHECK.unpack_from(content, at + _CHECKED.size)[0] != crc32(content[at : at + _CHECKED.size]):
            raise self._damage(at, "has a damaged header")
        if body + length > len(content):
            return None
        payload = memoryview(content)[body : body + length]
        if crc32(payload) != check:
            if body + length == len(content):
                return None
            raise self._damage(at, "is damaged")
        return payload

    def _damage(self, at: int, what: str) -> UnavailableError:
        advice = "restore the file from a copy, or move it away to start with an empty one"
        return UnavailableError(f"the journal {self.path}: the record at byte {at} {what}; {advice}")


def _write_all(file: FileIO, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]
