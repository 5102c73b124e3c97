"""How quick are actors in one process? Symphony's against stock Pykka's, and beside them the peers that are installed.

Every round measures each metric on Pykka and on ours, one after the other and in turns, with the same actors and the same loops
(`workload`); a round's figure is the median of a few short repetitions, each with actors, and so threads, of its own. That takes
the edge off Pykka's two speeds (`verdict` says why it has two) and shows both within one run. Rounds go over all metrics rather
than a metric over all rounds, because a machine stays in one mood for seconds.

A tell is measured for some 50 ms and more: there are runs in which Pykka is twice as quick for its first 10 ms as it then stays.
Hence each system's own number of messages, and a rate.

A bar holds if the median of the rounds' ratios keeps it. Where the anchor's own spread (interquartile range over median of its
figures, one a round) is over 30 % and the bar held in some rounds but not in all, it counts as not measured, and the report says
which anchor it was. A bar that holds in every round, or is missed in every one, is measured however unsteady the anchor is.

xoscar and Thespian install with the dependency group `bench` and are measured where they can be imported; rows of theirs are for
information and have no bars. The idle crowd has bars of its own, no anchor, and a fresh process for each try.
"""

import importlib
import importlib.util
import os
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from msgspec import Struct

from .fresh_process import FreshProcess
from .idle_actors import IdleCost, idle_cost
from .peers import pykka_actors, symphony_actors
from .report import Bar, NotMeasuredError, Report, Row, at_most, below, not_measured
from .verdict import MOST_SPREAD, Promise, hold, ratios, spread
from .workload import Figure

DEFAULT_ROUNDS = 7
ANCHOR = pykka_actors.NAME
SHARED, PINNED, INLINE = "symphony shared", "symphony pinned", "symphony inline"
ASKS, RING, SPAWNS = 1_000, 1_000, 500
IDLE_ACTORS, IDLE_TRIES, IDLE_KB, IDLE_SPAWN_S = 100_000, 3, 2.5, 2.0
IDLE = f"{IDLE_ACTORS:,} idle actors"
IDLE_TIMEOUT_S, PEER_TIMEOUT_S = 300.0, 120.0
PEERS = ("xoscar", "thespian")


class Contest(Struct, frozen=True):
    """One metric: who is measured, by which call, and how often a round; the anchor is one of them."""

    metric: str
    unit: str
    repetitions: int
    entrants: dict[str, Callable[[], Figure]]


CONTESTS = (
    Contest(
        "tell",
        "msg/s",
        3,
        {
            ANCHOR: partial(pykka_actors.tell, 30_000),
            SHARED: partial(symphony_actors.tell, "shared", 100_000),
            PINNED: partial(symphony_actors.tell, "pinned", 100_000),
        },
    ),
    Contest(
        "ask",
        "us",
        3,
        {
            ANCHOR: partial(pykka_actors.ask, ASKS),
            INLINE: partial(symphony_actors.ask, "inline", ASKS),
            SHARED: partial(symphony_actors.ask, "shared", ASKS),
            PINNED: partial(symphony_actors.ask, "pinned", ASKS),
        },
    ),
    Contest(
        "actor asks actor",
        "us",
        3,
        {ANCHOR: partial(pykka_actors.actor_ask, ASKS), INLINE: partial(symphony_actors.actor_ask, ASKS)},
    ),
    Contest(
        f"ring of {RING}",
        "hops/s",
        1,
        {ANCHOR: partial(pykka_actors.ring, RING, 3), SHARED: partial(symphony_actors.ring, RING, 50)},
    ),
    Contest(
        "spawn",
        "actors/s",
        3,
        {ANCHOR: partial(pykka_actors.spawn, SPAWNS), SHARED: partial(symphony_actors.spawn, SPAWNS)},
    ),
)

PROMISES = {
    ("tell", SHARED): Promise("tell shared", 5, ANCHOR, at_least=True),
    ("tell", PINNED): Promise("tell pinned", 3, ANCHOR, at_least=True),
    ("ask", INLINE): Promise("ask inline", 0.15, ANCHOR, at_least=False),
    ("ask", SHARED): Promise("ask shared", 0.8, ANCHOR, at_least=False),
    ("ask", PINNED): Promise("ask pinned", 0.6, ANCHOR, at_least=False),
    ("actor asks actor", INLINE): Promise("actor asks actor", 0.15, ANCHOR, at_least=False),
    (f"ring of {RING}", SHARED): Promise(f"ring of {RING}", 20, ANCHOR, at_least=True),
    ("spawn", SHARED): Promise("spawn", 20, ANCHOR, at_least=True),
}

Figures = dict[tuple[str, str], list[Figure]]
"""For each metric and system, one figure a round."""


def measure(rounds: int) -> Report:
    """Measure everything. Raises `NotMeasuredError` where Pykka or Symphony gives no figure at all."""
    figures: Figures = defaultdict(list)
    notes = [f"load average before the run: {os.getloadavg()[0]:.2f}, on {os.cpu_count()} cores"]
    with ExitStack() as stack:
        peers = {name: stack.enter_context(FreshProcess(PEER_TIMEOUT_S)) for name in PEERS if _is_installed(name, notes)}
        for number in range(rounds):
            for contest in CONTESTS:
                for system, figure in one_round(contest, number).items():
                    figures[contest.metric, system].append(figure)
            for name in list(peers):
                try:
                    measured = peers[name].call(_measure_peer, name)
                except NotMeasuredError as error:
                    notes.append(f"{name} is left out from round {number + 1} on: {error}")
                    del peers[name]
                    continue
                for metric, figure in measured.items():
                    figures[metric, name].append(figure)
    idle_rows, idle_bars, idle_notes = _idle(min(rounds, IDLE_TRIES))
    bars = [hold(promise, _values(figures[key]), _values(figures[key[0], ANCHOR])) for key, promise in PROMISES.items()]
    return Report(
        "inprocess",
        rounds,
        (*rows_of(figures), *idle_rows),
        (*bars, *idle_bars),
        (*notes, *idle_notes, *unsteady_anchors(figures)),
    )


def one_round(contest: Contest, number: int) -> dict[str, Figure]:
    """Measure one metric on every entrant, by turns; who goes first changes with every turn. Raises `NotMeasuredError`."""
    systems = list(contest.entrants)
    tries: dict[str, list[Figure]] = {system: [] for system in systems}
    for repetition in range(contest.repetitions):
        first = (number + repetition) % len(systems)
        for system in (*systems[first:], *systems[:first]):
            try:
                tries[system].append(contest.entrants[system]())
            except Exception as error:  # whatever a measured system raises, it gave no figure, and no bar was missed
                raise NotMeasuredError(f"{contest.metric} of {system}: {type(error).__name__}: {error}") from error
    return {system: _median(figures) for system, figures in tries.items()}


def rows_of(figures: Figures) -> list[Row]:
    """Give a row for each metric and system; a peer that gave up on the way has the ratios of the rounds that it was in."""
    rows = []
    for contest in CONTESTS:
        anchor = _values(figures[contest.metric, ANCHOR])
        for (metric, system), measured in figures.items():
            if metric != contest.metric:
                continue
            figure, ours = _median(measured), _values(measured)
            ratio = None if system == ANCHOR else statistics.median(ratios(ours, anchor[: len(ours)]))
            versus = None if ratio is None else ANCHOR
            rows.append(Row(system, metric, contest.unit, figure.value, figure.p99, versus, ratio, _spread(ours)))
    return rows


def unsteady_anchors(figures: Figures) -> list[str]:
    """Say which anchors were unsteady, whether or not a verdict hung on them."""
    spreads = {contest.metric: spread(_values(figures[contest.metric, ANCHOR])) for contest in CONTESTS}
    return [
        f"{ANCHOR} was unsteady in {metric!r}: spread {found:.0%}" for metric, found in spreads.items() if found > MOST_SPREAD
    ]


def _idle(tries: int) -> tuple[list[Row], list[Bar], list[str]]:
    costs: list[IdleCost] = []
    try:
        for _ in range(tries):
            with FreshProcess(IDLE_TIMEOUT_S) as process:
                costs.append(process.call(idle_cost, IDLE_ACTORS))
    except NotMeasuredError as error:
        return [], [not_measured(bar, str(error)) for bar in _idle_bars(float("nan"), float("nan"))], []
    sizes, times = [cost.bytes_each / 1000 for cost in costs], [cost.spawned_s for cost in costs]
    size, took = statistics.median(sizes), statistics.median(times)
    rows = [
        Row(SHARED, f"{IDLE}, each", "kB", size, spread=_spread(sizes)),
        Row(SHARED, f"{IDLE}, spawned", "s", took, spread=_spread(times)),
    ]
    return rows, _idle_bars(size, took), [cost.trouble for cost in costs if cost.trouble is not None]


def _idle_bars(size: float, took: float) -> list[Bar]:
    return [at_most(f"{IDLE}, each", IDLE_KB, "kB", size), below(f"{IDLE}, spawned", IDLE_SPAWN_S, "s", took)]


def _is_installed(name: str, notes: list[str]) -> bool:
    found = importlib.util.find_spec(name) is not None
    if not found:
        notes.append(f"{name} is not installed, so not measured: it is in the dependency group `bench`")
    return found


def _measure_peer(name: str) -> dict[str, Figure]:
    measured: dict[str, Figure] = importlib.import_module(f".peers.{name}_actors", __package__).measure()
    return measured


def _median(figures: Sequence[Figure]) -> Figure:
    tails = [figure.p99 for figure in figures if figure.p99 is not None]
    return Figure(statistics.median(_values(figures)), statistics.median(tails) if tails else None)


def _spread(figures: Sequence[float]) -> float | None:
    """Give the spread, if there is more than one figure to tell it from."""
    return spread(figures) if len(figures) > 1 else None


def _values(figures: Sequence[Figure]) -> list[float]:
    return [figure.value for figure in figures]
