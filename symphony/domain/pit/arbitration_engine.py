"""ArbitrationEngine: who wins a contended thing, and why.

The order is total, so the ruling depends on the claims and on nothing else, not even on the order they are given in: higher
priority, then the earlier deadline (none is the latest), then the earlier claim, then the smaller id. The rule named is the first
one that sets the winner apart from the runner-up. `now` is in monotonic seconds.
"""

from collections import Counter
from collections.abc import Sequence
from math import inf, isfinite
from typing import assert_never

from msgspec import Struct

from symphony.domain.claim import Claim, Ruling
from symphony.domain.errors import InvalidRequestError, InvariantError
from symphony.domain.pit.announcement import Announce


class Arbitrate(Struct, frozen=True, tag=True):
    """Several want one resource."""

    claims: tuple[Claim, ...]


ArbitrationEvent = Arbitrate


class GiveRuling(Struct, frozen=True, tag=True):
    """Tell whoever asked."""

    ruling: Ruling


ArbitrationEffect = GiveRuling | Announce


class ArbitrationEngine:
    """The judge. Not for use by two threads at once.

    `handle` raises `InvalidRequestError` with every problem of the claims. It remembers its last ruling only, to be checked.
    """

    def __init__(self) -> None:
        self._last: Ruling | None = None

    def handle(self, event: ArbitrationEvent, now: float) -> list[ArbitrationEffect]:
        """Take one event at `now` and give what is to be done, in order."""
        match event:
            case Arbitrate(claims=claims):
                return self._arbitrate(claims, now)
            case _:
                assert_never(event)

    def check_invariants(self) -> None:
        """Raise `InvariantError` where a rule of this module is broken."""
        if self._last is not None:
            named = (self._last.winner, *self._last.waiting)
            if len(set(named)) < len(named):
                raise InvariantError(f"{self._last.resource}: a claim both wins and waits, or waits twice")

    def _arbitrate(self, claims: Sequence[Claim], now: float) -> list[ArbitrationEffect]:
        problems = _problems(claims)
        if problems:
            raise InvalidRequestError(*problems)
        winner, *waiting = sorted(claims, key=_rank)
        rule, reason = _reason(winner, waiting[0], now) if waiting else ("only_claim", "nobody else claims it")
        rationale = f'{winner.requester} gets "{winner.resource}" (claim {winner.id}): {reason}.'
        self._last = Ruling(winner.resource, winner.id, tuple(claim.id for claim in waiting), rule, rationale)
        return [GiveRuling(self._last), Announce("claim.granted", winner.id)]


def _rank(claim: Claim) -> tuple[int, float, float, str]:
    return (-claim.priority, inf if claim.deadline is None else claim.deadline, claim.claimed_at, claim.id)


def _reason(winner: Claim, runner_up: Claim, now: float) -> tuple[str, str]:
    """Give the rule that decided, as a name and as the clause of a sentence."""
    other = f"{runner_up.requester} (claim {runner_up.id})"
    if winner.priority != runner_up.priority:
        return "priority", f"its priority {winner.priority} is higher than the {runner_up.priority} of {other}"
    if winner.deadline is not None and winner.deadline != runner_up.deadline:
        return "deadline", f"at equal priority its deadline, in {winner.deadline - now:.3f} s, is earlier than that of {other}"
    if winner.claimed_at != runner_up.claimed_at:
        earlier_s = runner_up.claimed_at - winner.claimed_at
        return "claimed_earlier", f"at equal priority and deadline it was claimed {earlier_s:.3f} s before {other}"
    return "id", f"all else is equal with {other}, and its id comes first"


def _problems(claims: Sequence[Claim]) -> list[str]:
    if not claims:
        return ["claims: there are none"]
    problems = []
    resources = sorted({claim.resource for claim in claims})
    if len(resources) > 1:
        problems.append(f"claims: they are on different resources: {', '.join(resources)}")
    counts = Counter(claim.id for claim in claims)
    problems += [f'claims: {count} have the id "{claim}"' for claim, count in counts.items() if count > 1]
    for claim in claims:
        # NaN has no place in an order, so that the ruling would depend on the order given.
        if not isfinite(claim.claimed_at):
            problems.append(f"claims.{claim.id}.claimed_at: must be a finite number, not {claim.claimed_at}")
        if claim.deadline is not None and not isfinite(claim.deadline):
            problems.append(f"claims.{claim.id}.deadline: must be a finite number or left out, not {claim.deadline}")
    return problems
