"""Strategy: what a supervisor does about an exit, as pure functions of the spec, the history and the time.

The semantics are OTP's where it has them (https://www.erlang.org/doc/apps/stdlib/supervisor): the restart types, the window (a
restart counts while it is no older than `period`), and "more than `intensity`" as the limit. Back-off, a child's own limit and
parking are not in OTP; there, a crash loop burns the intensity in microseconds, and one bad child ends all its siblings.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from ..snapshot import ExitKind
from .spec import AnySpec, Backoff, OnExhausted, RestartLimit, RestartType, SupervisorSpec


class Restart(Struct, frozen=True):
    """Start the child again, after `delay_s` seconds."""

    delay_s: float


class Leave(Struct, frozen=True):
    """Keep the child's spec, and do not start it."""


class Forget(Struct, frozen=True):
    """Remove the child."""


class Exhausted(Struct, frozen=True):
    """A limit is passed, the child's own or its supervisor's, by so many restarts; `then` says what follows."""

    restarts: int
    then: OnExhausted


Verdict = Restart | Leave | Forget | Exhausted


class History(Struct, frozen=True):
    """What counts of the past: when children were restarted, and how often this one failed in a row.

    `restarts` are those of all children, `own` are this child's. Times are seconds of the supervisor's clock. `ran_for_s` is how
    long the ended life was ready, 0 where it never was.
    """

    restarts: tuple[float, ...]
    own: tuple[float, ...]
    failures_in_a_row: int
    ran_for_s: float


class Limit(NamedTuple):
    """More than so many restarts within so many seconds are too many."""

    intensity: int
    period: float


def is_ordinary(reason: ExitKind) -> bool:
    """Tell whether an exit is one that a transient child may end by."""
    return reason in ("normal", "shutdown")


def restarts_after(restart: RestartType, reason: ExitKind) -> bool:
    """Tell whether a child of this type is restarted after an exit by `reason`."""
    return restart == "permanent" or (restart == "transient" and not is_ordinary(reason))


def within_window(restarts: tuple[float, ...], period: float, now: float) -> tuple[float, ...]:
    """Give the restarts that still count; one exactly `period` old does."""
    return tuple(at for at in restarts if at >= now - period)


def delay_of(backoff: Backoff, failures_in_a_row: int, chance: float) -> float:
    """Give the seconds to wait before the restart after this many failures in a row; `chance` is in [0, 1).

    Full jitter, so that children that fell together do not rise together:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    if failures_in_a_row <= 1 or backoff.min == 0:
        return 0.0
    try:
        full = min(backoff.max, backoff.min * float(backoff.factor) ** (failures_in_a_row - 2))
    except OverflowError:
        # A float ends long before a child gives up.
        full = backoff.max
    return full * (1 - backoff.jitter * chance)


def after_exit(
    supervisor: SupervisorSpec,
    child: AnySpec,
    reason: ExitKind,
    history: History,
    now: float,
    chance: float,
    *,
    on_trial: bool = False,
) -> tuple[Verdict, History]:
    """Decide what to do about a child's exit, and give the history as it is then.

    The child's own limit comes first: a child that is parked by it has not failed its supervisor. Nor does one fail it that is
    `on_trial`, because a reload has put it there, or given it another spec, and it has not run since: it is parked. A first start
    that failed is not decided here: it stops the supervisor's own start (`machine.py`).
    """
    if not restarts_after(child.restart, reason):
        # The children of a dynamic supervisor have no spec of their own that could be kept.
        forget = child.restart == "temporary" or supervisor.strategy == "dynamic"
        return (Forget() if forget else Leave()), history
    healthy = history.ran_for_s >= child.backoff.healthy_after
    failures = 1 if healthy else history.failures_in_a_row + 1
    limits: list[Limit | RestartLimit] = [Limit(supervisor.intensity, supervisor.period)]
    limits += [] if child.limit is None else [child.limit]
    own = _counted((*history.own, now), max(limit.intensity for limit in limits), max(limit.period for limit in limits), now)
    if child.limit is not None and (count := len(within_window(own, child.limit.period, now))) > child.limit.intensity:
        return Exhausted(count, child.limit.then), History(history.restarts, own, failures, 0.0)
    then: OnExhausted = "park" if on_trial else supervisor.on_exhausted
    # Where it parks, each child counts for itself: what all of them did would only be kept for nothing.
    all_ = () if supervisor.on_exhausted == "park" else history.restarts
    restarts = all_ if then == "park" else _counted((*all_, now), supervisor.intensity, supervisor.period, now)
    count = len(within_window(own, supervisor.period, now)) if then == "park" else len(restarts)
    after = History(restarts, own, failures, 0.0)
    return (Exhausted(count, then) if count > supervisor.intensity else Restart(delay_of(child.backoff, failures, chance))), after


def group_of(strategy: Literal["one_for_all", "rest_for_one"], layers: Sequence[Sequence[str]], failed: str) -> frozenset[str]:
    """Give the ids that are restarted together when `failed` fails, itself among them; `layers` are in start order.

    Children of one layer start together, so none of them is after another.
    """
    if strategy == "one_for_all":
        return frozenset(child_id for layer in layers for child_id in layer)
    number = next(number for number, layer in enumerate(layers) if failed in layer)
    return frozenset([failed, *(child_id for layer in layers[number + 1 :] for child_id in layer)])


def _counted(restarts: tuple[float, ...], intensity: int, period: float, now: float) -> tuple[float, ...]:
    """Give the restarts that a limit has to know of: those in its window, and no more than it takes to pass it."""
    return within_window(restarts[-(intensity + 1) :], period, now)
