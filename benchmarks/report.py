"""Report: what a benchmark measured and which bars held, as a table for people or one JSON document for programs."""

import math
import statistics
from collections.abc import Sequence

import msgspec
from msgspec import Struct

HOLDS, FAILS, NOT_MEASURED = 0, 1, 2


class NotMeasuredError(Exception):
    """A figure could not be had. The message says which, and why; it is nobody's bar that failed."""


class Row(Struct, frozen=True):
    """One figure of one system. `versus` and `ratio` compare it with an anchor of the same run.

    `spread` is how unsteady the figure was from round to round: its interquartile range as a share of its median.
    """

    system: str
    metric: str
    unit: str
    median: float
    p99: float | None = None
    versus: str | None = None
    ratio: float | None = None
    spread: float | None = None


class Bar(Struct, frozen=True):
    """One promise, the figure it was held against, and whether it holds.

    `unmeasured` says why nothing can be said; then `holds` is false, and `measured` is null in JSON where there is no figure.
    """

    metric: str
    bar: str
    measured: float
    holds: bool
    unmeasured: str | None = None


class Report(Struct, frozen=True, rename={"schema_": "schema"}):
    """One run of one benchmark. `notes` say what a reader should know of this run."""

    name: str
    rounds: int
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    notes: tuple[str, ...] = ()
    schema_: str = "symphony.bench/1"

    @property
    def all_hold(self) -> bool:
        """Whether every bar holds."""
        return all(bar.holds for bar in self.bars)

    @property
    def exit_code(self) -> int:
        """0 when every bar holds, 1 when one does not, 2 when none was missed but one could not be measured."""
        if any(not bar.holds and bar.unmeasured is None for bar in self.bars):
            return FAILS
        return HOLDS if self.all_hold else NOT_MEASURED

    def as_json(self) -> str:
        """Give the report as one document."""
        return msgspec.json.encode(self).decode()

    def as_text(self) -> str:
        """Give the report as two tables, and what there is to say about them."""
        rows: list[tuple[str, ...]] = [("system", "metric", "median", "p99", "unit", "spread", "against")]
        rows += [_cells(row) for row in self.rows]
        bars: list[tuple[str, ...]] = [("bar", "promised", "measured", "holds")]
        bars += [
            (bar.metric, bar.bar, "" if math.isnan(bar.measured) else f"{bar.measured:.3g}", _verdict(bar)) for bar in self.bars
        ]
        said = [f"{bar.metric}: not measured: {bar.unmeasured}" for bar in self.bars if bar.unmeasured is not None]
        lines = "\n".join([*said, *self.notes])
        return f"{self.name}, {self.rounds} rounds\n\n{_table(rows)}\n\n{_table(bars)}" + (f"\n\n{lines}" if lines else "")


def row_of(
    system: str, metric: str, unit: str, figures: Sequence[float], anchor: tuple[str, Sequence[float]] | None = None
) -> Row:
    """Give the row of many figures, with the ratio of the medians where there is an anchor."""
    median = statistics.median(figures)
    versus, ratio = (None, None) if anchor is None else (anchor[0], median / statistics.median(anchor[1]))
    return Row(system, metric, unit, median, percentile(figures, 99), versus, ratio)


def percentile(figures: Sequence[float], share: float) -> float:
    """Give the figure that `share` per cent of the figures do not exceed."""
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


def at_most(metric: str, limit: float, unit: str, measured: float) -> Bar:
    """Give a bar that a figure must not pass."""
    return Bar(metric, f"<= {limit:g} {unit}", measured, measured <= limit)


def below(metric: str, limit: float, unit: str, measured: float) -> Bar:
    """Give a bar that a figure must stay under."""
    return Bar(metric, f"< {limit:g} {unit}", measured, measured < limit)


def not_measured(bar: Bar, reason: str) -> Bar:
    """Give the same bar as one that nothing can be said about."""
    return msgspec.structs.replace(bar, holds=False, unmeasured=reason)


def _cells(row: Row) -> tuple[str, ...]:
    against = "" if row.versus is None or row.ratio is None else f"{row.ratio:.2f}x {row.versus}"
    p99 = "" if row.p99 is None else f"{row.p99:.3g}"
    spread = "" if row.spread is None else f"{row.spread:.0%}"
    return row.system, row.metric, f"{row.median:.3g}", p99, row.unit, spread, against


def _verdict(bar: Bar) -> str:
    if bar.unmeasured is not None:
        return "not measured"
    return "yes" if bar.holds else "NO"


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
