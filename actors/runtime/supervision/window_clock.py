"""WindowClock: the time by which restarts are counted. It stands still while a group is being stopped."""


class WindowClock:
    """Turns monotonic seconds into seconds of which none was spent stopping a group.

    Were they counted, a supervisor whose children stop slowly would restart them for ever: by the time they have stopped, the
    window is empty again (https://github.com/erlang/otp/issues/1287).
    """

    def __init__(self) -> None:
        self._stands_since: float | None = None
        self._stood_s = 0.0

    def stand_still(self, now: float) -> None:
        """Stand still from `now` on, or from when it began to."""
        if self._stands_since is None:
            self._stands_since = now

    def go_on(self, now: float) -> None:
        """Go on at `now`, if it stands still."""
        if self._stands_since is not None:
            self._stood_s += now - self._stands_since
            self._stands_since = None

    def read(self, now: float) -> float:
        """Give the time."""
        return (now if self._stands_since is None else self._stands_since) - self._stood_s
