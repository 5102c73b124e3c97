r"""Word boundaries as xi draws them, for code rather than prose.

Every byte is of one of four classes: line feed, space (any other byte up to 0x20), ASCII punctuation, and the rest, in which `_`
and all non-ASCII text stand together with letters. So the bytes of a code point never fall into two classes, and the search runs
over bytes turned into class letters, by regular expressions in C.
"""

import re

from xi.rope.interval import Interval
from xi.rope.rope import Rope

_PUNCTUATION = b"!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~"
_CLASSES = bytes(
    ord("L") if byte == 0x0A else ord("S") if byte <= 0x20 else ord("P") if byte in _PUNCTUATION else ord("O")
    for byte in range(256)
)
# From any place, a word ends behind a line feed, or behind blanks, then punctuation, then other text, as far as they are
# there. Read backwards, the same expression finds where it began.
_STEP = re.compile(rb"L|S*P*O*")
_RUNS = {b"L": re.compile(b"L"), b"S": re.compile(b"S*"), b"P": re.compile(b"P*"), b"O": re.compile(b"O*")}
_WINDOW = 256


def next_word_end(text: Rope, offset: int) -> int | None:
    """Return where a movement by one word to the right leads; None at the end of the text."""
    return _reach(text, offset, _STEP, forward=True) if offset < len(text) else None


def previous_word_start(text: Rope, offset: int) -> int | None:
    """Return where a movement by one word to the left leads; None at the start of the text."""
    return _reach(text, offset, _STEP, forward=False) if offset else None


def word_at(text: Rope, offset: int) -> Interval:
    """Return what a double click at `offset` selects.

    Beside a word, the word. Else the run of blanks or signs before the place together with the one behind it, a line feed
    counting as a run of its own; nothing between two line feeds. At either end of the text, what a movement by one word would
    pass.
    """
    before = text.slice(max(0, offset - 1), offset).translate(_CLASSES)
    after = text.slice(offset, min(len(text), offset + 1)).translate(_CLASSES)
    if not after:
        return Interval(previous_word_start(text, offset) or 0, offset)
    if not before:
        return Interval(0, next_word_end(text, 0) or 0)
    if before == after == b"L":
        return Interval(offset, offset)
    start = offset if after == b"O" != before else _reach(text, offset, _RUNS[before], forward=False)
    end = offset if before == b"O" != after else _reach(text, offset, _RUNS[after], forward=True)
    return Interval(start, end)


def _reach(text: Rope, offset: int, pattern: re.Pattern[bytes], *, forward: bool) -> int:
    """Return how far `pattern` matches from `offset`; the window grows until the match ends within it."""
    size = _WINDOW
    while True:
        if forward:
            window = text.slice(offset, min(len(text), offset + size)).translate(_CLASSES)
        else:
            window = text.slice(max(0, offset - size), offset).translate(_CLASSES)[::-1]
        match = pattern.match(window)
        length = match.end() if match else 0
        if length < len(window) or len(window) < size:
            return offset + length if forward else offset - length
        size *= 4
