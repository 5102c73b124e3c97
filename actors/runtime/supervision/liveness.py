"""Liveness: which processes have been silent for too long, decided from beats and the time; no threads, clock or I/O.

A process that lives beats several times a second. The watcher ticks at a known interval, and counts silence in its own time
(`own_time`), so that one that was paused blames nobody for it. The first tick after a pause does not judge either: the beats that
came meanwhile are still to be read.
"""

from collections.abc import Hashable

from msgspec import Struct

from .own_time import OwnTime

TICK_S = 0.25
"""Between two beats of a process, and between two ticks of who watches it."""
LATE_S = 2 * TICK_S
"""A tick that comes later than this after the one before has lost time."""


class Silence(Struct, frozen=True):
    """Somebody has not been heard for `for_s` of the watcher's own seconds."""

    key: Hashable
    for_s: float


class Tick(Struct, frozen=True):
    """What a tick has found: the seconds that the watcher has lost before it, and who has become silent."""

    lost_s: float = 0.0
    silent: tuple[Silence, ...] = ()


class Liveness:
    """Listens for beats. Times are monotonic seconds; one thread at a time."""

    def __init__(self) -> None:
        self._time: OwnTime | None = None
        self._heard: dict[Hashable, float] = {}
        self._timeouts: dict[Hashable, float] = {}
        self._silent: set[Hashable] = set()
        self._next = 0.0
        self._was_late = False

    def watch(self, key: Hashable, timeout_s: float, now: float) -> None:
        """Expect beats of `key` from `now` on, each at most `timeout_s` after the one before."""
        if self._time is None:
            self._time, self._next, self._was_late = OwnTime(now, LATE_S), now + TICK_S, False
        self._timeouts[key] = timeout_s
        self._heard[key] = self._time.at(now)

    def forget(self, key: Hashable) -> None:
        """Expect nothing of `key` any more."""
        self._timeouts.pop(key, None)
        self._heard.pop(key, None)
        self._silent.discard(key)
        if not self._timeouts:
            self._time = None

    def beat(self, key: Hashable, now: float) -> None:
        """Hear from `key`; from one that is not watched, it means nothing."""
        if self._time is not None and key in self._timeouts:
            self._heard[key] = self._time.at(now)
            self._silent.discard(key)

    def tell_again(self, key: Hashable) -> None:
        """Tell the silence of `key` once more, as long as it goes on."""
        self._silent.discard(key)

    def due_in(self, now: float) -> float | None:
        """Give the seconds until the next tick is due, 0 where it is; None where nobody is watched."""
        return None if self._time is None else max(0.0, self._next - now)

    def tick(self, now: float) -> Tick:
        """Look who is silent; each silence is told once. Before the tick is due, nothing is looked at."""
        if self._time is None or now < self._next:
            return Tick()
        lost_s = self._time.look(now)
        self._next = now + TICK_S
        # Once, not at each late tick: on a machine that is always late, a hang must be found all the same.
        is_excused, self._was_late = lost_s > 0 and not self._was_late, lost_s > 0
        if is_excused:
            return Tick(lost_s)
        own = self._time.at(now)
        silent = tuple(
            Silence(key, own - self._heard[key])
            for key, timeout_s in self._timeouts.items()
            if key not in self._silent and own - self._heard[key] > timeout_s
        )
        self._silent.update(silence.key for silence in silent)
        return Tick(lost_s, silent)

    def check_invariants(self) -> None:
        """Raise `AssertionError` where the state contradicts itself."""
        assert self._heard.keys() == self._timeouts.keys(), "who is watched was heard once at least"  # noqa: S101
        assert self._silent <= self._timeouts.keys(), "only who is watched is silent"  # noqa: S101
        assert (self._time is None) == (not self._timeouts), "time is kept while somebody is watched"  # noqa: S101
