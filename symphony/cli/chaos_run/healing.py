"""Healing: what the tree's events say about one injected fault, until every path that it hit runs again; no threads, no I/O.

Wall times, because events carry those, and who injects is on the same machine. A fault may heal in another kernel than the one
that it began in: incarnations grow across both.
"""

from collections.abc import Mapping

from actors.runtime.chaos.faults import RULES
from actors.runtime.chaos.ledger import Entry
from actors.runtime.chaos.plan import PlannedFault
from actors.runtime.event import Event

KERNEL = "/"


class Healing:
    """One fault, from its injection on. `lives` are the incarnations that were hit, `nodes` the node of each path."""

    def __init__(self, planned: PlannedFault, at: float, lives: Mapping[str, int], nodes: Mapping[str, str], kernel: int) -> None:
        self.planned = planned
        self.at = at
        self._lives = dict(lives)
        self._nodes = dict(nodes)
        self._kernel = kernel
        self._left = set(lives) if RULES[planned.kind].aims_at != "tree" else {KERNEL}
        self._noticed: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._backoff: dict[str, float] = {}
        self._ready: dict[str, float] = {}
        self._incarnations: dict[str, int] = {}
        self._refusal = ""

    @property
    def is_over(self) -> bool:
        """Whether all that was hit runs again, or the fault did not happen."""
        return not self._left or bool(self._refusal)

    def hear(self, event: Event) -> None:
        """Take an event into account."""
        if event.at < self.at or self.is_over:
            return
        if event.type == "fault.refused" and event.path in self._left:
            self._refusal = f"it did not happen: {event.fields.get('reason')}"
        elif KERNEL in self._left:
            self._hear_of_kernel(event)
        else:
            for path in [path for path in self._left if event.path in (path, self._nodes.get(path))]:
                self._hear_of(path, event)

    def entry(self, *, problem: str = "") -> Entry:
        """Give what is known of the fault, with what is wrong with it."""
        healed = max(self._ready.values(), default=None)
        restarts = [
            self._ready[path] - self._ended[path] - self._backoff.get(path, 0.0) for path in self._ready if path in self._ended
        ]
        return Entry(
            self.planned.number,
            self.planned.kind,
            self.planned.paths,
            self.planned.at_s,
            detected_ms=self._since(min(self._noticed.values(), default=None)),
            healed_ms=None if self._left else self._since(healed),
            restart_ms=None if self._left or not restarts else round(max(0.0, *restarts) * 1000, 1),
            backoff_ms=round(max(self._backoff.values(), default=0.0) * 1000, 1),
            incarnations=self._incarnations,
            problem=problem or self._refusal,
            happened=not self._refusal,
        )

    def _hear_of_kernel(self, event: Event) -> None:
        if event.path != KERNEL or event.fields.get("pid") == self._kernel:
            return
        if event.type == "kernel.started":
            self._noticed.setdefault(KERNEL, event.at)
            self._ended.setdefault(KERNEL, event.at)
        elif event.type == "kernel.ready":
            self._ready[KERNEL] = event.at
            self._left.clear()

    def _hear_of(self, path: str, event: Event) -> None:
        match event.type:
            case "node.hung" | "actor.hung":
                self._noticed.setdefault(path, event.at)
            case "actor.exited" | "node.exited":
                self._noticed.setdefault(path, event.at)
                self._ended.setdefault(path, event.at)
            case "actor.restart_scheduled" if path in self._ended:
                delay_s = event.fields.get("delay_s")
                self._backoff[path] = self._backoff.get(path, 0.0) + (delay_s if isinstance(delay_s, int | float) else 0.0)
            case "actor.started" | "actor.restarted" if event.path == path:
                incarnation = event.fields.get("incarnation")
                if isinstance(incarnation, int) and incarnation > self._lives[path]:
                    self._ready[path] = event.at
                    self._incarnations[path] = incarnation
                    self._left.discard(path)
            case _:
                pass

    def _since(self, at: float | None) -> float | None:
        return None if at is None else round((at - self.at) * 1000, 1)
