"""Printing: what a run is about to do, and the ledger of what it did, for people."""

from collections.abc import Iterator, Sequence

from actors.runtime.chaos.faults import RULES
from actors.runtime.chaos.ledger import Asks, Entry, KindRow, Spread
from actors.runtime.chaos.plan import Pace, PlannedFault
from actors.runtime.chaos.targets import Target

from .footprint import MIB, Footprint


def radius_lines(plan: Sequence[PlannedFault], pace: Pace, targets: Sequence[Target], left_out: dict[str, str]) -> Iterator[str]:
    """Say which nodes and actors a run will hit, by which faults, and for how long."""
    nodes = sorted({target.node for target in targets})
    actors = sorted({target.path for target in targets} - set(nodes))
    yield f"chaos with seed {pace.seed}: {len(plan)} faults in {pace.for_s:g} s, one every {pace.every_s:g} s"
    yield f"  nodes, each with all that runs in it: {', '.join(nodes)}"
    if actors:
        yield f"  actors in them: {', '.join(actors)}"
    for kind, rule in RULES.items():
        count = sum(planned.kind == kind for planned in plan)
        if count:
            yield f"  {count:3} x {kind}: {rule.summary}"
    for name, why in left_out.items():
        yield f"  not {name}: {why}"


def ledger_lines(
    entries: Sequence[Entry], rows: Sequence[KindRow], asks: Asks, before: Footprint, after: Footprint | None
) -> Iterator[str]:
    """Give the ledger: every fault, then each kind's figures, then what held throughout."""
    head = ("#", "at s", "kind", "paths", "detected ms", "healed ms", "restart ms", "back-off ms", "")
    yield from table(head, [_entry_cells(entry) for entry in entries])
    yield ""
    kinds = ("kind", "planned", "floor", "injected", "healed", "healed p50", "p99", "max ms", "restart p50", "p99", "max ms")
    yield from table(kinds, [_row_cells(row) for row in rows])
    yield ""
    yield _asks_line(asks)
    if after is not None:
        kernels, wardens = (before.kernel, after.kernel), (before.warden, after.warden)
        for name, (old, new) in (("kernel", kernels), ("warden", wardens)):
            yield f"{name}: {old.fds} -> {new.fds} descriptors, {old.rss / MIB:.1f} -> {new.rss / MIB:.1f} MiB"
        left = f"{len(after.orphans)} orphans, {len(after.zombies)} zombies"
        yield f"left: {left}, {before.processes} -> {after.processes} processes"


def _asks_line(asks: Asks) -> str:
    ended = f"{asks.answered} answered, {asks.refused} with an error"
    lost = f", {asks.lost_with_kernel} with the kernel" if asks.lost_with_kernel else ""
    return f"asks: {asks.sent} sent, {ended}{lost}, {asks.unresolved} never; the longest took {asks.worst_ms:.0f} ms"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give a plain table."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, ["-" * width for width in widths], *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _entry_cells(entry: Entry) -> tuple[str, ...]:
    times = (_ms(entry.detected_ms), _ms(entry.healed_ms), _ms(entry.restart_ms), _ms(entry.backoff_ms or None))
    return (str(entry.number), f"{entry.at_s:.1f}", entry.kind, " ".join(entry.paths) or "/", *times, entry.problem)


def _row_cells(row: KindRow) -> tuple[str, ...]:
    counts = (str(row.planned), str(row.floor), str(row.injected), str(row.healed))
    return (row.kind, *counts, *_spread(row.healed_ms), *_spread(row.restart_ms))


def _spread(spread: Spread) -> tuple[str, str, str]:
    return _ms(spread.p50), _ms(spread.p99), _ms(spread.max)


def _ms(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.0f}"
