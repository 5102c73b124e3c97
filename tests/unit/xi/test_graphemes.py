"""Characters as people count them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xi.editor.graphemes import backspace_boundary, next_boundary, previous_boundary, snap
from xi.rope.rope import Rope

FAMILY = "👩\u200d👩\u200d👧"
CLUSTERS = [
    "a", "é", "e\u0301", "\r\n", "\n", "\r", "中", "🇩🇪", FAMILY, "👍🏽", "❤\ufe0f", "1\ufe0f\u20e3", "한",
    "\u1112\u1161\u11ab", "ก\u0e34", "नि", "🏴\U000e0067\U000e0062\U000e007f",
]  # fmt: skip


def forward(text):
    rope, offset, found = Rope.of(text), 0, []
    while (end := next_boundary(rope, offset)) is not None:
        found.append(rope.slice(offset, end).decode())
        offset = end
    return found


def backward(text):
    rope, offset, found = Rope.of(text), len(text.encode()), []
    while (start := previous_boundary(rope, offset)) is not None:
        found.append(rope.slice(start, offset).decode())
        offset = start
    return found[::-1]


@pytest.mark.parametrize("cluster", CLUSTERS, ids=ascii)
def test_a_cluster_is_one_step_among_plain_letters(cluster):
    assert forward(f"x{cluster}y") == ["x", cluster, "y"]
    assert backward(f"x{cluster}y") == ["x", cluster, "y"]


def test_flags_pair_off_from_the_left():
    assert forward("🇩🇪🇫🇷") == backward("🇩🇪🇫🇷") == ["🇩🇪", "🇫🇷"]


@given(st.lists(st.sampled_from([*CLUSTERS, "\u0301", "\u200d", "🇩", "\u1161"]), max_size=12).map("".join))
def test_steps_in_both_directions_find_the_same_boundaries_and_lose_nothing(text):
    assert forward(text) == backward(text)
    assert "".join(forward(text)) == text


@given(st.lists(st.sampled_from(CLUSTERS), max_size=8).map("".join), st.integers(0, 60))
def test_snapping_leads_to_the_boundary_at_or_before(text, offset):
    ends = [0]
    for cluster in forward(text):
        ends.append(ends[-1] + len(cluster.encode()))

    assert snap(Rope.of(text), offset) == max(end for end in ends if end <= offset)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ab", "a"), ("a\r\n", "a"), ("\n", ""), ("x🇩🇪🇫🇷", "x🇩🇪"), (f"x{FAMILY}", "x"), ("x👍🏽", "x"), ("x1\ufe0f\u20e3", "x"),
        ("xe\u0301", "xe"), ("x❤\ufe0f", "x"), ("xa\ufe00", "x"), ("한", ""), ("x🏴\U000e0067\U000e007f", "x"),
    ],
    ids=ascii,
)  # fmt: skip
def test_backspace_takes_back_what_one_key_press_made(text, left):
    assert backspace_boundary(Rope.of(text), len(text.encode())) == len(left.encode())


def test_a_cluster_without_end_is_cut_so_that_a_step_stays_quick():
    text = Rope.of("e" + "\u0301" * 100_000)

    assert 0 < (next_boundary(text, 0) or 0) <= 256


def test_there_is_no_step_beyond_either_end():
    text = Rope.of("a")

    assert (next_boundary(text, 1), previous_boundary(text, 0), backspace_boundary(text, 0)) == (None, None, None)
