"""Delta: one edit as data, a sorted list of replacements in the coordinates of the text before it.

xi's deltas are lists of copies and inserts over the whole text. Replacements say the same, and an edit of one place is one small
value whatever the size of the text, which is what keeps the cost of a keystroke flat. Deltas can be applied, inverted, joined and
asked where an offset has gone; nothing else in the editor does arithmetic on offsets across an edit.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate, pairwise

import msgspec

from xi.rope.interval import Interval
from xi.rope.rope import Rope


class Replacement(msgspec.Struct, frozen=True, gc=False):
    """`text`, in UTF-8, stands for the bytes `[start, end)` of the old text."""

    start: int
    end: int
    text: bytes

    @property
    def growth(self) -> int:
        """How many bytes longer the text becomes; negative when it shrinks."""
        return len(self.text) - (self.end - self.start)


class Delta(msgspec.Struct, frozen=True):
    """Replacements in order, none overlapping another."""

    replacements: tuple[Replacement, ...]

    @classmethod
    def of(cls, replacements: Iterable[Replacement]) -> "Delta":
        """Return the delta of `replacements` in any order, leaving out those that change nothing.

        Raises ValueError when two of them overlap.
        """
        kept = sorted((r for r in replacements if r.text or r.end > r.start), key=lambda r: (r.start, r.end))
        for left, right in pairwise(kept):
            if right.start < left.end:
                raise ValueError(f"replacements [{left.start}, {left.end}) and [{right.start}, {right.end}) overlap")
        return cls(tuple(kept))

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.replacements

    def apply(self, text: Rope) -> Rope:
        """Return `text` as it is after this edit."""
        for replacement in reversed(self.replacements):  # from the back, so that earlier offsets stay true
            text = text.replace(replacement.start, replacement.end, replacement.text)
        return text

    def invert(self, text: Rope) -> "Delta":
        """Return the delta that undoes this one; `text` is the text before this one."""
        shift = 0
        inverse: list[Replacement] = []
        for r in self.replacements:
            start = r.start + shift
            inverse.append(Replacement(start, start + len(r.text), text.slice(r.start, r.end)))
            shift += r.growth
        return Delta(tuple(inverse))

    def hull(self) -> tuple[Interval, int]:
        """Return the smallest range of the old text that holds all changes, and the size of its counterpart in the new."""
        if not self.replacements:
            return Interval(0, 0), 0
        old = Interval(self.replacements[0].start, self.replacements[-1].end)
        return old, old.size + sum(r.growth for r in self.replacements)

    def then(self, later: "Delta") -> "Delta":
        """Return one delta for this edit followed by `later`, whose coordinates are those of the text between them."""
        if len(self.replacements) == 1 and len(later.replacements) == 1:
            joined = _join_touching(self.replacements[0], later.replacements[0])
            if joined is not None:
                return Delta((joined,))
        return _compose(self, later)


class Transformer:
    """Where offsets of the old text are found in the new; built once an edit, asked once a caret."""

    __slots__ = ("_ends", "_replacements", "_shifts", "_starts")

    def __init__(self, delta: Delta) -> None:
        self._replacements = delta.replacements
        self._starts = [r.start for r in delta.replacements]
        self._ends = [r.end for r in delta.replacements]
        self._shifts = list(accumulate((r.growth for r in delta.replacements), initial=0))

    def transform(self, offset: int, *, after: bool) -> int:
        """Return the new place of `offset`; text inserted just there ends up before it if `after`, else behind it."""
        # Replacements with start < offset, or start <= offset if `after`, move the offset; of these the last may hold it.
        count = (bisect_right if after else bisect_left)(self._starts, offset)
        if count and offset < self._ends[count - 1]:
            last = self._replacements[count - 1]
            return last.start + self._shifts[count - 1] + len(last.text)
        return offset + self._shifts[count]


def _join_touching(first: Replacement, second: Replacement) -> Replacement | None:
    """Join two replacements of which the second touches what the first put in; this is what typing and backspacing make."""
    size = len(first.text)
    if second.start > first.start + size or second.end < first.start:
        return None
    kept_before = first.text[: max(0, second.start - first.start)]
    kept_after = first.text[max(0, second.end - first.start) :]
    end = first.end + max(0, second.end - first.start - size)
    return Replacement(min(first.start, second.start), end, kept_before + second.text + kept_after)


def _compose(first: Delta, second: Delta) -> Delta:
    """Compose in one walk over both: the text between them is a row of copied and inserted pieces, which `second` then cuts."""
    pieces = _Pieces(first)
    built: list[Interval | bytes] = []
    position = 0
    for r in second.replacements:
        built += pieces.take(r.start - position)
        pieces.take(r.end - r.start)
        built.append(r.text)
        position = r.end
    built += pieces.rest()
    return Delta(tuple(_replacements_of(built)))


_END = 1 << 62  # stands for the unknown end of the old text: a delta does not say how long its text is


class _Pieces:
    """The text after a delta as a row of pieces, taken from the front: intervals of the old text, or inserted bytes."""

    def __init__(self, delta: Delta) -> None:
        pieces: list[Interval | bytes] = []
        position = 0
        for r in delta.replacements:
            pieces += (Interval(position, r.start), r.text)
            position = r.end
        pieces.append(Interval(position, _END))
        self._pieces = pieces[::-1]

    def take(self, size: int) -> list[Interval | bytes]:
        """Take `size` bytes; also the deletions at their end, which have no size."""
        taken: list[Interval | bytes] = []
        while size:
            piece = self._pieces.pop()
            length = len(piece) if isinstance(piece, bytes) else piece.size
            if length > size:
                if isinstance(piece, bytes):
                    taken.append(piece[:size])
                    self._pieces.append(piece[size:])
                else:
                    taken.append(Interval(piece.start, piece.start + size))
                    self._pieces.append(Interval(piece.start + size, piece.end))
                break
            taken.append(piece)
            size -= length
        return taken

    def rest(self) -> list[Interval | bytes]:
        """Take all that is left."""
        return self._pieces[::-1]


def _replacements_of(pieces: list[Interval | bytes]) -> list[Replacement]:
    result: list[Replacement] = []
    start = 0
    inserted: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            inserted.append(piece)
        elif piece.size:
            if inserted_text := b"".join(inserted):
                result.append(Replacement(start, piece.start, inserted_text))
            elif piece.start > start:
                result.append(Replacement(start, piece.start, b""))
            inserted.clear()
            start = piece.end
    return result
