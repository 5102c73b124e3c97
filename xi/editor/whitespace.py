"""What a text says by itself about its line endings and its indentation, as the `autodetect_whitespace` setting wants.

Only the first 1,000 lines are looked at: a text that changes its mind later is no reason to read 10 MB on opening it.
"""

import re
from collections import Counter
from math import gcd

from xi.editor.config import Table
from xi.rope.rope import Rope

_LINES = 1000
_SMALLEST = 4
_INDENT = re.compile(rb"^([ \t]+)[^\s]", re.MULTILINE)


def detected(text: Rope) -> Table:
    """Return the settings that the text shows; none for a text that shows nothing, or shows two things at once."""
    sample = text.slice(0, text.offset_of_line(_LINES))
    return _line_ending(sample) | _indentation(sample)


def _line_ending(sample: bytes) -> Table:
    all_feeds, with_return = sample.count(b"\n"), sample.count(b"\r\n")
    if not all_feeds or 0 < with_return < all_feeds:
        return {}
    return {"line_ending": "\r\n" if with_return else "\n"}


def _indentation(sample: bytes) -> Table:
    indents = [match.group(1) for match in _INDENT.finditer(sample)]
    tabs = sum(indent.startswith(b"\t") for indent in indents)
    spaces = Counter(len(indent) for indent in indents if not indent.strip(b" ") and len(indent) > 1)
    if tabs and tabs >= spaces.total():
        return {"translate_tabs_to_spaces": False}
    if not spaces:
        return {}
    size = gcd(*sorted(spaces)[:_SMALLEST])
    return {"translate_tabs_to_spaces": True, "tab_size": size} if 1 < size <= 32 else {"translate_tabs_to_spaces": True}
