"""FakeClock: the time is what the test says, and whoever listens hears of it."""

import math

import pytest

from actors.runtime.testing import FakeClock


@pytest.fixture
def clock():
    return FakeClock(monotonic=100.0, wall=1000.0)


def test_time_stands_still_until_it_is_advanced(clock):
    assert (clock.monotonic(), clock.monotonic()) == (100.0, 100.0)

    clock.advance(2.5)

    assert (clock.monotonic(), clock.wall()) == (102.5, 1002.5)


@pytest.mark.parametrize("seconds", [-1, -0.001, math.nan])
def test_time_does_not_go_back(clock, seconds):
    with pytest.raises(ValueError, match="does not go"):
        clock.advance(seconds)

    assert clock.monotonic() == 100.0


def test_the_wall_clock_may_jump_and_the_other_does_not(clock):
    clock.set_wall(5.0)

    assert (clock.monotonic(), clock.wall()) == (100.0, 5.0)


@pytest.mark.parametrize("deadline", [100.1, 100.1 + 0.2, 1e9 + 0.1])
def test_advance_to_reaches_a_deadline_exactly(clock, deadline):
    """By differences, rounding may leave the clock just before it, and what is due there would never come."""
    clock.advance(0.3)

    clock.advance_to(max(deadline, 101.0))

    assert clock.monotonic() == max(deadline, 101.0)


def test_advance_to_a_time_that_has_passed_changes_nothing(clock):
    heard = []
    clock.listen(lambda: heard.append(clock.monotonic()))

    clock.advance_to(99.0)

    assert (clock.monotonic(), heard) == (100.0, [])


def test_listeners_hear_of_each_advance_after_it_until_they_stop(clock):
    heard = []
    stop = clock.listen(lambda: heard.append(clock.monotonic()))

    clock.advance(1)
    clock.advance_to(105)
    stop()
    clock.advance(1)

    assert heard == [101.0, 105.0]
