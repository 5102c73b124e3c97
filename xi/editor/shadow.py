"""The core's shadow of the frontend's line cache: which lines the frontend holds, where, and what about them is still true.

Kept as spans of lines, never line by line: an edit in a file of 150,000 lines handles some ten spans. Lines in and beside the
viewport are rendered, lines within `KEPT` of it are kept if they are true, and lines farther away are given up, so that neither
side grows without bound.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

TEXT: Final = 1
STYLES: Final = 2
CURSOR: Final = 4
ALL: Final = TEXT | STYLES | CURSOR

SLOP: Final = 2
KEPT: Final = 1000


class Tactic(Enum):
    """What to do about a line that is not known to be true at the frontend."""

    DISCARD = "discard"
    PRESERVE = "preserve"
    RENDER = "render"


class Span(NamedTuple):
    """`n` lines of the view; at the frontend they begin at line `start`, unless `valid` is 0."""

    n: int
    start: int
    valid: int


class Segment(NamedTuple):
    """`n` lines that share span and tactic; `line` counts in the view of now, `start` at the frontend."""

    n: int
    line: int
    start: int
    valid: int
    tactic: Tactic


Plan = list[tuple[int, Tactic]]


class Spans:
    """A row of spans under construction, joining those that go on from one another."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def add(self, n: int, start: int, valid: int) -> None:
        """Add `n` lines, which may be none."""
        if n <= 0:
            return
        if self.spans:
            last = self.spans[-1]
            if last.valid == valid and (not valid or last.start + last.n == start):
                self.spans[-1] = Span(last.n + n, last.start, valid)
                return
        self.spans.append(Span(n, start, valid))


class Shadow:
    """The spans of one view; `is_dirty` says that the frontend is behind. Starts with one line, unknown to the frontend."""

    def __init__(self, line_count: int = 1) -> None:
        self.spans = [Span(line_count, 0, 0)]
        self.is_dirty = True

    def edit(self, start: int, end: int, new: int) -> None:
        """Say that the lines `[start, end)` have become `new` lines, unknown to the frontend."""
        built = Spans()
        line = 0
        for span in self.spans:  # what lies before
            if line >= start:
                break
            built.add(min(span.n, start - line), span.start, span.valid)
            line += span.n
        built.add(new, 0, 0)
        line = 0
        for span in self.spans:  # what lies behind
            after = line + span.n
            if after > end:
                offset = max(end - line, 0)
                built.add(span.n - offset, span.start + offset, span.valid)
            line = after
        self.spans = built.spans
        self.is_dirty = True

    def invalidate(self, start: int, end: int, what: int) -> None:
        """Say that of the lines `[start, end)`, `what` is no longer true."""
        built = Spans()
        line = 0
        touched = False
        for span in self.spans:
            low, high = max(start - line, 0), min(end - line, span.n)
            if low < high and span.valid & what:
                built.add(low, span.start, span.valid)
                built.add(high - low, span.start + low, span.valid & ~what)
                built.add(span.n - high, span.start + high, span.valid)
                touched = True
            else:
                built.add(span.n, span.start, span.valid)
            line += span.n
        if touched:
            self.spans = built.spans
            self.is_dirty = True

    def sent(self, spans: Spans) -> None:
        """Take over what the frontend holds after an update."""
        self.spans = spans.spans
        self.is_dirty = False

    def needs_render(self, plan: Plan) -> bool:
        """Whether an update by `plan` would be more than a copy of everything."""
        return self.is_dirty or any(segment.tactic is Tactic.RENDER and segment.valid != ALL for segment in self.segments(plan))

    def segments(self, plan: Plan) -> Iterator[Segment]:
        """Yield the view's lines cut where either a span or a tactic ends."""
        spans = iter(self.spans)
        span, span_line = next(spans, None), 0
        line = 0
        for n, tactic in plan:
            end = line + n
            while span is not None and line < end:
                stop = min(end, span_line + span.n)
                yield Segment(stop - line, line, span.start + line - span_line, span.valid, tactic)
                line = stop
                if stop == span_line + span.n:
                    span, span_line = next(spans, None), stop


def plan(line_count: int, first: int, height: int) -> Plan:
    """Return the tactics for a viewport of `height` lines from `first` in a view of `line_count` lines."""
    first = min(first, line_count)
    last = first + height
    ends = (
        (first - KEPT, Tactic.DISCARD),
        (first - SLOP, Tactic.PRESERVE),
        (last + SLOP, Tactic.RENDER),
        (last + KEPT, Tactic.PRESERVE),
        (line_count, Tactic.DISCARD),
    )
    made: Plan = []
    line = 0
    for end, tactic in ends:
        stop = min(end, line_count)
        if stop > line:
            made.append((stop - line, tactic))
            line = stop
    return made


def with_requested(made: Plan, start: int, end: int) -> Plan:
    """Return the plan in which the lines `[start, end)`, as far as there are any, are rendered too."""
    result: Plan = []
    line = 0
    for n, tactic in made:
        low, high = min(max(start - line, 0), n), max(min(end - line, n), 0)
        if low < high:
            result += [(size, what) for size, what in ((low, tactic), (high - low, Tactic.RENDER), (n - high, tactic)) if size]
        else:
            result.append((n, tactic))
        line += n
    return result
