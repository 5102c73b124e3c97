"""Deltas: apply, invert, join, and where offsets go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xi.rope.delta import Delta, Replacement, Transformer
from xi.rope.rope import Rope

TEXTS = st.text(alphabet="ab\n", max_size=30)


@st.composite
def deltas(draw, size):
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=8).filter(lambda cuts: len(cuts) % 2 == 0)))
    pairs = zip(cuts[::2], cuts[1::2], strict=True)
    return Delta.of(Replacement(start, end, draw(st.binary(max_size=4).map(bytes.hex)).encode()) for start, end in pairs)


@st.composite
def texts_with_two_edits(draw):
    text = Rope.of(draw(TEXTS))
    first = draw(deltas(len(text)))
    return text, first, draw(deltas(len(first.apply(text))))


@given(texts_with_two_edits())
def test_an_inverse_takes_the_edit_back(case):
    text, delta, _ = case
    assert delta.invert(text).apply(delta.apply(text)) == text


@given(texts_with_two_edits())
def test_joined_edits_do_what_both_do_in_turn(case):
    text, first, second = case
    assert first.then(second).apply(text) == second.apply(first.apply(text))


@given(texts_with_two_edits())
def test_the_hull_holds_all_that_changes(case):
    text, delta, _ = case
    old, size = delta.hull()
    before, after = bytes(text), bytes(delta.apply(text))

    assert before[: old.start] == after[: old.start]
    assert before[old.end :] == after[old.start + size :]


@given(texts_with_two_edits(), st.booleans())
def test_offsets_keep_their_order_and_those_of_kept_text_keep_their_text(case, after):
    text, delta, _ = case
    transform = Transformer(delta).transform
    moved = [transform(offset, after=after) for offset in range(len(text) + 1)]
    new = bytes(delta.apply(text))

    assert moved == sorted(moved)
    assert all(0 <= offset <= len(new) for offset in moved)
    for offset, byte in enumerate(bytes(text)):
        if not any(r.start <= offset < r.end for r in delta.replacements):
            assert new[transform(offset, after=True)] == byte


def test_an_insertion_at_an_offset_goes_before_or_after_it_as_asked():
    transform = Transformer(Delta.of([Replacement(2, 2, b"xyz")])).transform

    assert (transform(2, after=False), transform(2, after=True)) == (2, 5)


def test_an_offset_in_deleted_text_comes_to_stand_behind_its_replacement():
    assert Transformer(Delta.of([Replacement(1, 5, b"xy")])).transform(3, after=True) == 3


def test_overlapping_replacements_make_no_delta():
    with pytest.raises(ValueError, match="overlap"):
        Delta.of([Replacement(0, 3, b""), Replacement(2, 4, b"")])


def test_typing_and_backspacing_stay_one_replacement():
    delta = Delta.of([Replacement(5, 5, b"a")])
    for offset, char in ((6, b"b"), (7, b"c")):
        delta = delta.then(Delta.of([Replacement(offset, offset, char)]))
    delta = delta.then(Delta.of([Replacement(3, 6, b"")]))

    assert delta == Delta.of([Replacement(3, 5, b"bc")])
