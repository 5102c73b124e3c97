"""OwnTime: the time that a watcher was there to see pass.

A watcher that was stopped, starved or suspended has seen nothing meanwhile, so silence in that time is no evidence. It looks at a
known interval; what passes between two looks beyond the most that is in order is lost, and counts against nobody. (Reading the
clock of the machine instead makes every watched process look dead after a SIGSTOP of its watcher.) Monotonic clocks only: a step
of the wall clock changes nothing here.
"""


class OwnTime:
    """Own seconds from monotonic ones. `most_s` is the most that may pass between two looks with nothing wrong."""

    def __init__(self, now: float, most_s: float) -> None:
        self._most_s = most_s
        self._looked_at = now
        self._own = 0.0

    def at(self, now: float) -> float:
        """Give the own time at `now`, a monotonic time since the last look."""
        return self._own + min(max(0.0, now - self._looked_at), self._most_s)

    def look(self, now: float) -> float:
        """Look, at `now`, and give the seconds that were lost since the last look."""
        lost = max(0.0, now - self._looked_at - self._most_s)
        self._own = self.at(now)
        self._looked_at = max(self._looked_at, now)
        return lost
