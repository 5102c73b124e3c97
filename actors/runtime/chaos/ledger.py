"""Ledger: what was injected, what came of it, and whether that is as promised; pure.

Times of one fault run from its injection: `detected_ms` to the news of the exit, `healed_ms` to the readiness of the last path
that it hit. `restart_ms` runs from the exit to readiness, without the back-off that the tree chose (`backoff_ms`): that is the
tree's own speed, and the same for a death and for a hang, which takes its bound of seconds to be noticed.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from .faults import RULES, FaultKind
from .plan import PlannedFault

RESTART_P50_MS, RESTART_P99_MS, HEALED_MAX_MS = 300.0, 2000.0, 5000.0
FLOOR_SHARE = 0.5


class Entry(Struct, frozen=True):
    """One fault of the plan; `happened` is whether it was injected. `problem` says what went wrong, empty where nothing did."""

    number: int
    kind: FaultKind
    paths: tuple[str, ...]
    at_s: float
    detected_ms: float | None = None
    healed_ms: float | None = None
    restart_ms: float | None = None
    backoff_ms: float = 0.0
    incarnations: dict[str, int] = {}
    problem: str = ""
    happened: bool = True


class Spread(Struct, frozen=True):
    """Some figures in short; None where there are none."""

    p50: float | None
    p99: float | None
    max: float | None


class KindRow(Struct, frozen=True):
    """The faults of one kind: how many were planned, must have been injected (`floor`), were injected, healed; how fast."""

    kind: FaultKind
    planned: int
    floor: int
    injected: int
    healed: int
    healed_ms: Spread
    restart_ms: Spread


class Asks(Struct, frozen=True):
    """The asks that were sent throughout: each ends as `answered`, `refused` (an error says why) or `unresolved`.

    `lost_with_kernel` are those whose connection ended because chaos killed the kernel.
    """

    sent: int = 0
    answered: int = 0
    refused: int = 0
    lost_with_kernel: int = 0
    unresolved: int = 0
    worst_ms: float = 0.0


def floors_of(plan: Iterable[PlannedFault]) -> dict[FaultKind, int]:
    """Give how many faults of each kind must have been injected at least: half of those that were planned, and one."""
    counts: dict[FaultKind, int] = {}
    for planned in plan:
        counts[planned.kind] = counts.get(planned.kind, 0) + 1
    return {kind: max(1, int(count * FLOOR_SHARE)) for kind, count in counts.items()}


def rows_of(plan: Sequence[PlannedFault], entries: Sequence[Entry]) -> tuple[KindRow, ...]:
    """Give a row for each kind of the plan, in the order of the table of kinds."""
    floors = floors_of(plan)
    rows = []
    for kind in RULES:
        if kind not in floors:
            continue
        mine = [entry for entry in entries if entry.kind == kind]
        rows.append(
            KindRow(
                kind,
                planned=sum(planned.kind == kind for planned in plan),
                floor=floors[kind],
                injected=sum(entry.happened for entry in mine),
                healed=sum(entry.healed_ms is not None and not entry.problem for entry in mine),
                healed_ms=spread_of(entry.healed_ms for entry in mine),
                restart_ms=spread_of(entry.restart_ms for entry in mine),
            )
        )
    return tuple(rows)


def problems_of(plan: Sequence[PlannedFault], entries: Sequence[Entry], *, was_cut_short: bool) -> tuple[str, ...]:
    """Say what is not as promised. A run that somebody cut short is not held against its floors, but must have hit something."""
    found = [f"fault {entry.number}, {_named(entry)}: {entry.problem}" for entry in entries if entry.problem]
    if not any(entry.happened for entry in entries):
        found.append("no fault was injected at all: such a run shows nothing")
    if not was_cut_short:
        found += [
            f"{row.kind}: {row.injected} injected, and {row.floor} is the floor"
            for row in rows_of(plan, entries)
            if row.injected < row.floor
        ]
    found += [
        f"fault {entry.number}, {_named(entry)}: healed after {entry.healed_ms:.0f} ms, and {HEALED_MAX_MS:.0f} is the most"
        for entry in entries
        if entry.healed_ms is not None and entry.healed_ms > HEALED_MAX_MS
    ]
    restarts = spread_of(entry.restart_ms for entry in entries if RULES[entry.kind].aims_at != "tree")
    if restarts.p50 is not None and restarts.p50 >= RESTART_P50_MS:
        found.append(f"the median restart took {restarts.p50:.0f} ms, and must take less than {RESTART_P50_MS:.0f}")
    if restarts.p99 is not None and restarts.p99 >= RESTART_P99_MS:
        found.append(f"99 % of the restarts took up to {restarts.p99:.0f} ms, and must take less than {RESTART_P99_MS:.0f}")
    return tuple(found)


def problems_of_asks(asks: Asks) -> tuple[str, ...]:
    """Say what is wrong with the asks: every one must end."""
    found = []
    if asks.unresolved:
        found.append(f"{asks.unresolved} of {asks.sent} asks did not end within their time")
    if asks.sent and not asks.answered:
        found.append(f"none of {asks.sent} asks was answered")
    return tuple(found)


def spread_of(figures: Iterable[float | None]) -> Spread:
    """Give median, 99th percentile and maximum of the figures that there are."""
    ordered = sorted(figure for figure in figures if figure is not None)
    if not ordered:
        return Spread(None, None, None)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99)]
    return Spread(at[0], at[1], ordered[-1])


def _named(entry: Entry) -> str:
    return f"{entry.kind} of {', '.join(entry.paths)}" if entry.paths else entry.kind
