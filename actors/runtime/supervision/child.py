"""Child: what a supervisor's machine remembers of one child."""

from typing import Literal

from msgspec import Struct

from .spec import AnySpec

ChildPhase = Literal["waiting", "starting", "running", "restarting", "stopping", "stopped", "parked"]
AfterEnd = Literal["waiting", "stopped", "parked", "gone"]
"""What becomes of a child that was told to end: started again, left, left as parked, or forgotten."""

ALIVE: tuple[ChildPhase, ...] = ("starting", "running", "stopping")


class Child(Struct, gc=False):
    """One child.

    `failures` are those in a row; `restarts` are its own, in the supervisor's seconds. `after_end` is set while the child is
    alive and has to end; in the phase `stopping` it has been told so. `by_order` marks one that somebody has
    stopped, and that stays so.

    `has_come` says that it has been running, or given up on, since its supervisor began; until then those after it wait.
    `on_trial` says that it has not been running since a reload has put it there or changed it.

    Many children may share one spec, which is why a child has its own id. One can be of 100,000, so the garbage collector does
    not look at it; nothing in it can lead back to it.
    """

    id: str
    spec: AnySpec
    phase: ChildPhase = "waiting"
    incarnation: int = 0
    failures: int = 0
    restarts: tuple[float, ...] = ()
    ready_at: float | None = None
    was_ready: bool = False
    has_come: bool = False
    on_trial: bool = False
    after_end: AfterEnd | None = None
    by_order: bool = False

    @property
    def is_alive(self) -> bool:
        """Tell whether it has a life, even one that is ending."""
        return self.phase in ALIVE
