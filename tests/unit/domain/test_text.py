"""Edits between two texts turn one into the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.errors import InvalidRequestError
from symphony.domain.text import Edit, Position, Span, apply_edits, edits_between, offset_of

LINES = st.lists(st.sampled_from(["", "a", "b", "long line", "é😀", "a\r"]), max_size=8).map("\n".join)


def edit(start, end, text):
    return Edit(Span(Position(*start), Position(*end)), text)


@given(before=LINES, after=LINES)
def test_edits_between_two_texts_turn_the_first_into_the_second(before, after):
    assert apply_edits(before, edits_between(before, after)) == after


@given(text=LINES)
def test_there_are_no_edits_between_equal_texts(text):
    assert edits_between(text, text) == ()


@given(text=LINES, data=st.data())
def test_every_offset_is_the_offset_of_its_position(text, data):
    offset = data.draw(st.integers(0, len(text)))
    before = text[:offset]
    position = Position(before.count("\n"), offset - (before.rfind("\n") + 1))

    assert offset_of(text, position) == offset


@pytest.mark.parametrize("position", [(2, 0), (0, 4), (1, 1), (0, -1), (-1, 0)])
def test_a_position_outside_the_text_is_refused(position):
    with pytest.raises(InvalidRequestError):
        offset_of("abc\n", Position(*position))


def test_a_span_that_ends_before_it_starts_is_refused():
    with pytest.raises(InvalidRequestError, match="ends before it starts"):
        apply_edits("abc", [edit((0, 2), (0, 1), "")])


def test_each_edit_is_applied_to_the_result_of_the_one_before():
    edits = [edit((0, 0), (0, 0), "x\n"), edit((1, 0), (1, 3), "y")]

    assert apply_edits("abc", edits) == "x\ny"
