"""The recording's format: what was written is read back, and what was torn, cut or never ours costs nothing but itself."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime.flight import ring
from actors.runtime.flight.ring import FILE_SIZE, Header, Note, decode, encode_header, encode_note, encode_turn

HEADER = Header("/engine", 4, 4711, began=1000.5, monotonic=0.5)
FIELDS = st.dictionaries(
    st.text(max_size=20),
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=700),
    max_size=6,
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=600)
NOTES = st.builds(Note, st.just(0), st.floats(0, 2e9), st.sampled_from(["event", "log", "state"]), TEXTS, TEXTS, FIELDS.map(dict))


def empty():
    return bytearray(encode_header(HEADER).ljust(FILE_SIZE, b"\0"))


def put(data, at, record):
    data[at : at + len(record)] = record


def put_note(data, note):
    put(data, ring.note_at(note.seq), encode_note(note))


def put_turn(data, slot, began=5.0, path="/engine/core", kind="RunMelody"):
    put(data, ring.turn_at(slot), encode_turn(path, kind, began))


def end_turn(data, slot, ended):
    struct.pack_into("=d", data, ring.turn_at(slot) + ring.TIMES_OFFSET + 8, ended)


def note(seq, text="x"):
    return Note(seq, 1000.0 + seq, "event", "actor.exited", "/engine/core", {"error": text})


def test_a_new_file_has_a_header_and_nothing_else():
    found = decode(bytes(empty()))

    assert found == ring.Recording(HEADER, (), (), 0)


def test_turns_come_back_by_their_times_of_day_and_notes_by_their_numbers():
    data = empty()
    put_turn(data, 7, began=-6.25)
    put_turn(data, 9, began=5.0, kind="Open")
    end_turn(data, 9, 5.5)
    for seq in (3, 1, 2):
        put_note(data, note(seq))

    found = decode(bytes(data))

    assert [(turn.kind, turn.several, turn.began, turn.ended) for turn in found.turns] == [
        ("Open", False, 1005.0, 1005.5),
        ("RunMelody", True, 1006.25, None),
    ]
    assert found.notes == (note(1), note(2), note(3))


@given(NOTES)
def test_any_note_has_room_and_keeps_what_matters(given_note):
    """Texts may be cut; who and what it was about, and that it was there, may not be lost."""
    data = empty()
    put_note(data, given_note)

    (found,) = decode(bytes(data)).notes

    assert (found.seq, found.at, found.kind) == (given_note.seq, given_note.at, given_note.kind)
    if len(given_note.path) + len(given_note.type) < 50 and not given_note.fields:
        assert (found.type, found.path) == (given_note.type, given_note.path)


@given(TEXTS, TEXTS)
def test_any_path_and_kind_have_room_in_a_turn(path, kind):
    data = empty()
    put_turn(data, 0, path=path, kind=kind)

    (found,) = decode(bytes(data)).turns

    if len(path.encode()) <= 120 and "\0" not in path:
        assert found.path == path
    if len(kind.encode()) <= ring.MAX_KIND and "\0" not in kind:
        assert found.kind == kind


def test_a_turn_that_begins_after_the_last_one_in_its_slot_has_ended_goes_on():
    """Only eight bytes are written for each, so the end of the turn before is still there."""
    data = empty()
    put_turn(data, 0, began=5.0)
    end_turn(data, 0, 6.0)
    struct.pack_into("=d", data, ring.turn_at(0) + ring.TIMES_OFFSET, 7.0)

    (found,) = decode(bytes(data)).turns

    assert (found.began, found.ended) == (1007.0, None)


def test_the_latest_notes_stay_when_the_ring_wraps_around():
    data = empty()
    last = 2 * ring.NOTE_SLOTS + 5
    for seq in range(1, last + 1):
        put_note(data, note(seq))

    found = decode(bytes(data))

    assert [n.seq for n in found.notes] == list(range(last - ring.NOTE_SLOTS + 1, last + 1))
    assert found.torn == 0


def written():
    data = empty()
    for seq in range(1, 6):
        put_turn(data, seq, float(seq))
        put_note(data, note(seq, "x" * 300))
    return bytes(data)


WRITTEN = written()
WHOLE = decode(WRITTEN)


@given(st.integers(0, FILE_SIZE))
def test_a_file_cut_at_any_byte_gives_what_is_whole_in_it(length):
    found = decode(WRITTEN[:length])

    if found is None:
        assert length < ring.HEADER_SIZE
        return
    assert found.header == HEADER
    assert set(found.turns) <= set(WHOLE.turns)
    assert {n.seq for n in found.notes} <= {n.seq for n in WHOLE.notes}
    assert all(n in WHOLE.notes for n in found.notes)


@given(st.integers(0, 200), st.integers(1, 511))
@settings(max_examples=200)
def test_a_note_torn_while_an_older_one_is_overwritten_is_left_out(seq, written_bytes):
    """The writer was killed in the middle of its copy: the head is new, the tail is old."""
    data = empty()
    put_note(data, note(seq, "a" * 400))
    old = bytes(data)
    new = encode_note(note(seq + ring.NOTE_SLOTS, "b" * 400))
    put(data, ring.note_at(seq), new[:written_bytes])

    found = decode(bytes(data)).notes

    expected = [note(seq, "a" * 400)] if bytes(data) == old else []
    whole = [decode(bytes(_with(data, seq, new))).notes[0]] if written_bytes >= len(new) else expected
    assert list(found) == whole


def _with(data, seq, record):
    data = bytearray(data)
    put(data, ring.note_at(seq), record)
    return data


@given(st.integers(1, 60))
def test_a_turn_torn_while_an_older_one_is_overwritten_is_left_out(written_bytes):
    data = empty()
    put_turn(data, 0, path="/a/first", kind="Old")
    new = encode_turn("/b/other", "New", 7.0)
    put(data, ring.HEADER_SIZE, new[:written_bytes])

    found = decode(bytes(data))

    # A last byte may be as it was before.
    if data[ring.HEADER_SIZE : ring.HEADER_SIZE + len(new)] == new:
        assert [turn.kind for turn in found.turns] == ["New"]
    else:
        assert found.turns == ()
        assert found.torn == 1


@given(st.integers(ring.HEADER_SIZE, FILE_SIZE - 1), st.integers(1, 255))
@settings(max_examples=300)
def test_one_wrong_byte_costs_one_record_at_most_and_never_makes_one_up(at, flip):
    data = bytearray(WRITTEN)
    data[at] ^= flip

    found = decode(bytes(data))

    assert all(n in WHOLE.notes for n in found.notes)
    assert len(found.notes) >= len(WHOLE.notes) - 1
    assert len(found.turns) >= len(WHOLE.turns) - 1
    assert {(turn.path, turn.kind) for turn in found.turns} <= {(turn.path, turn.kind) for turn in WHOLE.turns}


@given(st.binary(max_size=2000))
def test_a_foreign_file_is_none_of_ours(data):
    assert decode(data) is None
    assert decode(data.ljust(FILE_SIZE, b"\x07")) is None


@given(st.binary(max_size=600))
def test_foreign_bytes_in_a_slot_are_no_record(data):
    whole = empty()
    put(whole, ring.note_at(3), data[: ring.NOTE_SIZE])
    put(whole, ring.HEADER_SIZE, data[: ring.TURN_SIZE])

    found = decode(bytes(whole))

    assert (found.turns, found.notes) == ((), ())


def test_a_header_that_has_no_room_is_refused():
    with pytest.raises(ValueError, match="no room"):
        encode_header(Header("/" + "x" * 2000, 1, 1, 0.0, 0.0))
