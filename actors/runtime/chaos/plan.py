"""Plan: from targets, a pace and a seed to a list of faults; pure, so that a seed gives the same faults again.

Kinds come in rounds, each a shuffle of all of them, so that a short run has as many kinds as it has faults; targets are drawn
from those that were hit least. A target is left alone until it can have healed. A plan never uses up a restart limit: what the
limits of the tree cannot bear is refused, with the limit that forbids it and a pace that is borne.

Each limit is kept over its period and SLACK_S more, because a restart comes some seconds after the fault that caused it: two
faults that lie just further apart than the period may cause restarts that lie closer.
"""

import random
from collections.abc import Sequence

from msgspec import Struct

from ..address import ROOT
from .faults import RULES, FaultKind
from .targets import Counter, Target

SLACK_S = 5.0
HEAL_S = 1.0
"""How long a target is left alone after a fault of its has been noticed."""
KERNEL_HEAL_S = 5.0
MOST_IN_BATCH = 3
SLOWER = (1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 20.0)
KERNEL_LIMIT = Counter("the warden gives up after more than 3 deaths of the kernel in 60 s", 3, 60.0)


class PlanError(Exception):
    """No such plan can be made: the text says which limit forbids it, and what would be possible."""


class Pace(Struct, frozen=True):
    """What to plan: a fault every so many seconds, for so long, of these kinds. Times are in seconds."""

    every_s: float
    for_s: float
    seed: int
    kinds: tuple[FaultKind, ...]


class PlannedFault(Struct, frozen=True):
    """One fault: when, counted from the start of the run, and to whom. `paths` is empty for one that hits the tree as a whole."""

    number: int
    at_s: float
    kind: FaultKind
    paths: tuple[str, ...] = ()


def plan_faults(targets: Sequence[Target], pace: Pace) -> tuple[PlannedFault, ...]:
    """Give the faults of a run. Raises `PlanError` where there would be none, or too many for the limits or for healing."""
    kinds = tuple(kind for kind in pace.kinds if RULES[kind].aims_at == "tree" or any(kind in target.kinds for target in targets))
    if not kinds:
        raise PlanError("there is nothing to do: no kind of fault has a target")
    planner = _Planner(targets, pace, kinds)
    planner.run()
    slots = planner.slots
    if planner.forbidden is not None:
        raise _too_much(pace, planner.forbidden.text, _advice(targets, pace, kinds))
    if len(planner.planned) * 2 < slots:
        why = f"of {slots} faults only {len(planner.planned)} would find a target that can have healed from the last"
        raise _too_much(pace, why, _advice(targets, pace, kinds))
    return tuple(planner.planned)


def _too_much(pace: Pace, why: str, advice: str) -> PlanError:
    return PlanError(f"a fault every {pace.every_s:g} s is too much: {why}; {advice}")


def _advice(targets: Sequence[Target], pace: Pace, kinds: tuple[FaultKind, ...]) -> str:
    for factor in SLOWER:
        slower = Pace(pace.every_s * factor, pace.for_s, pace.seed, kinds)
        planner = _Planner(targets, slower, kinds)
        planner.run()
        if planner.forbidden is None and len(planner.planned) * 2 >= planner.slots:
            return f"use --every {slower.every_s:g}, or a glob that more nodes fit"
    return "use a longer --every, or a glob that more nodes fit"


class _Planner:
    """The state of one plan while it is made."""

    def __init__(self, targets: Sequence[Target], pace: Pace, kinds: tuple[FaultKind, ...]) -> None:
        self._targets = targets
        self._pace = pace
        self._kinds = kinds
        self._chance = random.Random(pace.seed)  # noqa: S311  # a plan that can be had again, not a secret
        self._round: list[FaultKind] = []
        self._spent: dict[Counter, list[float]] = {}
        self._free_at: dict[str, float] = {}
        self._hits: dict[str, int] = {}
        self._blocking: Counter | None = None
        self.slots = 0
        self.planned: list[PlannedFault] = []
        self.forbidden: Counter | None = None

    def run(self) -> None:
        """Fill every slot that can be filled; stops at the first that a limit alone forbids."""
        while self.slots * self._pace.every_s < self._pace.for_s and self.forbidden is None:
            self._fill(self.slots * self._pace.every_s)
            self.slots += 1

    def _fill(self, at_s: float) -> None:
        self._blocking = None
        if not self._take(at_s):
            self._round += [kind for kind in self._chance.sample(self._kinds, len(self._kinds)) if kind not in self._round]
            if not self._take(at_s):
                self.forbidden = self._blocking

    def _take(self, at_s: float) -> bool:
        """Plan the first kind of the round that has a target now."""
        for kind in self._round:
            hit = self._draw(kind, at_s)
            if hit is not None:
                self._round.remove(kind)
                self._note(kind, hit, at_s)
                return True
        return False

    def _draw(self, kind: FaultKind, at_s: float) -> list[Target] | None:
        if RULES[kind].aims_at == "tree":
            return [] if self._free_at.get(ROOT, 0.0) <= at_s and self._bears([KERNEL_LIMIT], at_s) else None
        rested = [target for target in self._targets if kind in target.kinds and self._free_at.get(target.node, 0.0) <= at_s]
        able = [target for target in rested if self._bears(target.spends(kind), at_s)]
        if kind == "batch":
            return self._draw_batch(able, at_s)
        if not able:
            return None
        least = min(self._hits.get(target.path, 0) for target in able)
        return [self._chance.choice([target for target in able if self._hits.get(target.path, 0) == least])]

    def _draw_batch(self, able: list[Target], at_s: float) -> list[Target] | None:
        """Draw several nodes whose restarts their common limits bear together."""
        drawn: list[Target] = []
        for target in self._chance.sample(able, len(able)):
            together: list[Counter] = [counter for one in (*drawn, target) for counter in one.spends("batch")]
            if len(drawn) < MOST_IN_BATCH and self._bears(together, at_s):
                drawn.append(target)
        return drawn if len(drawn) > 1 else None

    def _bears(self, counters: Sequence[Counter], at_s: float) -> bool:
        for counter in counters:
            recent = [at for at in self._spent.get(counter, ()) if at > at_s - counter.period_s - SLACK_S]
            if len(recent) + counters.count(counter) > counter.allowed:
                self._blocking = self._blocking or (None if counter is KERNEL_LIMIT else counter)
                return False
        return True

    def _note(self, kind: FaultKind, hit: list[Target], at_s: float) -> None:
        if RULES[kind].aims_at == "tree":
            self._spent.setdefault(KERNEL_LIMIT, []).append(at_s)
            for node in (ROOT, *(target.node for target in self._targets)):
                self._free_at[node] = at_s + KERNEL_HEAL_S
        for target in hit:
            self._hits[target.path] = self._hits.get(target.path, 0) + 1
            self._free_at[target.node] = at_s + target.noticed_s[kind] + HEAL_S
            for counter in target.spends(kind):
                self._spent.setdefault(counter, []).append(at_s)
        paths = tuple(sorted(target.path for target in hit))
        self.planned.append(PlannedFault(len(self.planned) + 1, round(at_s, 3), kind, paths))
