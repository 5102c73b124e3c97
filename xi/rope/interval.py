"""A half-open range of byte offsets.

A named tuple, not a Struct: many are made for each edit, and a tuple is the cheapest value with names.
"""

from typing import NamedTuple


class Interval(NamedTuple):
    """The bytes from `start` up to, not including, `end`; `0 <= start <= end` is the maker's promise."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """Number of bytes covered."""
        return self.end - self.start
