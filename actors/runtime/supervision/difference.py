"""Difference: what it takes to turn one supervisor's spec into another, as data that can be shown before it is done."""

from collections.abc import Mapping

from msgspec import Struct, structs

from .spec import AnySpec, ChildSpec, SupervisorSpec

ADOPTED = ("restart", "shutdown", "start_timeout", "backoff", "significant", "layer", "limit")
"""What only a child's supervisor looks at: a change of it restarts nobody."""
ADJUSTED = (*ADOPTED, "strategy", "intensity", "period", "on_exhausted", "auto_shutdown", "children")
"""What a running supervisor can change about itself."""


class Difference(Struct, frozen=True):
    """The ids of the children of a supervisor, by what becomes of them, in the order of the spec they are in.

    `changed` ones are restarted; `adjusted` ones go on running: only their supervisor's rules for them change, or, where they are
    supervisors themselves, something below them.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether no child is touched."""
        return not (self.added or self.removed or self.changed or self.adjusted)


def difference_of(old: SupervisorSpec, new: SupervisorSpec) -> Difference:
    """Compare the children of two specs of one supervisor; what is below them is compared by whoever runs it."""
    return compare({child.id: child for child in old.children}, {child.id: child for child in new.children})


def compare(before: Mapping[str, AnySpec], after: Mapping[str, AnySpec]) -> Difference:
    """Compare children by their ids."""
    both = [child_id for child_id in after if child_id in before]
    same = tuple(child_id for child_id in both if before[child_id] == after[child_id])
    adjusted = tuple(id_ for id_ in both if id_ not in same and is_adjustable(before[id_], after[id_]))
    return Difference(
        added=tuple(child_id for child_id in after if child_id not in before),
        removed=tuple(child_id for child_id in before if child_id not in after),
        changed=tuple(child_id for child_id in both if child_id not in same and child_id not in adjusted),
        adjusted=adjusted,
        unchanged=same,
    )


def is_adjustable(old: AnySpec, new: AnySpec) -> bool:
    """Tell whether a child can become what its new spec says without being restarted."""
    if type(old) is not type(new):
        return False
    if isinstance(old, SupervisorSpec) and isinstance(new, SupervisorSpec) and "dynamic" in (old.strategy, new.strategy):
        # Its children follow a template; those that run cannot become another's.
        return _without(old, ADOPTED) == _without(new, ADOPTED)
    return _without(old, _free(old)) == _without(new, _free(new))


def _free(spec: AnySpec) -> tuple[str, ...]:
    return ADOPTED if isinstance(spec, ChildSpec) else ADJUSTED


def _without(spec: AnySpec, fields: tuple[str, ...]) -> dict[str, object]:
    return {name: value for name, value in structs.asdict(spec).items() if name not in fields}
