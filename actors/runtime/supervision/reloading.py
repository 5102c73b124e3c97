"""Reloading: how a machine's children take on another spec, before any of them ends or begins by it."""

from collections.abc import Mapping

from .child import Child
from .difference import Difference, is_adjustable
from .effects import Adjust
from .spec import AnySpec, SupervisorSpec


def take_on(
    children: dict[str, Child], specs: Mapping[str, AnySpec], difference: Difference, lives: Mapping[str, int]
) -> tuple[list[Adjust], list[Child]]:
    """Put the children into the order of `specs`, the new ones among them, and give each its spec.

    Gives what goes on running and only adjusts itself, and who has to be restarted. Children that `specs` does not name, since
    they were added by order or are about to leave, come last. `lives` has the number of the last life of those that lived before.
    """
    known = dict(children)
    new = {id_: Child(id_, specs[id_], incarnation=lives.get(id_, 0), on_trial=True) for id_ in difference.added}
    children.clear()
    children.update({id_: known.get(id_) or new[id_] for id_ in specs})
    children.update({id_: child for id_, child in known.items() if id_ not in specs})
    adjusted: list[Adjust] = []
    changed: list[Child] = []
    for id_ in (*difference.adjusted, *difference.changed):
        child, wanted = children[id_], specs[id_]
        goes_on = child.is_alive and is_adjustable(child.spec, wanted)
        child.spec = wanted
        if goes_on and isinstance(wanted, SupervisorSpec):
            adjusted.append(Adjust(id_, wanted))
        elif id_ in difference.changed:
            child.on_trial = True
            changed.append(child)
    for id_ in specs:
        if children[id_].after_end == "gone":
            children[id_].after_end, children[id_].by_order = "waiting", False
    return adjusted, changed
