"""The frontend's half of `update`: a mirror of the lines that the core has sent.

Lines far from the viewport are invalid: the frontend knows that they exist, not what they say. A file of 150,000 lines has some
2,000 valid ones, so the mirror is a row of runs, and an update costs what it changes and not what the file holds.

For one thread. An update that does not fit the mirror raises `LineCacheError` and changes nothing.
"""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET

from xi.protocol.updates import COPY, INS, SKIP, UPDATE, Annotation, Op, Update


class LineCacheError(ValueError):
    """An update that does not fit: the two sides no longer agree, and the view must be opened anew."""


class CachedLine(msgspec.Struct, frozen=True, gc=False):
    """A valid line. `number` counts logical lines from 1 and is None on the further rows of a wrapped line."""

    text: str
    styles: tuple[int, ...]
    cursor: tuple[int, ...]
    number: int | None


class _Run(msgspec.Struct, frozen=True):
    """`n` lines: invalid when `lines` is None; else the first has the number `first`, and the others follow on."""

    n: int
    lines: list[CachedLine] | None = None
    first: int = 1


class LineCache:
    """The lines of one view; starts as a view starts, with none."""

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._is_pristine = True
        self._annotations: list[Annotation] = []

    def __len__(self) -> int:
        """Return the number of lines in the document, valid or not."""
        return sum(run.n for run in self._runs)

    @property
    def is_pristine(self) -> bool:
        """Whether the text was the one on disk at the last update."""
        return self._is_pristine

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """Those of the last update."""
        return tuple(self._annotations)

    def line(self, index: int) -> CachedLine | None:
        """Return line `index`, counted from 0, or None when it is invalid; raises IndexError when there is none."""
        for line in self.lines(index, index + 1):
            return line
        raise IndexError(f"no line {index} in a view of {len(self)} lines")

    def lines(self, start: int, end: int) -> Iterator[CachedLine | None]:
        """Yield the lines `[start, end)` as far as there are any; None for an invalid one."""
        for run in _cut(self._runs, start, end):
            if run.lines is None:
                yield from (None for _ in range(run.n))
            else:
                yield from _numbered(run)

    def apply(self, update: Update) -> None:
        """Take over what an `update` says; raises LineCacheError when it does not fit."""
        position, size = 0, len(self)
        runs: list[_Run] = []
        for op in update.ops:
            if op.n < 0:
                raise LineCacheError(f"{op.op} of {op.n} lines")
            reads = op.op in (COPY, SKIP, UPDATE)
            if reads and position + op.n > size:
                raise LineCacheError(f"{op.op} of lines {position} to {position + op.n} where there are {size}")
            if op.op in (INS, UPDATE) and (op.lines is UNSET or len(op.lines) != op.n):
                raise LineCacheError(f"{op.op} of {op.n} lines with another number of lines in it")
            _append(runs, self._made_by(op, position))
            position += op.n if reads else 0
        self._runs = runs
        self._is_pristine = update.pristine
        self._annotations = update.annotations

    def _made_by(self, op: Op, position: int) -> list[_Run]:
        match op.op:
            case "copy":
                return _renumbered(_cut(self._runs, position, position + op.n), None if op.ln is UNSET else op.ln)
            case "invalidate":
                return [_Run(op.n)]
            case "ins":
                return [_inserted(op)]
            case "update":
                return _updated(op, list(self.lines(position, position + op.n)))
            case "skip":
                return []


def _cut(runs: list[_Run], start: int, end: int) -> list[_Run]:
    cut: list[_Run] = []
    position = 0
    for run in runs:
        if position >= end:
            break
        low, high = max(start - position, 0), min(end - position, run.n)
        if low < high:
            cut.append(run if high - low == run.n else _piece(run, low, high))
        position += run.n
    return cut


def _piece(run: _Run, low: int, high: int) -> _Run:
    if run.lines is None:
        return _Run(high - low)
    skipped = sum(line.number is not None for line in run.lines[1 : low + 1]) if low else 0
    return _Run(high - low, run.lines[low:high], run.first + skipped)


def _numbered(run: _Run) -> Iterator[CachedLine]:
    number = run.first
    for index, line in enumerate(run.lines or ()):
        if line.number is None:
            yield line
        else:
            number += index > 0
            yield line if line.number == number else CachedLine(line.text, line.styles, line.cursor, number)


def _renumbered(runs: list[_Run], first: int | None) -> list[_Run]:
    """Number runs on from `first`; across invalid lines that is a guess until they are sent, and the core then says better."""
    if first is None:
        return runs
    renumbered = []
    for run in runs:
        renumbered.append(_Run(run.n, run.lines, first))
        lines = run.lines
        first += run.n if lines is None else sum(line.number is not None for line in lines)
    return renumbered


def _inserted(op: Op) -> _Run:
    made: list[CachedLine] = []
    first = 1
    for line in () if op.lines is UNSET else op.lines:
        if line.text is UNSET:
            raise LineCacheError("ins of a line without text")
        number = None if line.ln is UNSET else line.ln
        if not made and number is not None:
            first = number
        styles = () if line.styles is UNSET else tuple(line.styles)
        made.append(CachedLine(line.text, styles, () if line.cursor is UNSET else tuple(line.cursor), number))
    return _Run(op.n, made, first)


def _updated(op: Op, old: list[CachedLine | None]) -> list[_Run]:
    runs: list[_Run] = []
    for before, line in zip(old, () if op.lines is UNSET else op.lines, strict=True):
        if before is None:
            _append(runs, [_Run(1)])
            continue
        styles = before.styles if line.styles is UNSET else tuple(line.styles)
        number = before.number if line.ln is UNSET else line.ln
        after = CachedLine(before.text, styles, () if line.cursor is UNSET else tuple(line.cursor), number)
        _append(runs, [_Run(1, [after], number or 1)])
    return runs


def _append(runs: list[_Run], new: list[_Run]) -> None:
    """Append, joining like with like where the numbering goes on; else single-line updates would leave confetti."""
    for run in new:
        if not run.n:
            continue
        last = runs[-1] if runs else None
        if last is not None and last.lines is None and run.lines is None:
            runs[-1] = _Run(last.n + run.n)
        elif last is not None and last.lines and run.lines and run.lines[0].number is not None and _next(last) == run.first:
            runs[-1] = _Run(last.n + run.n, last.lines + run.lines, last.first)
        else:
            runs.append(run)


def _next(run: _Run) -> int:
    return run.first + sum(line.number is not None for line in (run.lines or ())[1:]) + 1
