"""Replacement: how one text becomes another by a single cut, and where that cut lies as xi counts.

One cut for each change, however many edits it was made of: then xi sees one step, which one undo takes back. xi moves a place
that lies inside a grapheme (a letter and its accent, CR and LF, a family of emoji) to its start, so the cut is widened until both
its ends lie where every version of Unicode has a boundary.
"""

from unicodedata import category

from msgspec import Struct

from actors.xi_proxy.link import Place

# Of these no character joins its neighbour. Letters without case are left out, for the sake of Hangul and the scripts of India.
_PLAIN = frozenset({"Lu", "Ll", "Lt", "Nd", "Zs", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Cc"})


class Replacement(Struct, frozen=True, array_like=True):
    """Put `text` in the place of the code points `[start, end)`."""

    start: int
    end: int
    text: str

    def apply(self, text: str) -> str:
        """Give `text` after the replacement."""
        return text[: self.start] + self.text + text[self.end :]


def replacement_between(before: str, after: str) -> Replacement | None:
    """Give a replacement that turns `before` into `after`, about as small as can be; None where they are equal."""
    if before == after:
        return None
    start = _common_start(before, after)
    end = len(before) - _common_end(before, after, min(len(before), len(after)) - start)
    while not _is_boundary(before, start):
        start -= 1
    while not _is_boundary(before, end):
        end += 1
    return Replacement(start, end, after[start : len(after) - (len(before) - end)])


def place_of(text: str, offset: int) -> Place:
    """Give where `offset`, in code points, lies as xi counts."""
    start = text.rfind("\n", 0, offset) + 1
    return Place(text.count("\n", 0, offset), len(text[start:offset].encode()))


def line_at(text: str, offset: int) -> str:
    """Give the line that holds `offset`, with its newline."""
    end = text.find("\n", offset)
    return text[text.rfind("\n", 0, offset) + 1 : len(text) if end < 0 else end + 1]


def _common_start(one: str, other: str) -> int:
    """Halve, since comparing slices is a thousand times quicker than comparing characters."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_end(one: str, other: str, limit: int) -> int:
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _is_boundary(text: str, offset: int) -> bool:
    if offset in (0, len(text)):
        return True
    left, right = text[offset - 1], text[offset]
    return _is_plain(left) and _is_plain(right) and not (left == "\r" and right == "\n")


def _is_plain(char: str) -> bool:
    return char.isascii() or category(char) in _PLAIN or "\u4e00" <= char <= "\u9fff"
