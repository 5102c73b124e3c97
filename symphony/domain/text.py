r"""Positions, spans and edits in a text: lines and columns count from 0, columns in code points.

A line ends with `\n`; every other character, `\r` included, is part of a line. A text always has a last line, which may be
empty, so that the end of a text is a position like any other.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

from msgspec import Struct

from symphony.domain.errors import InvalidRequestError


class Position(Struct, frozen=True, order=True):
    """A place between two characters."""

    line: int
    column: int


class Span(Struct, frozen=True):
    """The text between two positions; empty when they are equal."""

    start: Position
    end: Position


class Edit(Struct, frozen=True):
    """Replace the text of `span` by `text`."""

    span: Span
    text: str


def offset_of(text: str, position: Position) -> int:
    """Give the index of `position` in `text`, in code points.

    Raises `InvalidRequestError` where `text` has no such position.
    """
    start = 0
    for _ in range(position.line):
        newline = text.find("\n", start)
        if newline < 0:
            raise InvalidRequestError(f"line {position.line} is past the last line, {text.count(chr(10))}")
        start = newline + 1
    end = text.find("\n", start)
    length = (len(text) if end < 0 else end) - start
    if position.line < 0 or not 0 <= position.column <= length:
        raise InvalidRequestError(f"column {position.column} is outside line {position.line}, which has {length} characters")
    return start + position.column


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Give `text` after `edits`, applied one after the other, each to the result of the one before.

    Raises `InvalidRequestError` where an edit lies outside the text or its span ends before it starts.
    """
    for edit in edits:
        start, end = offset_of(text, edit.span.start), offset_of(text, edit.span.end)
        if end < start:
            raise InvalidRequestError(f"the span {edit.span} ends before it starts")
        text = text[:start] + edit.text + text[end:]
    return text


def edits_between(before: str, after: str) -> tuple[Edit, ...]:
    """Give the edits, by whole lines and last one first, that turn `before` into `after`.

    Last one first, so that each edit's positions are right both in `before` and at the time it is applied.
    """
    old, new = before.split("\n"), after.split("\n")
    edits = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, old_start, old_end, new_start, new_end in reversed(matcher.get_opcodes()):
        if tag != "equal":
            edits.append(_line_edit(old, old_start, old_end, new[new_start:new_end]))
    return tuple(edits)


def _line_edit(old: list[str], start: int, end: int, replacement: list[str]) -> Edit:
    """Replace lines `start` to `end` of `old`; the newline that joins them to a neighbour goes with them."""
    if end < len(old):
        return Edit(Span(Position(start, 0), Position(end, 0)), "".join(line + "\n" for line in replacement))
    last = Position(len(old) - 1, len(old[-1]))
    if start == 0:
        return Edit(Span(Position(0, 0), last), "\n".join(replacement))
    before = Position(start - 1, len(old[start - 1]))
    return Edit(Span(before, last), "".join("\n" + line for line in replacement))
