"""Alarms: what a supervisor tells itself when something has taken its time."""

from collections.abc import Callable
from typing import NamedTuple


class Due(NamedTuple):
    """A restart's delay is over."""

    child: str
    incarnation: int


class Overdue(NamedTuple):
    """A child has not started, or not stopped, in time."""

    child: str
    incarnation: int


class Alarm:
    """A signal that the supervisor puts to itself at a time, unless it is over before."""

    __slots__ = ("_put", "_signal", "is_over")

    def __init__(self, put: Callable[[object], None], signal: object) -> None:
        self._put = put
        self._signal = signal
        self.is_over = False

    def fire(self) -> None:
        """Put the signal."""
        self.is_over = True
        self._put(self._signal)

    def forget(self) -> None:
        """Do nothing: a system that is closed supervises no more."""
        self.is_over = True
