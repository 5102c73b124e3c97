"""Timers call back once, in the order of their times, whatever one callback does."""

import queue
import threading

import pytest

from actors.runtime.clock import SystemClock
from actors.runtime.timers import Timers

PATIENCE_S = 5.0


@pytest.fixture
def timers():
    timers = Timers(SystemClock())
    yield timers
    timers.close()


@pytest.fixture
def called():
    return queue.SimpleQueue()


def test_callbacks_come_in_the_order_of_their_times(timers, called):
    now = SystemClock().monotonic()
    for delay in (0.03, 0.01, 0.02):
        timers.call_at(now + delay, lambda delay=delay: called.put(delay))

    assert [called.get(timeout=PATIENCE_S) for _ in range(3)] == [0.01, 0.02, 0.03]


def test_callbacks_of_one_time_come_in_the_order_of_their_asking(timers, called):
    deadline = SystemClock().monotonic() + 0.02
    for number in range(5):
        timers.call_at(deadline, lambda number=number: called.put(number))

    assert [called.get(timeout=PATIENCE_S) for _ in range(5)] == [0, 1, 2, 3, 4]


def test_a_time_that_is_past_is_due_at_once(timers, called):
    timers.call_later(-1, lambda: called.put("late"))

    assert called.get(timeout=PATIENCE_S) == "late"


def test_a_cancelled_timer_does_not_call_back(timers, called):
    timers.call_later(0.01, lambda: called.put("cancelled")).cancel()
    timers.call_later(0.02, lambda: called.put("kept"))

    assert called.get(timeout=PATIENCE_S) == "kept"
    assert called.empty()


def test_a_callback_that_fails_is_logged_and_the_next_one_comes(timers, called, capsys):
    timers.call_later(0, lambda: 1 / 0)
    timers.call_later(0, lambda: called.put("next"))

    assert called.get(timeout=PATIENCE_S) == "next"
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("never", [float("inf"), 1e12, float("nan")])
def test_a_time_beyond_what_the_operating_system_can_wait_for_stops_no_other_timer(timers, called, never):
    timers.call_at(never, lambda: None)
    timers.call_later(0.01, lambda: called.put("next"))

    assert called.get(timeout=PATIENCE_S) == "next"


def test_cancelled_timers_do_not_pile_up_until_their_time(timers):
    """Each ask sets one and cancels it within microseconds; its time is seconds away."""
    for _ in range(5000):
        timers.call_later(60, lambda: None).cancel()

    assert len(timers._heap) < 2000


def test_close_ends_the_thread_and_forgets_what_was_to_come(called):
    timers = Timers(SystemClock())
    timers.call_later(0.001 + 60, lambda: called.put("never"))

    timers.close()

    assert not timers._thread.is_alive()
    assert called.empty()


def test_close_tells_those_who_asked_to_hear_of_it(called):
    """An ask must resolve even where the system ends before its deadline."""
    timers = Timers(SystemClock())
    timers.call_at(SystemClock().monotonic() + 60, lambda: called.put("due"), at_close=lambda: called.put("closed"))
    timers.call_later(60, lambda: called.put("never"), at_close=lambda: called.put("cancelled")).cancel()

    timers.close()

    assert called.get(timeout=PATIENCE_S) == "closed"
    assert called.empty()


def test_a_timer_on_closed_timers_hears_of_the_close_at_once(called):
    timers = Timers(SystemClock())
    timers.close()

    timers.call_later(60, lambda: called.put("never"), at_close=lambda: called.put("closed"))

    assert called.get(timeout=PATIENCE_S) == "closed"


def test_a_callback_may_close_the_timers():
    timers, closed = Timers(SystemClock()), threading.Event()

    def close():
        timers.close()
        closed.set()

    timers.call_later(0, close)

    assert closed.wait(PATIENCE_S)
    timers._thread.join(PATIENCE_S)
