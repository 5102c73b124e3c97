r"""Journal: one file a buffer, from which its text is made again when the editor's process, or the proxy's, has died.

    file    =  "SYMPHX1\n"  record+                    first a `Base`, then `Change`s
    record  =  length (4, little-endian)  CRC-32 of the payload (4)  CRC-32 of the eight bytes before (4)  payload (msgpack)

Nothing is synced: an append must survive the death of any process, for which being written is enough, and not a power cut, for
which each keystroke would wait for the disk. So the last record can be torn, by a process killed in the middle of a write; it was
never acknowledged, and is cut off. Any other record that is wrong is damage, and the file is left as it is.
"""

from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from io import FileIO
from pathlib import Path
from struct import Struct as Layout
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from actors.xi_proxy.history import Base, Change

MAGIC: Final = b"SYMPHX1\n"
SUFFIX: Final = ".journal"

_CHECKED = Layout("<II")
_CHECK = Layout("<I")
_HEADER = _CHECKED.size + _CHECK.size


class JournalError(Exception):
    """The disk refuses to take a record; the journal is as it was before it."""


class DamagedJournalError(Exception):
    """A file that is no journal, or one of which an acknowledged record is wrong; it is untouched."""


class Recovered(NamedTuple):
    """What a journal held, and how many bytes of a torn record were cut off."""

    base: Base
    changes: list[Change]
    torn_bytes: int


class Journal:
    """The journal of one buffer, open for more. For one process and one thread; make one with `begin` or `recover`."""

    def __init__(self, file: Path, stream: FileIO, end: int) -> None:
        self._file = file
        self._stream = stream
        self._end = end
        self._encoder = msgspec.msgpack.Encoder()

    @classmethod
    def begin(cls, folder: Path, base: Base) -> "Journal":
        """Begin a journal in `folder`, in the place of any that the path had. Raises `JournalError`."""
        file = folder / f"{sha256(base.path.encode()).hexdigest()[:32]}{SUFFIX}"
        return cls(file, *_written(file, [base]))

    @classmethod
    def recover(cls, file: Path) -> "tuple[Journal, Recovered]":
        """Read a journal and go on with it. Raises `DamagedJournalError`, and `JournalError` where the disk refuses."""
        try:
            content = file.read_bytes()
            recovered = _read(content, file)
            stream = _opened(file)
        except OSError as error:
            raise JournalError(f"cannot read the journal {file}: {error.strerror}") from error
        end = len(content) - recovered.torn_bytes
        journal = cls(file, stream, end)
        journal._cut()
        return journal, recovered

    def append(self, change: Change) -> None:
        """Add a record; when this returns, it survives SIGKILL. Raises `JournalError`."""
        framed = _framed(self._encoder.encode(change))
        try:
            _write_all(self._stream, framed)
        except OSError as error:
            self._cut()
            raise JournalError(f"cannot write the journal {self._file}: {error.strerror}") from error
        self._end += len(framed)

    def rewrite(self, base: Base, changes: Sequence[Change] = ()) -> None:
        """Hold these and nothing else, or stay as before. Raises `JournalError`."""
        stream, end = _written(self._file, [base, *changes])
        self._stream.close()
        self._stream, self._end = stream, end

    def remove(self) -> None:
        """Delete the file. Raises `JournalError`."""
        self.close()
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise JournalError(f"cannot remove the journal {self._file}: {error.strerror}") from error

    def close(self) -> None:
        """Close the file and leave it; again is the same as once."""
        self._stream.close()

    def _cut(self) -> None:
        """Be as long as the whole records. A tail that cannot be cut off is written over, and torn until then."""
        with suppress(OSError):
            self._stream.truncate(self._end)
        self._stream.seek(self._end)


def _written(file: Path, records: Sequence[Base | Change]) -> tuple[FileIO, int]:
    """Give `file` these records, whole or not at all, and open it at its end."""
    encoder = msgspec.msgpack.Encoder()
    content = b"".join([MAGIC, *(_framed(encoder.encode(record)) for record in records)])
    temporary = file.with_suffix(".new")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with temporary.open("wb", buffering=0) as stream:
            _write_all(stream, content)
        temporary.replace(file)
        opened = _opened(file)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise JournalError(f"cannot write the journal {file}: {error.strerror}") from error
    opened.seek(len(content))
    return opened, len(content)


def _opened(file: Path) -> FileIO:
    return file.open("r+b", buffering=0)


def _framed(payload: bytes) -> bytes:
    checked = _CHECKED.pack(len(payload), crc32(payload))
    return checked + _CHECK.pack(crc32(checked)) + payload


def _write_all(stream: FileIO, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[stream.write(left) :]


def _read(content: bytes, file: Path) -> Recovered:
    if not content.startswith(MAGIC):
        raise DamagedJournalError(f"{file} is not a journal of this version")
    decoder = msgspec.msgpack.Decoder(Base | Change)
    records: list[Base | Change] = []
    at = len(MAGIC)
    while (payload := _payload_at(content, at, file)) is not None:
        try:
            records.append(decoder.decode(payload))
        except msgspec.DecodeError as error:
            raise _damage(file, at, f"is whole, but not what this version writes: {error}") from error
        at += _HEADER + len(payload)
    # Only the first record is a base; a journal is given its base whole, so it cannot be torn.
    match records:
        case [Base() as base, *rest]:
            changes = [record for record in rest if isinstance(record, Change)]
            if len(changes) == len(rest):
                return Recovered(base, changes, len(content) - at)
    raise DamagedJournalError(f"{file} does not begin with a text, and go on with changes")


def _payload_at(content: bytes, at: int, file: Path) -> memoryview | None:
    """Give the payload of the record at `at`, or None where there is the end or a torn one."""
    body = at + _HEADER
    # A file that had grown before its content arrived ends in zeros after a power cut; no promise, but no reason to give up.
    if body > len(content) or not any(memoryview(content)[at:]):
        return None
    length, check = _CHECKED.unpack_from(content, at)
    if _CHECK.unpack_from(content, at + _CHECKED.size)[0] != crc32(content[at : at + _CHECKED.size]):
        raise _damage(file, at, "has a damaged header")
    if body + length > len(content):
        return None
    payload = memoryview(content)[body : body + length]
    if crc32(payload) != check:
        if body + length == len(content):
            return None
        raise _damage(file, at, "is damaged")
    return payload


def _damage(file: Path, at: int, what: str) -> DamagedJournalError:
    return DamagedJournalError(f"{file}: the record at byte {at} {what}")
