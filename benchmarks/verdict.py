"""Verdict: whether a bar against an anchor holds, fails, or cannot be told, from the figures of every round.

The machine, not the code, decides which of two speeds a woken thread shows: it may wake on the waker's core or on the other one,
and stays there for seconds. So an anchor made of thread wake-ups is bimodal, and the rule must not mistake that for a verdict:

1. Each round gives one ratio, ours against the anchor's in the same round; the measured ratio is their median.
2. A bar that holds in every round holds; one that is missed in every round is missed. However unsteady the anchor is, the
   verdict does not hang on it.
3. Otherwise the verdict depends on the round. Where the anchor's own spread is over 30 % it is not measured; else the median
   decides.

The spread of an anchor is the interquartile range of its figures, one a round, as a share of their median. Quartiles, not
extremes: one round that a neighbour disturbed says nothing of the anchor. Rejected: the standard deviation, for the same reason.

What no spread can show is an anchor that stays at one of its speeds for a whole run, as one does whose threads are all pinned to
one core, and may where a neighbour keeps the other core busy. Compare runs by their absolute figures and the load, too.
"""

import statistics
from collections.abc import Sequence

from msgspec import Struct

from .report import Bar, not_measured

MOST_SPREAD = 0.30


class Promise(Struct, frozen=True):
    """A bar as a multiple of an anchor: `metric` is its name, `at_least` says on which side of `limit` it lies."""

    metric: str
    limit: float
    anchor: str
    at_least: bool

    @property
    def bar(self) -> str:
        """The promise in the report's words."""
        return f"{'>=' if self.at_least else '<='} {self.limit:g}x {self.anchor}"

    def kept_by(self, ratio: float) -> bool:
        """Whether one ratio keeps the promise."""
        return ratio >= self.limit if self.at_least else ratio <= self.limit


def hold(promise: Promise, ours: Sequence[float], anchor: Sequence[float]) -> Bar:
    """Hold the figures of each round against the promise. Raises `ValueError` unless both have one figure for each round."""
    every_ratio = ratios(ours, anchor)
    measured = statistics.median(every_ratio)
    bar = Bar(promise.metric, promise.bar, measured, promise.kept_by(measured))
    kept = sum(promise.kept_by(ratio) for ratio in every_ratio)
    unsteady = spread(anchor)
    if kept in {0, len(every_ratio)} or unsteady <= MOST_SPREAD:
        return bar
    reason = f"{promise.anchor} was too unsteady (spread {unsteady:.0%}, at most {MOST_SPREAD:.0%})"
    return not_measured(bar, f"{reason}, and the bar held in {kept} of {len(every_ratio)} rounds")


def ratios(ours: Sequence[float], anchor: Sequence[float]) -> list[float]:
    """Give the ratio of each round."""
    return [mine / its for mine, its in zip(ours, anchor, strict=True)]


def spread(figures: Sequence[float]) -> float:
    """Give the interquartile range as a share of the median; of fewer than two figures it is 0, since nothing can be told."""
    if len(figures) < 2:
        return 0.0
    first, median, third = statistics.quantiles(figures, n=4, method="inclusive")
    return (third - first) / median
