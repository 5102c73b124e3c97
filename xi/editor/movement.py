"""Cursor motion: what each movement makes of a region. Pure functions of the text and the height of the viewport.

Lines here are logical lines, which are the visual lines as long as nothing wraps.
"""

from collections.abc import Callable
from enum import Enum

from xi.editor import words
from xi.editor.graphemes import next_boundary, previous_boundary, snap
from xi.editor.selection import Region, Selection
from xi.rope.rope import Rope

_PAGE_OVERLAP = 2


class Movement(Enum):
    """The movements of the protocol, named by where they lead."""

    LEFT = "left"
    RIGHT = "right"
    LEFT_WORD = "left word"
    RIGHT_WORD = "right word"
    LINE_START = "line start"
    LINE_END = "line end"
    UP = "up"
    DOWN = "down"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    PARAGRAPH_START = "paragraph start"
    PARAGRAPH_END = "paragraph end"
    PARAGRAPH_KILL = "paragraph kill"
    DOCUMENT_START = "document start"
    DOCUMENT_END = "document end"


def offset_at(text: Rope, line: int, column: int) -> int:
    """Return the offset of a byte column, brought to a character's start and kept before the line's end; never fails."""
    start = text.offset_of_line(line)
    if line >= text.line_count - 1:
        return len(text) if start + column >= len(text) else snap(text, start + column)
    after = text.offset_of_line(line + 1)
    if start + column >= after:
        return previous_boundary(text, after) or 0
    return snap(text, start + column)


def moved(movement: Movement, selection: Selection, text: Rope, height: int, *, modify: bool) -> Selection:
    """Return the selection after `movement`; with `modify` the anchors stay. `height` is the viewport's, in lines."""
    return Selection.of(moved_region(movement, region, text, height, modify=modify) for region in selection.regions)


def moved_region(movement: Movement, region: Region, text: Rope, height: int, *, modify: bool) -> Region:
    """Return one region after `movement`."""
    if movement in _VERTICAL:
        lines = _VERTICAL[movement](height)
        offset, column = _vertical(region, text, lines, modify=modify)
    else:
        column = None
        if not modify and not region.is_caret and movement in (Movement.LEFT, Movement.RIGHT):
            offset = region.low if movement is Movement.LEFT else region.high
        else:
            offset = _HORIZONTAL[movement](text, region.end)
    return Region(region.start if modify else offset, offset, column)


def _vertical(region: Region, text: Rope, lines: int, *, modify: bool) -> tuple[int, int]:
    active = region.end if modify else region.low if lines < 0 else region.high
    line = text.line_of_offset(active)
    column = active - text.offset_of_line(line) if region.column is None else region.column
    if line + lines < 0:
        return 0, column
    if line + lines >= text.line_count:
        return len(text), column
    return offset_at(text, line + lines, column), column


def _page(height: int) -> int:
    return max(height - _PAGE_OVERLAP, 1)


def _left(text: Rope, offset: int) -> int:
    return previous_boundary(text, offset) or 0


def _right(text: Rope, offset: int) -> int:
    end = next_boundary(text, offset)
    return offset if end is None else end


def _left_word(text: Rope, offset: int) -> int:
    return words.previous_word_start(text, offset) or 0


def _right_word(text: Rope, offset: int) -> int:
    end = words.next_word_end(text, offset)
    return len(text) if end is None else end


def _line_start(text: Rope, offset: int) -> int:
    return text.offset_of_line(text.line_of_offset(offset))


def _line_end(text: Rope, offset: int) -> int:
    line = text.line_of_offset(offset)
    if line == text.line_count - 1:
        return len(text)
    return previous_boundary(text, text.offset_of_line(line + 1)) or 0


def _paragraph_start(text: Rope, offset: int) -> int:
    return text.offset_of_line(text.line_of_offset(offset - 1)) if offset else 0  # from a line's start, on to the one above


def _paragraph_kill(text: Rope, offset: int) -> int:
    end = _line_end(text, offset)
    return text.offset_of_line(text.line_of_offset(offset) + 1) if offset >= end else end


_VERTICAL: dict[Movement, Callable[[int], int]] = {
    Movement.UP: lambda _: -1,
    Movement.DOWN: lambda _: 1,
    Movement.PAGE_UP: lambda height: -_page(height),
    Movement.PAGE_DOWN: _page,
}

_HORIZONTAL: dict[Movement, Callable[[Rope, int], int]] = {
    Movement.LEFT: _left,
    Movement.RIGHT: _right,
    Movement.LEFT_WORD: _left_word,
    Movement.RIGHT_WORD: _right_word,
    Movement.LINE_START: _line_start,
    Movement.LINE_END: _line_end,
    Movement.PARAGRAPH_START: _paragraph_start,
    Movement.PARAGRAPH_END: _line_end,
    Movement.PARAGRAPH_KILL: _paragraph_kill,
    Movement.DOCUMENT_START: lambda _text, _offset: 0,
    Movement.DOCUMENT_END: lambda text, _offset: len(text),
}
