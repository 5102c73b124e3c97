"""Targets: what of a tree a glob lets chaos hit, by which kinds, and which restart limits each hit uses up.

Chaos must not park its targets by its own rate, so every target knows the counters that its supervisors keep. What cannot heal is
no target at all: a temporary child, a supervisor that allows no restart, a hang where nothing bounds one.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from ..address import name_of, parse_path
from ..snapshot import ActorSnapshot
from ..supervision.spec import AnySpec, ChildSpec, SupervisorSpec
from .faults import INSIDE, KINDS, RULES, FaultKind


class Counter(Struct, frozen=True):
    """One restart limit: `allowed` restarts within `period_s` seconds, and no more. `text` names it for people."""

    text: str
    allowed: int
    period_s: float


class Target(Struct, frozen=True):
    """An actor that may be hit; where it is its node's own top, so may the node's process.

    `spends_as_process` are the counters of a hit that ends the process, `spends_as_actor` those of one that ends the actor alone.
    `noticed_s` is how long the tree takes to notice a hit of a kind, 0 for a death.
    """

    path: str
    node: str
    kinds: tuple[FaultKind, ...]
    spends_as_process: tuple[Counter, ...]
    spends_as_actor: tuple[Counter, ...]
    noticed_s: dict[FaultKind, float]

    def spends(self, kind: FaultKind) -> tuple[Counter, ...]:
        """Give the counters that a hit of this kind may use up."""
        ends = RULES[kind].ends
        if ends == "process" or self.path == self.node:
            return self.spends_as_process
        return self.spends_as_actor if ends == "actor" else (*self.spends_as_process, *self.spends_as_actor)


class _Place(Struct, frozen=True):
    """A child of the spec: itself, and those above it, the nearest last."""

    spec: AnySpec
    above: tuple[SupervisorSpec, ...]


def targets_of(
    root: ActorSnapshot, spec: SupervisorSpec, fits: Callable[[str], bool], *, inside_allowed: bool
) -> tuple[Target, ...]:
    """Give what may be hit: nodes whose path fits, and workers of nodes whose own path or whose node's path fits."""
    found = []
    for actor in root.walk():
        in_kernel = actor.pid is None or actor.pid == root.pid
        if not in_kernel and (fits(actor.path) or fits(actor.node)):
            target = _target(actor, spec, fits_itself=fits(actor.path), inside_allowed=inside_allowed)
            if target is not None and target.kinds:
                found.append(target)
    return tuple(found)


def what_is_missing(kinds: tuple[FaultKind, ...], targets: tuple[Target, ...], *, inside_allowed: bool) -> dict[FaultKind, str]:
    """Say of each kind that no target can be hit by, why, and what to do about it."""
    offered = {kind for target in targets for kind in target.kinds}
    if sum("batch" in target.kinds for target in targets) < 2:
        offered.discard("batch")
    missing = [kind for kind in kinds if kind not in offered and RULES[kind].aims_at != "tree"]
    return {kind: _why_not(kind, inside_allowed=inside_allowed) for kind in missing}


def _why_not(kind: FaultKind, *, inside_allowed: bool) -> str:
    if kind in INSIDE and not inside_allowed:
        return "it is done inside of a node, which this tree does not allow: start it with `symphony up --allow-fault-injection`"
    if kind == "batch":
        return "it takes two nodes that fit"
    noticed_by = RULES[kind].noticed_by
    if noticed_by is not None:
        return f"nothing would notice it: no child that fits has a `{noticed_by}` in its spec"
    return "no node or actor that fits can be healed from it"


def _target(actor: ActorSnapshot, root: SupervisorSpec, *, fits_itself: bool, inside_allowed: bool) -> Target | None:
    node_place, place = _find(root, actor.node), _find(root, actor.path)
    if node_place is None or place is None or not _comes_back(node_place):
        return None
    noticed: dict[FaultKind, float] = {}
    for kind in KINDS:
        rule = RULES[kind]
        is_node = actor.path == actor.node and fits_itself
        commits = actor.kind == "worker" and inside_allowed
        aimed = is_node if rule.aims_at == "node" else commits if rule.aims_at == "actor" else False
        bound = _bound(rule.noticed_by, node_place.spec, place.spec)
        if aimed and bound is not None and (rule.ends == "process" or _comes_back(place)):
            noticed[kind] = bound
    as_process, as_actor = _counters(actor.node, node_place), _counters(actor.path, place)
    return Target(actor.path, actor.node, tuple(noticed), as_process, as_actor, noticed)


def _bound(noticed_by: str | None, node: AnySpec, spec: AnySpec) -> float | None:
    match noticed_by:
        case None:
            return 0.0
        case "heartbeat_timeout":
            return node.heartbeat_timeout
        case _:
            return spec.hang_after if isinstance(spec, ChildSpec) else None


def _comes_back(place: _Place) -> bool:
    return place.spec.restart != "temporary" and place.above[-1].intensity > 0


def _counters(path: str, place: _Place) -> tuple[Counter, ...]:
    return tuple(_counters_of(path, place))


def _counters_of(path: str, place: _Place) -> Iterator[Counter]:
    supervisor, limit = place.above[-1], place.spec.limit
    above = path.rpartition("/")[0] or "/"
    if supervisor.on_exhausted == "park":
        text = f"{above} parks {path} after more than {supervisor.intensity} restarts in {supervisor.period:g} s"
    else:
        text = f"{above} fails after more than {supervisor.intensity} restarts of its children in {supervisor.period:g} s"
    yield Counter(text, supervisor.intensity, supervisor.period)
    if limit is not None:
        text = f"{path} has a limit of {limit.intensity} restarts in {limit.period:g} s"
        yield Counter(text, limit.intensity, limit.period)


def _find(root: SupervisorSpec, path: str) -> _Place | None:
    """Give the place of `path` in the spec; None for the root and for what was added while the tree ran."""
    names = parse_path(path).strip("/").split("/")
    above: tuple[SupervisorSpec, ...] = ()
    here: AnySpec = root
    for name in names:
        if not isinstance(here, SupervisorSpec):
            return None
        above = (*above, here)
        if here.strategy == "dynamic":
            here = here.children[0]
            continue
        found = next((child for child in here.children if child.id == name), None)
        if found is None:
            return None
        here = found
    return _Place(here, above) if name_of(parse_path(path)) else None
