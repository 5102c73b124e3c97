"""Shutdown plan: in which order a tree stops and how long that may take, known before it begins.

Layers stop one after the other, the last one first, and what is in one layer stops together, so a supervisor needs the sum over
its layers of the longest in each. The children of a dynamic supervisor stop together, so what holds for its template holds for
all of them. A child that does not stop within its
own `shutdown` is killed, which is why the sum is a bound, whatever actors do; `infinity` anywhere without a finite one above it
makes it unbounded.
"""

import math
from collections.abc import Iterator

from msgspec import Struct

from ..address import ROOT, ActorPath, child_path
from .layers import layers_of
from .spec import AnySpec, SupervisorSpec

KILL_S = 1.0
"""How long a child that is killed may take to be gone before it is given up."""


class StopStep(Struct, frozen=True):
    """What stops together, and the seconds it may take; None is no bound."""

    paths: tuple[str, ...]
    bound_s: float | None


class ShutdownPlan(Struct, frozen=True):
    """The steps in the order in which they are taken, and the seconds that all of them may take; None is no bound."""

    steps: tuple[StopStep, ...]
    bound_s: float | None

    def __str__(self) -> str:
        return "as long as it takes, since a `shutdown` is infinity" if self.bound_s is None else f"at most {self.bound_s:.1f} s"


def shutdown_plan(root: SupervisorSpec, path: ActorPath = ROOT) -> ShutdownPlan:
    """Give the plan by which the tree below `path`, whose supervisor is `root`, stops."""
    steps = tuple(_steps(root, path))
    return ShutdownPlan(steps, _finite(math.fsum(_seconds(step) for step in steps)))


def _steps(supervisor: SupervisorSpec, path: ActorPath) -> Iterator[StopStep]:
    children = {child.id: child for child in supervisor.children}
    for layer in reversed(layers_of(children.items())):
        paths = tuple(str(child_path(path, name)) for name in layer)
        yield StopStep(paths, _finite(max(_bound(children[name], path) for name in layer)))


def _bound(child: AnySpec, parent: ActorPath) -> float:
    if child.shutdown == "kill":
        return KILL_S
    own = math.inf if child.shutdown == "infinity" else float(child.shutdown)
    if not isinstance(child, SupervisorSpec):
        return own
    below = math.fsum(_seconds(step) for step in _steps(child, child_path(parent, child.id)))
    # A node's process also has to end, so its own bound is the one that is certain.
    return own if child.process and math.isfinite(own) else min(own, below)


def _seconds(step: StopStep) -> float:
    return math.inf if step.bound_s is None else step.bound_s


def _finite(seconds: float) -> float | None:
    return round(seconds, 3) if math.isfinite(seconds) else None
