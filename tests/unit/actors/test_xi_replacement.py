"""One cut makes one text of another, at places that xi does not move."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.xi_proxy.link import Place
from actors.xi_proxy.replacement import Replacement, line_at, place_of, replacement_between
from xi.editor.graphemes import snap
from xi.editor.movement import offset_at
from xi.rope.rope import Rope

# What joins its neighbours: CR and LF, accents, joiners, flags, skin tones, keycaps, Hangul, a prepended sign, a vowel sign.
PIECES = [
    *(
        "a",
        "b",
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "é",
        "e\u0301",
        "👩\u200d🚀",
        "👍\U0001f3fd",
        "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7",
    ),
    *("1\ufe0f\u20e3", "각", "\u1100", "\u1161", "\u0600", "क्षि", "漢字", "\0", "\t", "\u2028", "\ufeff", "{", '"'),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_it_leads_from_one_text_to_the_other_and_xi_finds_its_ends(start, old, new, end):
    before, after = start + old + end, start + new + end
    made = replacement_between(before, after)

    assert (made is None) == (before == after)
    if made is None:
        return
    assert made.apply(before) == after
    rope = Rope.of(before)
    for offset in (made.start, made.end):
        in_bytes = len(before[:offset].encode())
        assert snap(rope, in_bytes) == in_bytes
        assert offset_at(rope, *place_of(before, offset)) == in_bytes


@pytest.mark.parametrize(
    ("before", "after", "made"),
    [
        ("", "a", Replacement(0, 0, "a")),
        ("abc", "abXc", Replacement(2, 2, "X")),
        ("abc", "ac", Replacement(1, 2, "")),
        ("aa", "aaa", Replacement(2, 2, "a")),
        ("one\ntwo\nthree", "one\n2\nthree", Replacement(4, 7, "2")),
        ("für", "fürx", Replacement(3, 3, "x")),
        ("漢字", "漢x字", Replacement(1, 1, "x")),
        ("a\r\nb", "a\nb", Replacement(1, 3, "\n")),
        ("e\u0301x", "ex", Replacement(0, 3, "ex")),
    ],
)
def test_it_is_as_small_as_graphemes_allow(before, after, made):
    assert replacement_between(before, after) == made


@pytest.mark.parametrize(("offset", "place"), [(0, (0, 0)), (1, (0, 2)), (2, (1, 0)), (4, (1, 5)), (5, (2, 0))])
def test_a_place_counts_lines_and_bytes(offset, place):
    assert place_of("é\n😀x\n", offset) == Place(*place)


@pytest.mark.parametrize(("offset", "line"), [(0, "a\n"), (1, "a\n"), (2, "b"), (3, "b")])
def test_the_line_of_an_offset_has_its_newline(offset, line):
    assert line_at("a\nb", offset) == line
