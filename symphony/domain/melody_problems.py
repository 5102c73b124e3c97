"""What is wrong with a melody, gathered so that an author sees all of it at once, each with its file, line and key.

`tomllib` tells no lines of a text that it could read, so they are found again by looking for headers and keys at the start of a
line. Where that finds nothing, as within a list of inline tables, the line of the nearest thing around it is given, or none.
"""

import re
from collections.abc import Collection
from difflib import get_close_matches

HEADER = re.compile(r"\s*(\[\[?)\s*([\w-]+(?:\s*\.\s*[\w-]+)*)\s*\]")
KEY = re.compile(r"\s*([\w-]+(?:\s*\.\s*[\w-]+)*)\s*=(.*)", re.DOTALL)
MAX_COMPARISONS = 20_000


class Problems:
    """Every problem found in `source`, whose text is `text`."""

    def __init__(self, source: str, text: str) -> None:
        self._source = source
        self._lines = _lines_of_keys(text)
        self._comparisons_left = MAX_COMPARISONS
        self.found: list[str] = []

    def add(self, key: str, rule: str) -> None:
        """Note that the value at `key`, as in `steps[2].with.text` (counted from 0), breaks `rule`."""
        line = self._line_of(key)
        place = self._source if line is None else f"{self._source}:{line}"
        self.found.append(f"{place}: {key}: {rule}")

    def did_you_mean(self, word: str, known: Collection[str]) -> str:
        """Give `; did you mean "…"?` where a known word is near, else nothing."""
        # Comparing is slow: a file full of wrong names must still be answered within a second, so the last of them go without.
        self._comparisons_left -= len(known)
        near = get_close_matches(word, known, n=1) if self._comparisons_left >= 0 else []
        return f'; did you mean "{near[0]}"?' if near else ""

    def _line_of(self, key: str) -> int | None:
        while key:
            if key in self._lines:
                return self._lines[key]
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return None


def _lines_of_keys(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table, closing = "", ""
    for number, line in enumerate(text.split("\n"), start=1):
        if closing:
            closing = "" if closing in line else closing
        elif header := HEADER.match(line):
            table = _place_of(_dotted(header[2]), counts, is_array=header[1] == "[[")
            lines.setdefault(table, number)
        elif key := KEY.match(line):
            name = _dotted(key[1])
            lines.setdefault(f"{table}.{name}" if table else name, number)
            closing = next((quotes for quotes in ('"""', "'''") if key[2].count(quotes) % 2), "")
    return lines


def _place_of(name: str, counts: dict[str, int], *, is_array: bool) -> str:
    """Give a header's name with the number of each array of tables in it; `counts` are the latest numbers, which it moves on."""
    place = ""
    *above, last = name.split(".")
    for part in above:
        place = f"{place}.{part}" if place else part
        # A table under an array of tables belongs to the array's latest element.
        place += f"[{counts[place]}]" if place in counts else ""
    place = f"{place}.{last}" if place else last
    if is_array:
        counts[place] = counts.get(place, -1) + 1
    return f"{place}[{counts[place]}]" if place in counts else place


def _dotted(name: str) -> str:
    return re.sub(r"\s*\.\s*", ".", name)
