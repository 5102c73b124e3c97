"""Beat: what the main thread of a node says several times a second: I am here, and these of my actors hang.

That thread runs no user code, so the beat goes on whatever handlers do, and stops with what stops the whole process: a call
into C that keeps the interpreter's lock, a SIGSTOP. (A beat alone would not do: it goes on while a handler hangs.)
"""

from ..hang_watch import HangWatch
from ..node import words
from ..supervision.liveness import TICK_S


class Beat:
    """Says when to beat, and what. For the main thread."""

    def __init__(self, now: float) -> None:
        self.watch = HangWatch(TICK_S)
        self._next = now

    def due_in(self, now: float) -> float:
        """Give the seconds until the next beat is due, 0 where it is."""
        return max(0.0, self._next - now)

    def take(self, now: float) -> words.Beat | None:
        """Give the beat if it is due."""
        if now < self._next:
            return None
        self._next = now + TICK_S
        return words.Beat([actor for _, actor in self.watch.look(now)])
