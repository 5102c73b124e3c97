"""Word boundaries, against xi's table written out pair by pair."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xi.editor.words import next_word_end, previous_word_start, word_at
from xi.rope.rope import Rope

TEXTS = st.text(alphabet="a_é \t.(\n", max_size=12)
STARTS = {("S", "O"), ("S", "P"), ("P", "O")}
ENDS = {("O", "S"), ("P", "S"), ("O", "P")}


def kind(char):
    return "L" if char == "\n" else "S" if char <= " " else "P" if char in ".(" else "O"


def is_start(left, right):
    return "L" in (kind(left), kind(right)) or (kind(left), kind(right)) in STARTS


def is_end(left, right):
    return "L" in (kind(left), kind(right)) or (kind(left), kind(right)) in ENDS


def size(chars):
    return len(chars.encode())


@given(TEXTS, st.integers(0, 12))
def test_moving_right_stops_at_the_first_word_end(text, at):
    at = min(at, len(text))
    stop = next((i for i in range(at + 1, len(text)) if is_end(text[i - 1], text[i])), len(text))

    assert next_word_end(Rope.of(text), size(text[:at])) == (size(text[:stop]) if at < len(text) else None)


@given(TEXTS, st.integers(0, 12))
def test_moving_left_stops_at_the_first_word_start(text, at):
    at = min(at, len(text))
    stop = next((i for i in range(at - 1, 0, -1) if is_start(text[i - 1], text[i])), 0)

    assert previous_word_start(Rope.of(text), size(text[:at])) == (size(text[:stop]) if at else None)


@pytest.mark.parametrize(
    ("text", "offset", "word"),
    [
        ("one two", 1, "one"), ("one two", 3, "one"), ("one two", 4, "two"), ("one two", 7, "two"), ("a_é.x", 2, "a_é"),
        ("f(x)", 1, "f"), ("f((x", 2, "(("), ("a  b", 2, "  "), ("a\nb", 1, "a"), ("a\nb", 2, "b"), ("\n\n", 1, ""), ("", 0, ""),
        ("foo  ", 5, "foo  "), (" x", 0, " x"),
    ],
)  # fmt: skip
def test_a_double_click_selects(text, offset, word):
    found = word_at(Rope.of(text), offset)

    assert text.encode()[found.start : found.end].decode() == word


def test_a_word_longer_than_any_window_is_found_whole():
    text = Rope.of("." + "x" * 10_000 + ".")

    assert tuple(word_at(text, 5000)) == (1, 10_001)
    assert next_word_end(text, 1) == 10_001
    assert previous_word_start(text, 10_001) == 1
