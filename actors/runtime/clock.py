"""The one clock: everything that needs the time is given a `Clock`."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time in seconds. Any thread may call; neither method waits."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back. For deadlines and durations."""
        ...

    def wall(self) -> float:
        """Seconds since the epoch; may jump. For timestamps that people read."""
        ...


class SystemClock:
    """The machine's clocks. The functions themselves: one is called for each message."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)


def timestamp(wall: float) -> str:
    """Give a wall-clock time as RFC 3339 text in UTC, to the microsecond."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """Give the wall-clock time of a `timestamp`."""
    return datetime.fromisoformat(text).timestamp()
