"""Selections: sorted, disjoint regions of the text, some of them carets, and what an edit does to them.

The invariant is xi's: regions whose interiors meet are one region, a caret that touches a region is part of it, and equal carets
are one; two regions that only touch stay two. A selection cannot be built otherwise than through `of`, which sees to that.
"""

from bisect import bisect_left
from collections.abc import Iterable
from enum import Enum

import msgspec

from xi.rope.delta import Delta, Transformer


class Region(msgspec.Struct, frozen=True, gc=False):
    """From the anchor `start` to the cursor `end`, byte offsets in either order; a caret where they are equal.

    `column` is the byte column that vertical movement keeps aiming at, None after any other movement.
    """

    start: int
    end: int
    column: int | None = None

    @property
    def low(self) -> int:
        """The smaller of the two offsets."""
        return min(self.end, self.start)

    @property
    def high(self) -> int:
        """The greater of the two offsets."""
        return max(self.start, self.end)

    @property
    def is_caret(self) -> bool:
        """Whether nothing is selected."""
        return self.start == self.end


class Drift(Enum):
    """Where text goes that an edit inserts at the very edge of a region."""

    BEFORE = "before"  # every offset moves behind it: what typing at a caret wants
    OUTSIDE = "outside"  # the region does not swallow it: what wrapping a region in quotes wants


class Selection(msgspec.Struct, frozen=True):
    """At least one region, in order; see the module for the invariant."""

    regions: tuple[Region, ...]

    @classmethod
    def caret(cls, offset: int) -> "Selection":
        """Return a single caret."""
        return cls((Region(offset, offset),))

    @classmethod
    def of(cls, regions: Iterable[Region]) -> "Selection":
        """Return the selection of `regions`, in any order, merged where the invariant wants it; raises ValueError on none."""
        ordered = list(regions)
        if len(ordered) > 1:
            ordered = _merged(sorted(ordered, key=lambda region: (region.low, region.high)))
        if not ordered:
            raise ValueError("a selection has at least one region")
        return cls(tuple(ordered))

    @property
    def is_all_carets(self) -> bool:
        """Whether nothing at all is selected."""
        return all(region.is_caret for region in self.regions)

    @property
    def has_caret(self) -> bool:
        """Whether some region is a caret."""
        return any(region.is_caret for region in self.regions)

    def touching(self, low: int, high: int) -> tuple[Region, ...]:
        """Return the regions that meet or touch `[low, high]`."""
        regions = self.regions
        if len(regions) == 1:
            only = regions[0]
            return regions if only.high >= low and only.low <= high else ()
        first = bisect_left(regions, low, key=lambda region: region.high)
        last = first
        while last < len(regions) and regions[last].low <= high:
            last += 1
        return regions[first:last]

    def after(self, delta: Delta, drift: Drift) -> "Selection":
        """Return the selection as `delta` has moved it."""
        if delta.is_empty:
            return self
        transform = Transformer(delta).transform
        moved: list[Region] = []
        for region in self.regions:
            if region.is_caret:
                offset = transform(region.end, after=True)
                moved.append(Region(offset, offset))
            elif drift is Drift.OUTSIDE:
                is_forward = region.start < region.end
                moved.append(Region(transform(region.start, after=is_forward), transform(region.end, after=not is_forward)))
            else:
                moved.append(Region(transform(region.start, after=True), transform(region.end, after=True)))
        return Selection.of(moved)


def _merged(ordered: list[Region]) -> list[Region]:
    merged = [ordered[0]]
    for region in ordered[1:]:
        last = merged[-1]
        if region.low < last.high or (region.low == last.high and (region.is_caret or last.is_caret)):
            is_forward = last.end > last.start or region.end > region.start
            low, high = last.low, max(last.high, region.high)
            if (low, high) == (last.low, last.high) and is_forward == (last.end > last.start):
                continue
            merged[-1] = Region(low, high) if is_forward else Region(high, low)
        else:
            merged.append(region)
    return merged
