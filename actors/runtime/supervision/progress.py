"""Progress: whether an actor gets on, decided from looks at it and the time; no threads, clock or I/O.

The rule, in this one place: an actor is hung when one handler has run for longer than `hang_after`, or when its oldest message
has waited for longer than that and nothing was handled meanwhile. Time in a wait that the runtime knows of does not count, nor
does time in which nobody looked (`own_time`).

Handlers are not timed, which would cost every message a clock: a look sees how many messages have been handled and when the turn
began, so a handler that was there at two looks has run in between, and what cannot be known counts in the actor's favour.
"""

from typing import Literal

from msgspec import Struct

from .own_time import OwnTime


class Sight(Struct, frozen=True):
    """What a look at an actor finds.

    `life` and `handled` only grow. `began` is when the turn began whose handler runs (None: none does), `oldest_at` when the
    oldest message was sent that waits (None: none does), both monotonic. `waits` says that the handler waits now, in a way that
    the runtime knows of, and `waited_s` for how long this life has done so in all.
    """

    life: int
    handled: int = 0
    began: float | None = None
    oldest_at: float | None = None
    waits: bool = False
    waited_s: float = 0.0


class Stall(Struct, frozen=True):
    """Nothing gets on: in the handler that runs, or in the mailbox of an actor that does not get its turn."""

    where: Literal["handler", "mailbox"]
    for_s: float


class Progress:
    """Judges one actor. `most_s` is the most that may pass between two looks with nothing wrong. One thread at a time."""

    def __init__(self, hang_after_s: float, now: float, most_s: float) -> None:
        self._hang_after_s = hang_after_s
        self._time = OwnTime(now, most_s)
        self._own = 0.0
        self._last = Sight(0)
        self._busy_s = 0.0
        self._stalled_s = 0.0

    def look(self, sight: Sight, now: float) -> Stall | None:
        """Take a look's finding; gives what has stalled, at each look as long as it has."""
        self._time.look(now)
        own = self._time.at(now)
        passed_s, self._own = own - self._own, own
        last, self._last = self._last, sight
        if sight.life != last.life:
            self._busy_s = self._stalled_s = 0.0
            return None
        waited_s = passed_s if sight.waits else max(0.0, sight.waited_s - last.waited_s)
        worked_s = max(0.0, passed_s - waited_s)
        is_as_before = sight.handled == last.handled
        self._busy_s = self._busy_for(sight, last, now, worked_s)
        self._stalled_s = self._stalled_s + worked_s if is_as_before and sight.oldest_at is not None else 0.0
        if self._busy_s > self._hang_after_s:
            return Stall("handler", self._busy_s)
        if sight.oldest_at is not None and min(self._stalled_s, now - sight.oldest_at) > self._hang_after_s:
            return Stall("mailbox", self._stalled_s)
        return None

    def _busy_for(self, sight: Sight, last: Sight, now: float, worked_s: float) -> float:
        if sight.began is None or sight.handled != last.handled:
            # Another handler than at the last look, if any: it may have begun just now.
            return 0.0
        if sight.began == last.began:
            return self._busy_s + worked_s
        return min(worked_s, max(0.0, now - sight.began))
