"""Changes: what a reload does to every path of a tree, as data that can be shown before it is done."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, structs

from ..address import ROOT, ActorPath, child_path
from ..errors import SpecError
from .difference import ADJUSTED, difference_of
from .spec import SupervisorSpec

ChangeKind = Literal["added", "removed", "changed", "adjusted", "unchanged"]


class Change(Struct, frozen=True):
    """What becomes of the child at `path`: only `changed` ones are restarted, and `adjusted` ones go on running."""

    path: str
    kind: ChangeKind


def check_reload(old: SupervisorSpec, new: SupervisorSpec) -> None:
    """Make sure that a running root can become what `new` says. Raises `SpecError`."""
    if old.id != new.id:
        raise SpecError(f"id: {new.id!r}: the tree that runs is {old.id!r}, and this is another one")
    fixed = [name for name in structs.asdict(old) if name not in ADJUSTED and getattr(old, name) != getattr(new, name)]
    if "dynamic" in (old.strategy, new.strategy) and (old.strategy, old.children) != (new.strategy, new.children):
        fixed.append("strategy" if old.strategy != new.strategy else "children")
    if fixed:
        raise SpecError(*(f"/: {name}: {getattr(new, name)!r}: only a stop and a start changes it at the root" for name in fixed))


def changes_of(old: SupervisorSpec, new: SupervisorSpec, path: ActorPath = ROOT) -> tuple[Change, ...]:
    """Compare two specs of the supervisor at `path`: everything below it, in the order of the spec that it is in."""
    own = [Change(str(path), "adjusted")] if _has_other_rules(old, new) and path == ROOT else []
    return (*own, *_below(old, new, path))


def _below(old: SupervisorSpec, new: SupervisorSpec, path: ActorPath) -> Iterator[Change]:
    found = difference_of(old, new)
    before = {child.id: child for child in old.children}
    kinds: dict[str, ChangeKind] = {}
    kinds.update(dict.fromkeys(found.added, "added"), **dict.fromkeys(found.changed, "changed"))
    kinds.update(dict.fromkeys(found.adjusted, "adjusted"), **dict.fromkeys(found.unchanged, "unchanged"))
    for child in new.children:
        place = child_path(path, child.id)
        yield Change(str(place), kinds[child.id])
        was = before.get(child.id)
        if kinds[child.id] == "adjusted" and isinstance(child, SupervisorSpec) and isinstance(was, SupervisorSpec):
            yield from _below(was, child, place)
    for name in found.removed:
        yield Change(str(child_path(path, name)), "removed")


def _has_other_rules(old: SupervisorSpec, new: SupervisorSpec) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in ADJUSTED if name != "children")
