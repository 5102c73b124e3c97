import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.verdict import MOST_SPREAD, Promise, hold, ratios, spread

AT_LEAST = Promise("tell", 5, "pykka", at_least=True)
AT_MOST = Promise("ask", 0.8, "pykka", at_least=False)
STEADY = [100.0] * 7
UNSTEADY = [50.0, 50.0, 50.0, 100.0, 150.0, 150.0, 150.0]

figures = st.lists(st.floats(min_value=0.01, max_value=1e6), min_size=7, max_size=7)


def test_the_measured_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_the_medians():
    bar = hold(AT_LEAST, [600, 700, 100], [100, 100, 10])

    assert bar.measured == 7


@pytest.mark.parametrize(("promise", "ours", "holds"), [(AT_LEAST, 500, True), (AT_LEAST, 499, False), (AT_MOST, 80, True)])
def test_a_bar_holds_at_its_limit(promise, ours, holds):
    assert hold(promise, [ours], [100]).holds is holds


def test_a_bar_says_its_promise_as_people_do():
    assert [AT_LEAST.bar, AT_MOST.bar] == [">= 5x pykka", "<= 0.8x pykka"]


@pytest.mark.parametrize(("factor", "holds"), [(6, True), (4, False)])
def test_an_unsteady_anchor_leaves_a_verdict_that_every_round_shares(factor, holds):
    bar = hold(AT_LEAST, [factor * figure for figure in UNSTEADY], UNSTEADY)

    assert (bar.holds, bar.unmeasured) == (holds, None)


def test_an_unsteady_anchor_makes_a_bar_unmeasurable_where_the_rounds_differ():
    bar = hold(AT_LEAST, [600.0] * 7, UNSTEADY)

    assert not bar.holds
    assert bar.unmeasured == "pykka was too unsteady (spread 100%, at most 30%), and the bar held in 4 of 7 rounds"


def test_with_a_steady_anchor_the_median_decides_where_the_rounds_differ():
    bar = hold(AT_LEAST, [600.0, 600.0, 600.0, 600.0, 400.0, 400.0, 400.0], STEADY)

    assert (bar.holds, bar.unmeasured) == (True, None)


def test_one_round_disturbed_by_a_neighbour_is_no_unsteady_anchor():
    assert spread([100.0] * 6 + [1000.0]) == 0


def test_one_figure_has_no_spread():
    assert spread([3.0]) == 0


def test_figures_of_different_rounds_are_not_compared():
    with pytest.raises(ValueError, match="zip"):
        hold(AT_LEAST, [1.0], [1.0, 2.0])


@given(ours=figures, anchor=figures, limit=st.floats(min_value=0.01, max_value=100), at_least=st.booleans())
def test_a_verdict_is_withheld_only_when_the_anchor_is_unsteady_and_the_rounds_differ(ours, anchor, limit, at_least):
    promise = Promise("any", limit, "anchor", at_least=at_least)
    kept = {promise.kept_by(ratio) for ratio in ratios(ours, anchor)}

    bar = hold(promise, ours, anchor)

    assert (bar.unmeasured is not None) == (len(kept) == 2 and spread(anchor) > MOST_SPREAD)
    if bar.unmeasured is None:
        assert bar.holds == promise.kept_by(statistics.median(ratios(ours, anchor)))
    else:
        assert not bar.holds


@given(anchor=figures, scale=st.floats(min_value=0.5, max_value=2))
def test_a_spread_has_no_unit(anchor, scale):
    assert spread([scale * figure for figure in anchor]) == pytest.approx(spread(anchor))
