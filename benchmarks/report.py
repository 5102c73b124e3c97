"""Report: what a benchmark measured and which bars held, as a table for people or one JSON document for programs."""

import statistics
from collections.abc import Sequence

import msgspec
from msgspec import Struct


class Row(Struct, frozen=True):
    """One figure of one system. `versus` and `ratio` compare it with an anchor of the same run."""

    system: str
    metric: str
    unit: str
    median: float
    p99: float | None = None
    versus: str | None = None
    ratio: float | None = None


class Bar(Struct, frozen=True):
    """One promise, the figure it was held against, and whether it holds."""

    metric: str
    bar: str
    measured: float
    holds: bool


class Report(Struct, frozen=True, rename={"schema_": "schema"}):
    """One run of one benchmark."""

    name: str
    rounds: int
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    schema_: str = "symphony.bench/1"

    @property
    def all_hold(self) -> bool:
        """Whether every bar holds."""
        return all(bar.holds for bar in self.bars)

    def as_json(self) -> str:
        """Give the report as one document."""
        return msgspec.json.encode(self).decode()

    def as_text(self) -> str:
        """Give the report as two tables."""
        rows: list[tuple[str, ...]] = [("system", "metric", "median", "p99", "unit", "against")]
        for row in self.rows:
            against = "" if row.versus is None else f"{row.ratio:.2f}x {row.versus}"
            rows.append(
                (row.system, row.metric, f"{row.median:.3g}", "" if row.p99 is None else f"{row.p99:.3g}", row.unit, against)
            )
        bars: list[tuple[str, ...]] = [("bar", "promised", "measured", "holds")]
        bars += [(bar.metric, bar.bar, f"{bar.measured:.3g}", "yes" if bar.holds else "NO") for bar in self.bars]
        return f"{self.name}, {self.rounds} rounds\n\n{_table(rows)}\n\n{_table(bars)}"


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


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
