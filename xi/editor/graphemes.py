"""Where what a person calls a character begins and ends.

An approximation of Unicode's extended grapheme clusters (UAX #29) on the standard library's `unicodedata`, which has categories
but not the break properties. Kept whole: CR LF, a base with combining and enclosing marks and spacing marks, variation
selectors, emoji modifiers and tag sequences, emoji joined by ZWJ, pairs of regional indicators, Hangul syllables of conjoining
jamo, and what follows a prepended sign. Left out: the Indic conjunct rule (GB9c), and pictographs are told by block, not by
name. A cluster of more than 256 bytes is cut, so that text without any boundary cannot make a key press slow.
"""

import re
import unicodedata

from xi.rope.rope import Rope

_WINDOW = 256
_ZWJ = "\u200d"
_PREPEND = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3"
)
_HANGUL_L = re.compile("[\u1100-\u115f\ua960-\ua97c]")
_HANGUL_V = re.compile("[\u1160-\u11a7\ud7b0-\ud7c6]")
_HANGUL_T = re.compile("[\u11a8-\u11ff\ud7cb-\ud7fb]")
_PICTOGRAPH = re.compile(
    "[\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_KEYCAP = "\u20e3"


def next_boundary(text: Rope, offset: int) -> int | None:
    """Return where the cluster that begins at `offset` ends; None at the end of the text."""
    window = text.slice(offset, min(len(text), offset + _WINDOW))
    if not window:
        return None
    if window[0] < 0x80 and (len(window) == 1 or (window[1] < 0x80 and window[:2] != b"\r\n")):
        return offset + 1
    chars = window.decode(errors="ignore")  # a code point cut by the window's end is left out
    return offset + len(_first_cluster(chars).encode())


def previous_boundary(text: Rope, offset: int) -> int | None:
    """Return where the cluster that ends at `offset`, a code point boundary, begins; None at the start of the text."""
    if not offset:
        return None
    return offset - len(_cluster_before(text, offset).encode())


def snap(text: Rope, offset: int) -> int:
    """Return the last boundary at or before `offset`, which may lie inside a code point."""
    if offset <= 0 or offset >= len(text):
        return max(0, min(offset, len(text)))
    around = text.slice(offset - 1, offset + 1)
    if around.isascii() and around != b"\r\n":
        return offset
    while text.slice(offset, offset + 1)[0] & 0xC0 == 0x80:
        offset -= 1
    before, after = _chars_before(text, offset), _chars_after(text, offset)
    if not before or _is_break(before, after[0]):
        return offset
    return previous_boundary(text, offset) or 0


def backspace_boundary(text: Rope, offset: int) -> int | None:
    """Return how far back one press of backspace deletes from `offset`; None at the start of the text.

    As in xi-core, CR LF, flags, keycaps and emoji go as one, a variation selector takes its base along, and of other clusters
    only the last code point goes, so that an accent can be taken back alone.
    """
    if not offset:
        return None
    cluster = _cluster_before(text, offset)
    last = cluster[-1]
    is_whole = (
        cluster == "\r\n" or last == _KEYCAP or _is_regional(last) or _is_pictograph(last) or _is_tag(last) or _is_modifier(last)
    )
    is_selector = 0xFE00 <= ord(last) <= 0xFE0F or 0xE0100 <= ord(last) <= 0xE01EF
    if is_selector:
        is_whole = any(_is_pictograph(char) for char in cluster)
    taken = cluster if is_whole else cluster[-2 if is_selector else -1 :]
    return offset - len(taken.encode())


def _chars_before(text: Rope, offset: int) -> str:
    return text.slice(max(0, offset - _WINDOW), offset).decode(errors="ignore")


def _chars_after(text: Rope, offset: int) -> str:
    return text.slice(offset, min(len(text), offset + 8)).decode(errors="ignore")


def _first_cluster(chars: str) -> str:
    for index in range(1, len(chars)):
        if _is_break(chars[:index], chars[index]):
            return chars[:index]
    return chars


def _cluster_before(text: Rope, offset: int) -> str:
    tail = text.slice(max(0, offset - 2), offset)
    if tail.isascii():
        return "\r\n" if tail == b"\r\n" else chr(tail[-1])
    chars = _chars_before(text, offset)
    for index in range(len(chars) - 1, 0, -1):
        if _is_break(chars[:index], chars[index]):
            return chars[index:]
    return chars


def _is_break(before: str, after: str) -> bool:
    """Whether there is a boundary between `before`, which is not empty, and the code point `after`."""
    last = before[-1]
    if last < "\x80" and after < "\x80":
        return not (last == "\r" and after == "\n")
    if _is_control(last) or _is_control(after):
        return True
    if _is_extending(after) or last in _PREPEND or _is_hangul_joined(last, after):
        return False
    if last == _ZWJ and _is_pictograph(after):
        base = before[:-1].rstrip("\u200c")
        while base and _is_extending(base[-1]) and base[-1] != _ZWJ:
            base = base[:-1]
        return not (base and _is_pictograph(base[-1]))
    if _is_regional(last) and _is_regional(after):
        run = len(before) - len(before.rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
        return run % 2 == 0
    return True


def _is_control(char: str) -> bool:
    category = unicodedata.category(char)
    return category in ("Cc", "Zl", "Zp") or (category == "Cf" and not _is_extending(char) and char not in _PREPEND)


def _is_extending(char: str) -> bool:
    if char < "\u0300":
        return False
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or char in "\u200c\u200d\uff9e\uff9f"
        or _is_modifier(char)
        or _is_tag(char)
    )


def _is_modifier(char: str) -> bool:
    return "\U0001f3fb" <= char <= "\U0001f3ff"


def _is_tag(char: str) -> bool:
    return "\U000e0020" <= char <= "\U000e007f"


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_pictograph(char: str) -> bool:
    return _PICTOGRAPH.match(char) is not None


def _is_hangul_joined(last: str, after: str) -> bool:
    is_syllable = "\uac00" <= last <= "\ud7a3"
    is_open = is_syllable and (ord(last) - 0xAC00) % 28 == 0  # LV, which may still take a vowel or a final consonant
    if _HANGUL_L.match(last):
        return bool(_HANGUL_L.match(after) or _HANGUL_V.match(after)) or "\uac00" <= after <= "\ud7a3"
    if _HANGUL_V.match(last) or is_open:
        return bool(_HANGUL_V.match(after) or _HANGUL_T.match(after))
    return bool((_HANGUL_T.match(last) or is_syllable) and _HANGUL_T.match(after))
