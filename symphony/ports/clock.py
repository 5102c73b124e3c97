"""Clock: the one source of time, so that no rule reads it for itself."""

from typing import Protocol


class Clock(Protocol):
    """Time as the core needs it. Any thread may call; neither method waits."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back. For deadlines and durations."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch; may jump. For timestamps that people read."""
        ...
