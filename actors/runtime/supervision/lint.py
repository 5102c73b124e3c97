"""Lint: what in a tree is allowed, and probably not meant; found when it is loaded, before it hurts at night.

Each rule states a fact that follows from the numbers of the spec alone. Back-off is drawn by chance, so where it matters a rule
reckons with what is drawn on average.
"""

import math
from collections.abc import Iterator

from msgspec import Struct

from ..address import ROOT, ActorPath, child_path
from .layers import layers_of
from .shutdown_plan import shutdown_plan
from .spec import AnySpec, Backoff, ChildSpec, SupervisorSpec

HEAL_S = 5.0
"""Within which a first failure is healed, as is promised."""
MANY_RESTARTS = 100


class SpecWarning(Struct, frozen=True):
    """What is odd about the child at `path`: the rule's name, for programs, and what it is, for people."""

    path: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.rule}: {self.text}"


def warnings_of(root: SupervisorSpec) -> tuple[SpecWarning, ...]:
    """Give everything odd about a tree, from the root downwards."""
    found = [*_about_supervisor(root, ROOT), *_about_escalation(root, ROOT)]
    return tuple(SpecWarning(str(path), rule, text) for path, rule, text in found)


_Found = Iterator[tuple[ActorPath, str, str]]


def _about_supervisor(spec: SupervisorSpec, path: ActorPath) -> _Found:
    yield from _about_group(spec, path)
    for child in spec.children:
        place = child_path(path, child.id)
        yield from _about_child(spec, child, place)
        if isinstance(child, SupervisorSpec):
            yield from _about_supervisor(child, place)


def _about_child(parent: SupervisorSpec, child: AnySpec, path: ActorPath) -> _Found:
    if isinstance(child, SupervisorSpec) and not child.process and child.shutdown != "infinity":
        text = f"shutdown is {child.shutdown}: what still stops below it then is given up; only `infinity` waits for all of it"
        yield path, "supervisor-shutdown-finite", text
    waits = {"heartbeat_timeout": child.heartbeat_timeout if child.process else None}
    waits["hang_after"] = child.hang_after if isinstance(child, ChildSpec) else None
    for field, seconds in waits.items():
        if seconds is not None and seconds >= HEAL_S:
            text = f"{field} is {seconds:g} s: a hang that is noticed so late is not healed within {HEAL_S:g} s of its beginning"
            yield path, "hang-noticed-late", text
    if child.restart == "temporary":
        return
    if child.limit is not None and not _can_reach(child, child.limit.intensity, child.limit.period):
        text = _out_of_reach(child, child.limit.intensity, child.limit.period, "its own limit")
        yield path, "limit-out-of-reach", text
    elif child.limit is None and not _can_reach(child, parent.intensity, parent.period):
        yield path, "limit-out-of-reach", _out_of_reach(child, parent.intensity, parent.period, "its supervisor's limit")


def _out_of_reach(child: AnySpec, intensity: int, period: float, whose: str) -> str:
    takes = _mean_span_s(child.backoff, intensity)
    return (
        f"alone it can fail for ever without passing {whose}, more than {intensity} in {period:g} s: "
        f"its back-off alone spreads {intensity + 1} failures over {takes:.1f} s"
    )


def _about_group(spec: SupervisorSpec, path: ActorPath) -> _Found:
    """Look at how long siblings may take to stop before a group is started again. Whoever fails has stopped already."""
    children = {child.id: child for child in spec.children}
    if spec.strategy == "one_for_all":
        groups = [children.keys() - {failed} for failed in children]
    elif spec.strategy == "rest_for_one":
        first = layers_of(children.items())[:1]
        groups = [children.keys() - set(layer) for layer in first]
    else:
        return
    plans = [shutdown_plan(SupervisorSpec(spec.id, [child for child in spec.children if child.id in group])) for group in groups]
    longest = max((math.inf if plan.bound_s is None else plan.bound_s for plan in plans), default=0.0)
    if longest > HEAL_S:
        takes = f"up to {longest:.1f} s" if math.isfinite(longest) else "as long as it likes"
        text = f"under {spec.strategy}, a failure of one child first stops others, which may take {takes}: more than {HEAL_S:g} s"
        yield path, "group-stops-slowly", text


def _about_escalation(spec: SupervisorSpec, path: ActorPath) -> _Found:
    """Look at whether failures get up through the levels, and how many restarts that takes."""
    for child in spec.children:
        if isinstance(child, SupervisorSpec):
            place = child_path(path, child.id)
            yield from _about_window(spec, child, place)
            yield from _about_escalation(child, place)
    product = _restarts_to_give_up(spec)
    if path == ROOT and product is not None and product > MANY_RESTARTS:
        text = f"the levels' limits multiply: a child at the bottom is started up to {product} times before the root gives up"
        yield path, "limits-multiply", text


def _about_window(parent: SupervisorSpec, child: SupervisorSpec, path: ActorPath) -> _Found:
    """Look at whether the parent's window can ever hold the escalations that it takes to fill it.

    What aeternity had (https://github.com/aeternity/aeternity/issues/4022): each level passed its own limit, more slowly than the
    level above could see, and the lowest was restarted for ever.
    """
    limit = parent if child.limit is None else child.limit
    if child.on_exhausted == "park" or child.restart == "temporary" or limit.intensity == 0:
        return
    reachable = [below for below in child.children if _can_reach(below, child.intensity, child.period)]
    lives = [_mean_span_s(below.backoff, child.intensity) for below in reachable]
    if not lives:
        return  # its children never make it give up, and a warning of their own says so
    takes = limit.intensity * min(lives) + _mean_span_s(child.backoff, limit.intensity)
    if takes > limit.period:
        text = (
            f"it is restarted for ever: its children make it give up {limit.intensity + 1} times in {takes:.1f} s at best, "
            f"and the limit above it looks back {limit.period:g} s only"
        )
        yield path, "escalation-unseen", text


def _restarts_to_give_up(spec: SupervisorSpec) -> int | None:
    """Give how often a child at the bottom is started before `spec` gives up, at most; None where somebody on the way parks."""
    if spec.on_exhausted == "park":
        return None
    below = [_restarts_to_give_up(child) for child in spec.children if isinstance(child, SupervisorSpec)]
    return (spec.intensity + 1) * max((count for count in below if count is not None), default=1)


def _can_reach(child: AnySpec, intensity: int, period: float) -> bool:
    return _mean_span_s(child.backoff, intensity) <= period


def _mean_span_s(backoff: Backoff, intensity: int) -> float:
    """Give the seconds of back-off from the first to the last of `intensity` + 1 failures in a row, on average."""
    delays = max(0, intensity - 1)  # the first restart is at once
    if backoff.min == 0 or backoff.factor == 1:
        span = delays * backoff.min
    else:
        # In logarithms: the factor's powers soon are beyond any float.
        steepness = math.log(backoff.factor)
        growing = math.ceil(min(delays, (math.log(backoff.max) - math.log(backoff.min)) / steepness))
        longest = math.exp(math.log(backoff.min) + growing * steepness)
        span = (longest - backoff.min) / (backoff.factor - 1) + (delays - growing) * backoff.max
    return span * (1 - backoff.jitter / 2)
