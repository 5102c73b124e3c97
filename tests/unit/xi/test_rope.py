"""The rope against plain bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xi.rope import tree
from xi.rope.rope import Rope

PIECES = st.one_of(
    st.text(alphabet="ab\n\r é€😀", max_size=40),
    st.integers(0, 9000).map(lambda n: ("line\n" * n)[:n]),
    st.sampled_from(["", "\n", "é" * 3000, "😀\n" * 700]),
)


def boundary_at(data, fraction):
    """Return a code point boundary of UTF-8 `data`, `fraction` of the way through it."""
    offset = int(len(data) * fraction)
    while offset < len(data) and data[offset] & 0xC0 == 0x80:
        offset += 1
    return offset


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), PIECES), max_size=30))
def test_rope_is_plain_bytes_under_any_edits(edits):
    rope, model = Rope.of(""), b""
    for one, other, piece in edits:
        start, end = sorted((boundary_at(model, one), boundary_at(model, other)))
        rope, model = rope.replace(start, end, piece.encode()), model[:start] + piece.encode() + model[end:]
        rope.check_invariants()
        assert len(rope) == len(model)
        assert rope.line_count == model.count(b"\n") + 1
    assert bytes(rope) == model


@given(PIECES, PIECES, st.floats(0, 1), st.floats(0, 1))
def test_slices_are_those_of_bytes(first, second, one, other):
    model = (first + second).encode()
    rope = Rope.of(first).replace(len(first.encode()), len(first.encode()), second.encode())
    start, end = sorted((int(len(model) * one), int(len(model) * other)))

    assert rope.slice(start, end) == model[start:end]


@given(PIECES.map(lambda piece: piece * 3), st.floats(0, 1))
def test_lines_and_offsets_agree_with_a_count_of_newlines(text, fraction):
    model = text.encode()
    rope = Rope.from_bytes(model)
    offset = int(len(model) * fraction)
    line = rope.line_of_offset(offset)

    assert line == model[:offset].count(b"\n")
    assert rope.offset_of_line(line) == model.rfind(b"\n", 0, offset) + 1
    assert rope.offset_of_line(line) <= offset <= rope.offset_of_line(line + 1)
    assert rope.offset_of_line(rope.line_count + 5) == len(model)


def test_an_edit_leaves_older_ropes_as_they_were():
    old = Rope.of("abc\n" * 5000)
    new = old.replace(8000, 12000, b"x")

    assert str(old) == "abc\n" * 5000
    assert str(new) == "abc\n" * 2000 + "x" + "abc\n" * 2000


def test_a_long_life_of_small_edits_keeps_the_tree_shallow_and_in_balance():
    rope = Rope.of("x" * 400_000)
    for step in range(4000):
        offset = step * 7919 % (len(rope) - 60)
        rope = rope.replace(offset, offset + 60, b"y" * (step % 3))
    rope.check_invariants()

    assert tree._depth_checked(rope._root, is_root=True) <= 3


def test_edits_inside_a_code_point_are_refused():
    with pytest.raises(ValueError, match="code point"):
        Rope.of("é").replace(1, 2, b"")


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (0, 4), (2, 1)])
def test_ranges_outside_the_text_are_refused(start, end):
    with pytest.raises(IndexError, match="not within a text of 3 bytes"):
        Rope.of("abc").slice(start, end)


def test_bytes_that_are_not_utf8_make_no_rope():
    with pytest.raises(UnicodeDecodeError):
        Rope.from_bytes(b"a\xff")


def test_equality_is_that_of_the_text_and_not_of_its_cutting():
    assert Rope.of("a" * 5000) == Rope.of("a").replace(1, 1, b"a" * 4999)
    assert Rope.of("a") != Rope.of("b")
