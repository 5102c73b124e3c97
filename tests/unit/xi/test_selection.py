"""Selections: the invariant, and what edits do to regions."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xi.editor.selection import Drift, Region, Selection
from xi.rope.delta import Delta, Replacement

REGIONS = st.lists(st.builds(Region, st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8)


def spans(*pairs):
    return [Region(*pair) for pair in pairs]


@given(REGIONS)
def test_regions_are_sorted_and_apart(regions):
    selection = Selection.of(regions).regions
    for left, right in itertools.pairwise(selection):
        assert left.high < right.low or (left.high == right.low and not left.is_caret and not right.is_caret)
    covered = {offset for r in regions for offset in range(r.low, r.high)}
    assert {offset for r in selection for offset in range(r.low, r.high)} == covered


@pytest.mark.parametrize(
    ("regions", "merged"),
    [
        (spans((3, 5), (5, 9)), spans((3, 5), (5, 9))),
        (spans((3, 5), (5, 5)), spans((3, 5))),
        (spans((3, 3), (3, 5)), spans((3, 5))),
        (spans((3, 6), (5, 9)), spans((3, 9))),
        (spans((6, 3), (9, 5)), spans((9, 3))),
        (spans((2, 2), (2, 2)), spans((2, 2))),
        (spans((1, 9), (3, 4), (5, 5)), spans((1, 9))),
    ],
)
def test_regions_merge_as_in_xi(regions, merged):
    assert list(Selection.of(regions).regions) == merged


def test_there_is_no_empty_selection():
    with pytest.raises(ValueError, match="at least one"):
        Selection.of([])


@given(REGIONS, st.integers(0, 20), st.integers(0, 20))
def test_touching_finds_all_and_only_what_touches(regions, one, other):
    low, high = sorted((one, other))
    selection = Selection.of(regions)

    assert list(selection.touching(low, high)) == [r for r in selection.regions if r.high >= low and r.low <= high]


def test_carets_move_behind_what_is_typed_at_them():
    typed = Delta.of([Replacement(2, 2, b"x"), Replacement(5, 5, b"x")])

    assert list(Selection.of(spans((2, 2), (5, 5))).after(typed, Drift.BEFORE).regions) == spans((3, 3), (7, 7))


def test_a_wrapped_region_does_not_swallow_its_quotes():
    quotes = Delta.of([Replacement(2, 2, b'"'), Replacement(5, 5, b'"')])

    assert list(Selection.of(spans((2, 5))).after(quotes, Drift.OUTSIDE).regions) == spans((3, 6))
    assert list(Selection.of(spans((5, 2))).after(quotes, Drift.OUTSIDE).regions) == spans((6, 3))
