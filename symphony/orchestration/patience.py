"""Patience: waiting for a part that is away, since most are restarting and back within a fraction of a second."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from symphony.domain.errors import DeadlineExceededError, UnavailableError
from symphony.ports.clock import Clock

Result = TypeVar("Result")
Wait = Callable[[float], Awaitable[None]]

FIRST_WAIT_S, LONGEST_WAIT_S = 0.02, 0.5


async def patiently(
    call: Callable[[], Awaitable[Result]],
    *,
    clock: Clock,
    wait: Wait,
    budget_s: float,
    on_wait: Callable[[UnavailableError], None] = lambda _: None,
) -> Result:
    """Call again while the part is away, `budget_s` seconds at most; `on_wait` hears of the first time. Gives the call's result.

    Only for calls that may be made again. Raises what the call raises, `UnavailableError` once the time is over, and
    `DeadlineExceededError` at once, since that has taken its time already.
    """
    deadline = clock.monotonic() + budget_s
    tries = 0
    while True:
        try:
            return await call()
        except DeadlineExceededError:
            raise
        except UnavailableError as error:
            tries += 1
            delay = delay_before(tries)
            if clock.monotonic() + delay >= deadline:
                raise
            if tries == 1:
                on_wait(error)
            await wait(delay)


def delay_before(attempt: int) -> float:
    """Give the seconds to wait before this attempt."""
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(attempt - 1, 16))
