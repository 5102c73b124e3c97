"""A bound on a piece of the command line's work: after so many seconds, whatever blocks is interrupted by `TimeoutError`.

By a timer signal, because it is the only thing that ends any blocking call of the main thread in the middle; a bound on each call
would be begun anew by each event that arrives.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Bound what runs within; None is no bound. Main thread only, one at a time."""
    if seconds is None:
        yield
        return
    before = signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _give_up(_number: int, _frame: FrameType | None) -> NoReturn:
    raise TimeoutError("the time is over")
