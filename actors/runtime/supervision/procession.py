"""Procession: which children end next and which begin next, in start order and its reverse, layer by layer."""

from collections import deque
from collections.abc import Collection

from .child import Child
from .effects import Begin, Effect, End
from .layers import layers_of


class Procession:
    """Two queues of layers over the children of one machine, which it only reads but for the phases that it moves on.

    `ends` are layers to stop, the last one first; `begins` are layers to start, the first one first. `delayed` are the ids of
    children whose back-off is not over.
    """

    def __init__(self, children: dict[str, Child]) -> None:
        self._children = children
        self.begins: deque[list[str]] = deque()
        self.ends: list[list[str]] = []
        # Of a dict, because its order is the same in each run.
        self.delayed: dict[str, None] = {}
        self._ending: list[str] | None = None
        self._beginning: list[str] | None = None
        self.queue_begins()

    def layers(self) -> list[list[str]]:
        """Give every child's id in start order, those that start together in one list."""
        return layers_of((child.id, child.spec) for child in self._children.values())

    def queue_begins(self) -> None:
        """Queue everybody who is to begin, or is about to; whoever is neither is not waited for."""
        coming = {
            child.id
            for child in self._children.values()
            if child.phase in ("waiting", "starting", "restarting") or child.after_end == "waiting"
        }
        self.begins = deque(_only(coming, self.layers()))

    def queue_ends(self) -> None:
        """Queue everybody who is to end, and whoever is ending already."""
        self.ends = _only({child.id for child in self._children.values() if child.after_end is not None}, self.layers())

    def queue_all_ends(self, *, together: bool) -> None:
        """Queue everybody, in order or all together, behind those that have been told to end already."""
        leaving = [child.id for child in self._children.values() if child.phase == "stopping"]
        self.begins.clear()
        self.ends = [list(self._children)] if together else self.layers()
        self.ends.append(leaving)

    def end_next(self) -> list[Effect]:
        """End what is next to end. Nothing is left to end when `ends` is empty."""
        effects: list[Effect] = []
        while self.ends:
            layer = self.ends[-1]
            if layer is not self._ending:
                self._ending = layer
                children = [self._children[child_id] for child_id in layer if child_id in self._children]
                effects += [self.end(child) for child in children if child.after_end is not None and child.phase != "stopping"]
            # From the back, so that all exits of a layer of thousands cost one look at each child.
            while layer and not self._leaves(layer[-1]):
                layer.pop()
            if layer:
                break
            self.ends.pop()
        return effects

    def begin_next(self, *, in_groups: bool) -> list[Effect]:
        """Begin what is next to begin. All have begun when `begins` is empty.

        Nobody passes a child that starts and has not come yet; `in_groups`, nor one that is being restarted.
        """
        effects: list[Effect] = []
        while self.begins:
            layer = self.begins[0]
            if layer is not self._beginning:
                self._beginning = layer
                children = [self._children[child_id] for child_id in layer if child_id in self._children]
                effects += [self.begin(child) for child in children if child.phase == "waiting"]
            while layer and not self._holds(layer[-1], in_groups=in_groups):
                layer.pop()
            if layer:
                break
            self.begins.popleft()
        return effects

    def look_again(self) -> None:
        """Look at all of the layer that begins, once more: one of it has come to wait since."""
        self._beginning = None

    def _leaves(self, child_id: str) -> bool:
        child = self._children.get(child_id)
        return child is not None and child.after_end is not None

    def _holds(self, child_id: str, *, in_groups: bool) -> bool:
        child = self._children.get(child_id)
        if child is None:
            return False
        if in_groups:
            return child.phase in ("starting", "restarting") or child.after_end == "waiting"
        return not child.has_come and (child.phase == "starting" or child.after_end == "waiting")

    def begin(self, child: Child) -> Begin:
        """Give a child its next life."""
        child.incarnation += 1
        child.phase = "starting"
        return Begin(child.id, child.incarnation)

    def end(self, child: Child) -> End:
        """Tell a child to end."""
        child.phase = "stopping"
        return End(child.id, child.incarnation)

    def check_invariants(self) -> None:
        """Raise `AssertionError` where the queues contradict the children. For tests."""
        children = self._children.values()
        queued = {child_id for layer in self.begins for child_id in layer}
        waiting = {child.id for child in children if child.phase == "waiting"}
        restarting = {child.id for child in children if child.phase == "restarting"}
        assert self.delayed.keys() == restarting, "each delay has its child"  # noqa: S101
        assert waiting <= queued, "nobody waits for ever"  # noqa: S101
        assert not self.ends or any(child.phase == "stopping" for child in children), "who ends others waits for one"  # noqa: S101


def _only(ids: Collection[str], layers: list[list[str]]) -> list[list[str]]:
    kept = ([child_id for child_id in layer if child_id in ids] for layer in layers)
    return [layer for layer in kept if layer]
