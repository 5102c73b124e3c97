"""A view: what one frontend window shows of a buffer, namely selection, viewport and the shadow of its line cache.

A view answers two questions: where are the cursors now, and what must the frontend be told so that its lines are those of now.
Visual lines are logical lines: nothing wraps.
"""

from msgspec import UNSET

from xi.editor import shadow
from xi.editor.buffer import Buffer
from xi.editor.graphemes import snap
from xi.editor.history import Change
from xi.editor.selection import Drift, Selection
from xi.editor.shadow import Shadow, Tactic
from xi.protocol.updates import COPY, INS, INVALIDATE, SKIP, UPDATE, Annotation, Line, Op, Update
from xi.rope.rope import Rope

_FIRST_HEIGHT = 10  # what xi-core assumes until the frontend scrolls
_FEW_REGIONS = 8
_SELECTED = 0  # the style id that the protocol reserves


class View:
    """One view of one buffer; for one thread."""

    def __init__(self, view_id: str, buffer: Buffer) -> None:
        """Begin with a caret at the start, and a frontend that knows no line."""
        self.view_id = view_id
        self.buffer = buffer
        self._selection = Selection.caret(0)
        self._first_line = 0
        self._height = _FIRST_HEIGHT
        self._shadow = Shadow(buffer.text.line_count)
        self._scroll_to: int | None = 0

    @property
    def text(self) -> Rope:
        """The text of now."""
        return self.buffer.text

    @property
    def selection(self) -> Selection:
        """Where the cursors are."""
        return self._selection

    @property
    def height(self) -> int:
        """Height of the viewport in lines."""
        return self._height

    def select(self, selection: Selection, *, scroll: bool = True) -> None:
        """Take a new selection, and bring its last cursor into the viewport unless told not to."""
        self._invalidate_selection()
        self._selection = selection
        self._invalidate_selection()
        if scroll:
            self._bring_into_view()

    def scroll(self, first: int, last: int) -> None:
        """Set the viewport to the lines `[first, last)`; negative counts as 0, and an upside-down range is empty."""
        self._first_line = max(first, 0)
        self._height = max(max(last, 0) - self._first_line, 0)

    def after_change(self, change: Change, drift: Drift = Drift.BEFORE) -> None:
        """Follow a change of the text: cursors move with it, and the lines it touched are unknown to the frontend."""
        before, after = change.before.text, change.after.text
        old, size = change.delta.hull()
        first = before.line_of_offset(old.start)
        last = before.line_of_offset(old.end)
        self._shadow.edit(first, last + 1, after.line_of_offset(old.start + size) + 1 - first)
        # Lines that the change did not touch look as before, cursors and all: those moved with them.
        self._selection = self._selection.after(change.delta, drift)
        self._bring_into_view()

    def recover(self) -> None:
        """Begin anew on the text of now, after a command of ours has failed halfway."""
        self._shadow = Shadow(self.text.line_count)
        self._selection = Selection.caret(snap(self.text, self._cursor()))
        self._bring_into_view()

    def take_scroll_target(self) -> tuple[int, int] | None:
        """Return line and byte column that the frontend should show, once after each placing of the cursor."""
        offset, self._scroll_to = self._scroll_to, None
        return None if offset is None else self.line_column(offset)

    def line_column(self, offset: int) -> tuple[int, int]:
        """Return the line and the byte column of `offset`."""
        line = self.text.line_of_offset(offset)
        return line, offset - self.text.offset_of_line(line)

    def render(self, requested: tuple[int, int] | None = None) -> Update:
        """Return the update that brings the frontend up to date; `requested` lines are rendered wherever they are."""
        made = shadow.plan(self.text.line_count, self._first_line, self._height)
        if requested is not None:
            made = shadow.with_requested(made, max(requested[0], 0), requested[1])
        ops = self._ops(made) if self._shadow.needs_render(made) else [Op(COPY, self.text.line_count, ln=1)]
        return Update(ops, self.buffer.is_pristine, [self._selection_annotation()])

    def _ops(self, made: shadow.Plan) -> list[Op]:
        ops: list[Op] = []
        spans = shadow.Spans()
        position = 0  # how far the old cache has been read
        for n, line, start, valid, tactic in self._shadow.segments(made):
            has_lines = valid & (shadow.TEXT | shadow.STYLES) == shadow.TEXT | shadow.STYLES
            if tactic is Tactic.DISCARD or (tactic is Tactic.PRESERVE and not has_lines):
                ops.append(Op(INVALIDATE, n))
                spans.add(n, 0, 0)
            elif not has_lines:
                ops.append(Op(INS, n, self._lines(line, n)))
                spans.add(n, line, shadow.ALL)
            else:
                if start > position:
                    ops.append(Op(SKIP, start - position))
                position = start + n
                if valid & shadow.CURSOR:
                    ops.append(Op(COPY, n, ln=line + 1))
                    spans.add(n, line, valid)
                else:
                    ops.append(Op(UPDATE, n, self._cursors(line, n)))
                    # As in xi-core, a line keeps its stale mark and is sent again; but there in the viewport too, where a cursor
                    # moved down a page would leave a page of such lines. Outside it, frontends written for xi may count on it.
                    spans.add(n, line, shadow.ALL if tactic is Tactic.RENDER else valid)
        self._shadow.sent(spans)
        return ops

    def _lines(self, first: int, n: int) -> list[Line]:
        text = self.text
        start = text.offset_of_line(first)
        end = text.offset_of_line(first + n)
        rows = text.slice(start, end).split(b"\n", n)
        regions = self._selection.touching(start, end)
        last_line = text.line_count - 1
        lines: list[Line] = []
        for number, row in enumerate(rows[:n], first):
            is_last = number == last_line
            after = start + len(row) + (not is_last)
            chars = row.decode() if is_last else row.decode() + "\n"
            cursors: list[int] = []
            styles: list[int] = []
            end_of_span = 0
            for region in regions:
                if start <= region.end and (region.end < after or is_last):
                    cursors.append(region.end - start)
                low, high = max(region.low, start) - start, min(region.high, after) - start
                if low < high:
                    styles += (low - end_of_span, high - low, _SELECTED)
                    end_of_span = high
            lines.append(Line(chars, styles, cursors or UNSET, number + 1))
            start = after
        return lines

    def _cursors(self, first: int, n: int) -> list[Line]:
        text = self.text
        starts = [text.offset_of_line(first)]
        if n > 1:
            rows = text.slice(starts[0], text.offset_of_line(first + n)).split(b"\n", n)
            for row in rows[: n - 1]:
                starts.append(starts[-1] + len(row) + 1)
        starts.append(text.offset_of_line(first + n) if first + n < text.line_count else len(text) + 1)
        regions = self._selection.touching(starts[0], starts[-1])
        lines: list[Line] = []
        for index in range(n):
            low, high = starts[index], starts[index + 1]
            cursors = [region.end - low for region in regions if low <= region.end < high]
            lines.append(Line(cursor=cursors or UNSET, ln=first + index + 1))
        return lines

    def _selection_annotation(self) -> Annotation:
        text = self.text
        low = text.offset_of_line(self._first_line)
        high = text.offset_of_line(self._first_line + self._height + shadow.SLOP)
        ranges = []
        for region in self._selection.touching(low, high):
            start = self.line_column(region.low)
            ranges.append((*start, *(start if region.is_caret else self.line_column(region.high))))
        return Annotation("selection", ranges, None, len(ranges))

    def _cursor(self) -> int:
        return self._selection.regions[-1].end

    def _bring_into_view(self) -> None:
        offset = self._cursor()
        line = self.text.line_of_offset(offset)
        if line < self._first_line:
            self._first_line = line
        elif line >= self._first_line + self._height:
            self._first_line = line - max(self._height - 1, 0)
        self._scroll_to = offset

    def _invalidate_selection(self) -> None:
        text, regions = self.text, self._selection.regions
        what = shadow.CURSOR if self._selection.is_all_carets else shadow.CURSOR | shadow.STYLES
        if len(regions) > _FEW_REGIONS:  # a walk over the spans for each region would be quadratic
            self._shadow.invalidate(text.line_of_offset(regions[0].low), text.line_of_offset(regions[-1].high) + 1, what)
            return
        for region in regions:
            low = text.line_of_offset(region.low)
            high = low if region.is_caret else text.line_of_offset(region.high)
            self._shadow.invalidate(low, high + 1, what)
