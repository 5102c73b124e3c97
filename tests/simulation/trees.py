"""Random trees: every strategy, restart type, limit and layer, nested, from one source of chance."""

from msgspec import structs

from actors.runtime import Backoff, ChildSpec, SupervisorSpec
from actors.runtime.supervision.spec import RestartLimit

STRATEGIES = ("one_for_one", "one_for_all", "rest_for_one", "dynamic")
RESTARTS = ("permanent", "permanent", "permanent", "transient", "temporary")
BACKOFFS = (
    Backoff(min=0, max=0),
    Backoff(min=0.125, max=4, factor=2, jitter=1, healthy_after=8),
    Backoff(min=1, max=1, jitter=0, healthy_after=2),
)
LIMITS = (None, None, None, RestartLimit(1, 2), RestartLimit(2, 8, "escalate"))
SHUTDOWNS = (0.5, 2.0, "kill", "infinity")
DEPTH = 3


def tree(chance):
    """Give the spec of a root with at least one child, which most often bears more than those below it."""
    while True:
        root = _supervisor(chance, "root", 0)
        if root.children:
            if chance.random() < 0.2:
                return root
            children = [structs.replace(child, limit=None) for child in root.children]
            return structs.replace(root, children=children, intensity=100, auto_shutdown="never")


def leaf(chance, name):
    """Give a child that is no supervisor."""
    restart = chance.choice(RESTARTS)
    return ChildSpec(
        name,
        "m:C",
        restart=restart,
        shutdown=chance.choice(SHUTDOWNS),
        start_timeout=4.0,
        backoff=chance.choice(BACKOFFS),
        limit=chance.choice(LIMITS),
        layer=None,
        significant=restart != "permanent" and chance.random() < 0.3,
    )


def _supervisor(chance, name, depth, layer=None):
    strategy = chance.choice(STRATEGIES[: 3 if depth == 0 else 4])
    count = 1 if strategy == "dynamic" else chance.randrange(5 - depth)
    restart = chance.choice(RESTARTS)
    return SupervisorSpec(
        name,
        [leaf(chance, "like")] if strategy == "dynamic" else _children(chance, count, depth),
        strategy=strategy,
        intensity=chance.randrange(5),
        period=chance.choice((2.0, 8.0)),
        restart=restart,
        start_timeout=64.0,
        backoff=chance.choice(BACKOFFS),
        on_exhausted=chance.choice(("escalate", "escalate", "park")),
        auto_shutdown=chance.choice(("never", "never", "never", "any_significant", "all_significant")),
        significant=restart != "permanent" and chance.random() < 0.3,
        limit=chance.choice(LIMITS),
        layer=layer,
    )


def _children(chance, count, depth):
    children, layer = [], 0
    for number in range(count):
        layer += chance.random() < 0.6
        if depth + 1 < DEPTH and chance.random() < 0.3:
            children.append(_supervisor(chance, f"s{number}", depth + 1, layer))
        else:
            children.append(structs.replace(leaf(chance, f"c{number}"), layer=layer))
    return children
