"""What pointing with a mouse selects: units of text, single, added to the others, or stretched from where the last began."""

from xi.editor.movement import offset_at
from xi.editor.selection import Region, Selection
from xi.editor.words import word_at
from xi.protocol.methods import Granularity, Select, SelectExtend
from xi.rope.interval import Interval
from xi.rope.rope import Rope


def pointed(text: Rope, selection: Selection, line: int, column: int, kind: Select | SelectExtend) -> tuple[Selection, bool]:
    """Return the selection after a gesture at `line` and byte `column`, and whether to bring its last cursor into view."""
    offset = offset_at(text, line, column)
    if isinstance(kind, SelectExtend):
        return _extended(text, selection, offset, kind.granularity), True
    unit = _unit(text, offset, kind.granularity)
    region = Region(unit.start, unit.end)
    if not kind.multi:
        return Selection.of([region]), True
    if kind.granularity == "point":
        return _toggled(selection, offset), False
    return Selection.of([*selection.regions, region]), True


def _toggled(selection: Selection, offset: int) -> Selection:
    """Add a caret, or take away what is already there, unless nothing else would be left."""
    there = selection.touching(offset, offset)
    rest = [region for region in selection.regions if region not in there]
    if there and rest:
        return Selection.of(rest)
    return Selection.of([*selection.regions, Region(offset, offset)])


def _extended(text: Rope, selection: Selection, offset: int, granularity: Granularity) -> Selection:
    *rest, last = selection.regions
    anchor = _unit(text, last.start, granularity)
    unit = _unit(text, offset, granularity)
    if offset < last.start:
        region = Region(anchor.end, min(unit.start, anchor.start))
    else:
        region = Region(anchor.start, max(unit.end, anchor.end))
    return Selection.of([*rest, region])


def _unit(text: Rope, offset: int, granularity: Granularity) -> Interval:
    match granularity:
        case "point":
            return Interval(offset, offset)
        case "word":
            return word_at(text, offset)
        case "line":
            line = text.line_of_offset(offset)
            return Interval(text.offset_of_line(line), text.offset_of_line(line + 1))
