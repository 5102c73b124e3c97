"""Strategy: what a supervisor does about an exit, as pure functions of the spec, the history and the time.

The semantics are OTP's where it has them: the restart types, the window (a restart counts while it is no older than `period`),
and "more than `intensity`" as the limit. Back-off and parking are not in OTP; there, a crash loop burns the intensity in
microseconds.
"""

from msgspec import Struct

from ..snapshot import ExitKind
from .spec import AnySpec, Backoff, RestartType, SupervisorSpec


class Restart(Struct, frozen=True):
    """Start the child again, after `delay_s` seconds."""

    delay_s: float


class Leave(Struct, frozen=True):
    """Keep the child's spec, and do not start it."""


class Forget(Struct, frozen=True):
    """Remove the child."""


class Exhausted(Struct, frozen=True):
    """The limit is passed: escalate or park, as the spec says."""

    restarts: int


Verdict = Restart | Leave | Forget | Exhausted


class History(Struct, frozen=True):
    """What counts of the past: when the supervisor restarted a child, and how often this one failed in a row.

    Times are monotonic seconds. `ran_for_s` is how long the ended life was ready, 0 where it never was.
    """

    restarts: tuple[float, ...]
    failures_in_a_row: int
    ran_for_s: float


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
    supervisor: SupervisorSpec, child: AnySpec, reason: ExitKind, history: History, now: float, chance: float
) -> tuple[Verdict, History]:
    """Decide what to do about a child's exit, and give the history as it is then.

    A first start that failed is not decided here: it stops the supervisor's own start (`machine.py`).
    """
    if not restarts_after(child.restart, reason):
        return (Forget() if child.restart == "temporary" else Leave()), history
    healthy = history.ran_for_s >= child.backoff.healthy_after
    failures = 1 if healthy else history.failures_in_a_row + 1
    restarts = (*within_window(history.restarts, supervisor.period, now), now)
    history = History(restarts, failures, 0.0)
    if len(restarts) > supervisor.intensity:
        return Exhausted(len(restarts)), history
    return Restart(delay_of(child.backoff, failures, chance)), history
