"""Ring: the format of a flight recorder's file: bytes to records and back; no file, thread or clock.

The file has a fixed size and three parts: a header, slots for turns and slots for notes. Each slot has a checksum over what it
says, so a record that its writer's death or a reader's haste has torn is recognised and left out, and costs no other. Slots are
of one size rather than packed, because a torn record must not hide where the next one begins.

Notes form a ring, and have numbers. Turns are apart, because a busy process begins a hundred thousand a second, which would wash
away the notes of the last hour: the slot of a turn is not used again before the turn has ended, so a handler that has hung for a
minute is still there. When a turn began and ended is outside of its slot's checksum, so that either is one store of eight bytes,
in the machine's own order: this is read where it was written. They are monotonic, since a turn goes on if it has begun after it
has ended, which no clock that jumps may decide; the header tells what time of day that was. A turn that began with several
messages waiting has its beginning negated.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal
from zlib import crc32

import msgspec
from msgspec import Struct

MAGIC = b"\x89ACTFLT\n"
VERSION = 1
HEADER_SIZE = 1024
TURN_SIZE, TURN_SLOTS = 256, 248
NOTE_SIZE, NOTE_SLOTS = 512, 386
NOTES_AT = HEADER_SIZE + TURN_SIZE * TURN_SLOTS
FILE_SIZE = NOTES_AT + NOTE_SIZE * NOTE_SLOTS
"""256 KiB."""

_HEADER = struct.Struct("<8sHHI")
_TURN = struct.Struct("=IHxxdd")
_NOTE = struct.Struct("<IHxxQd")
_SIGNED = struct.Struct("<Qd")
TIMES_OFFSET = 8
"""Where in a turn's slot its beginning is; its end follows."""
MAX_TURN_TEXT = TURN_SIZE - _TURN.size
MAX_NOTE_BODY = NOTE_SIZE - _NOTE.size
MAX_KIND = 60
CUT = "…"

NoteKind = Literal["event", "log", "state"]
Field = bool | int | float | str | list[str] | None


class Header(Struct, frozen=True, array_like=True):
    """Whose file it is. `began` is in seconds since the epoch, and `monotonic` the same moment as turns are timed."""

    node: str
    incarnation: int
    pid: int
    began: float
    monotonic: float


class Turn(Struct, frozen=True):
    """A turn of an actor: when it began, and with which kind of message; `several` tells whether others waited behind that one.

    `ended` is None for one that was going on. Times are in seconds since the epoch.
    """

    path: str
    kind: str
    several: bool
    began: float
    ended: float | None


class Note(Struct, frozen=True):
    """Something that happened: an event, a log line or a change of an actor's state. `at` is in seconds since the epoch."""

    seq: int
    at: float
    kind: NoteKind
    type: str
    path: str
    fields: dict[str, Field] = {}


class Recording(Struct, frozen=True):
    """What a file says: turns by their beginnings, notes by their numbers; `torn` counts the records that cannot be read."""

    header: Header
    turns: tuple[Turn, ...]
    notes: tuple[Note, ...]
    torn: int


class _NoteBody(Struct, frozen=True, array_like=True):
    kind: NoteKind
    type: str
    path: str
    fields: dict[str, Field]


_body_decoder = msgspec.msgpack.Decoder(_NoteBody)
_header_decoder = msgspec.msgpack.Decoder(Header)


def encode_header(header: Header) -> bytes:
    """Give the first part of a file."""
    body = msgspec.msgpack.encode(header)
    if len(body) > HEADER_SIZE - _HEADER.size:
        raise ValueError(f"a header of {len(body)} bytes has no room in {HEADER_SIZE}")
    return (_HEADER.pack(MAGIC, VERSION, len(body), crc32(body)) + body).ljust(HEADER_SIZE, b"\0")


def turn_at(slot: int) -> int:
    """Give where the turn's slot with this number begins."""
    return HEADER_SIZE + slot * TURN_SIZE


def note_at(seq: int) -> int:
    """Give where the slot of the note with this number begins."""
    return NOTES_AT + seq % NOTE_SLOTS * NOTE_SIZE


def encode_turn(path: str, kind: str, began: float) -> bytes:
    """Give the record of a turn that goes on since the monotonic time `began`, negated where several messages waited.

    A long path loses its middle, a long kind its end.
    """
    kind_bytes = _cut(kind, MAX_KIND)
    text = _cut_middle(path, MAX_TURN_TEXT - 2 - len(kind_bytes)) + b"\0" + kind_bytes + b"\0"
    return _TURN.pack(crc32(text), len(text), began, 0.0) + text


def encode_note(note: Note) -> bytes:
    """Give the record of a note; long texts in it are cut until it has room."""
    body = _fitting(note)
    crc = crc32(body, crc32(_SIGNED.pack(note.seq, note.at)))
    return _NOTE.pack(crc, len(body), note.seq, note.at) + body


def decode(data: bytes) -> Recording | None:
    """Give what a file says, which may be cut anywhere and half overwritten; None where it is no flight recorder's."""
    header = _decode_header(data)
    if header is None:
        return None
    turns, notes, torn = [], [], 0
    for slot in _slots(data, HEADER_SIZE, NOTES_AT, TURN_SIZE):
        turn = _decode_turn(slot, header.began - header.monotonic)
        if turn is not None:
            turns.append(turn)
        else:
            torn += any(slot)
    for slot in _slots(data, NOTES_AT, FILE_SIZE, NOTE_SIZE):
        note = _decode_note(slot)
        if note is not None:
            notes.append(note)
        else:
            torn += any(slot)
    turns.sort(key=lambda turn: turn.began)
    notes.sort(key=lambda note: note.seq)
    return Recording(header, tuple(turns), tuple(notes), torn)


def _slots(data: bytes, start: int, end: int, size: int) -> Iterator[bytes]:
    for at in range(start, min(end, len(data)), size):
        yield data[at : at + size]


def _decode_header(data: bytes) -> Header | None:
    if len(data) < _HEADER.size:
        return None
    magic, version, length, crc = _HEADER.unpack_from(data)
    body = data[_HEADER.size : _HEADER.size + length]
    if magic != MAGIC or version != VERSION or len(body) != length or crc32(body) != crc:
        return None
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        return _header_decoder.decode(body)
    return None


def _decode_turn(slot: bytes, epoch: float) -> Turn | None:
    if len(slot) < _TURN.size:
        return None
    crc, length, began, ended = _TURN.unpack_from(slot)
    text = slot[_TURN.size : _TURN.size + length]
    if len(text) != length or text.count(b"\0") != 2 or crc32(text) != crc:
        return None
    path, kind, _ = text.decode("utf-8", "replace").split("\0")
    return Turn(path, kind, began < 0, abs(began) + epoch, ended + epoch if ended >= abs(began) else None)


def _decode_note(slot: bytes) -> Note | None:
    if len(slot) < _NOTE.size:
        return None
    crc, length, seq, at = _NOTE.unpack_from(slot)
    body = slot[_NOTE.size : _NOTE.size + length]
    if length == 0 or len(body) != length or crc32(body, crc32(_SIGNED.pack(seq, at))) != crc:
        return None
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        said = _body_decoder.decode(body)
        return Note(seq, at, said.kind, said.type, said.path, said.fields)
    return None


def _fitting(note: Note) -> bytes:
    """Encode a note, with ever shorter texts, then with no fields at all."""
    for limit in (MAX_NOTE_BODY, 200, 100, 50, 20):
        fields = {name: _shorter(value, limit) for name, value in note.fields.items()}
        body = msgspec.msgpack.encode(_NoteBody(note.kind, note.type, note.path, fields))
        if len(body) <= MAX_NOTE_BODY:
            return body
    path = _cut_middle(note.path, 200).decode()
    return msgspec.msgpack.encode(_NoteBody(note.kind, _cut(note.type, 100).decode(), path, {}))


def _shorter(value: Field, limit: int) -> Field:
    match value:
        case str():
            return _cut(value, limit).decode()
        case list():
            return [_cut(item, limit).decode() for item in value[: max(1, limit // 20)]]
        case _:
            return value


def _cut(text: str, limit: int) -> bytes:
    """Give `text` in at most `limit` bytes of whole characters; NUL, which separates, becomes a space."""
    data = text.replace("\0", " ").encode("utf-8", "replace")
    if len(data) <= limit:
        return data
    mark = CUT.encode()
    return data[: limit - len(mark)].decode("utf-8", "ignore").encode() + mark


def _cut_middle(text: str, limit: int) -> bytes:
    data = text.replace("\0", " ").encode("utf-8", "replace")
    if len(data) <= limit:
        return data
    mark = CUT.encode()
    head = (limit - len(mark)) // 2
    tail = data[len(data) - (limit - len(mark) - head) :].decode("utf-8", "ignore")
    return data[:head].decode("utf-8", "ignore").encode() + mark + tail.encode()
