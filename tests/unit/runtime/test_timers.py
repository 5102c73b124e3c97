"""Timers call back once, in the order of their times, whatever one callback does."""

import queue
import threading

import pytest

from actors.runtime.clock import SystemClock
from actors.runtime.timers import MAX_LANES, TIDY_ABOVE, Timers

PATIENCE_S = 5.0


@pytest.fixture
def timers():
    timers = Timers(SystemClock())
    yield timers
    timers.close()


class Deadline:
    """An appointment as asks make them: over as soon as it is answered, whether or not its time has come."""

    def __init__(self, name, called):
        self.name = name
        self.called = called
        self.is_over = False

    def fire(self):
        self.called.put(self.name)

    def forget(self):
        self.called.put(f"{self.name} forgotten")


def expect(timers, delay_s, deadline):
    timers.expect(deadline, timers.now() + delay_s, delay_s)


def waiting(timers):
    return len(timers._heap) + sum(len(lane) for lane in timers._lanes.values())


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
    assert "ZeroDivisionError" in "".join(capsys.readouterr())


@pytest.mark.parametrize("never", [float("inf"), 1e12, float("nan")])
def test_a_time_beyond_what_the_operating_system_can_wait_for_stops_no_other_timer(timers, called, never):
    timers.call_at(never, lambda: None)
    timers.call_later(0.01, lambda: called.put("next"))

    assert called.get(timeout=PATIENCE_S) == "next"


@pytest.mark.parametrize("same_length", [True, False])
def test_cancelled_timers_do_not_pile_up_until_their_time(timers, same_length):
    """Each ask sets one, and it is over within microseconds; its time is seconds away."""
    for number in range(5 * TIDY_ABOVE):
        timers.call_later(60 + (0 if same_length else number), lambda: None).cancel()

    assert waiting(timers) <= TIDY_ABOVE + MAX_LANES


def test_an_appointment_is_kept_among_others_that_are_over(timers, called):
    for number in range(2 * TIDY_ABOVE):
        if number == TIDY_ABOVE:
            expect(timers, 0.02, Deadline("kept", called))
        timers.call_later(60, lambda: None).cancel()
        timers.call_at(timers.now() + 60, lambda: None).cancel()

    assert called.get(timeout=PATIENCE_S) == "kept"
    assert waiting(timers) <= TIDY_ABOVE + 1


def test_deadlines_of_different_lengths_fire_in_the_order_of_their_times(timers, called):
    """They wait in different lanes."""
    for delay_s in (0.06, 0.02, 0.04):
        expect(timers, delay_s, Deadline(delay_s, called))
    timers.call_at(timers.now() + 0.01, lambda: called.put("first"))

    assert [called.get(timeout=PATIENCE_S) for _ in range(4)] == ["first", 0.02, 0.04, 0.06]


def test_deadlines_of_more_lengths_than_there_are_lanes_all_fire(timers, called):
    delays = [0.0001 * number for number in range(2 * MAX_LANES)]
    for delay_s in delays:
        expect(timers, delay_s, Deadline(delay_s, called))

    assert sorted(called.get(timeout=PATIENCE_S) for _ in delays) == delays
    assert len(timers._lanes) <= MAX_LANES


def test_a_deadline_that_comes_out_of_order_in_its_lane_fires_at_its_time(timers, called):
    """Two threads may read the clock in one order and set their deadlines in the other."""
    now = timers.now()
    timers.expect(Deadline("later", called), now + 0.04, 5.0)
    timers.expect(Deadline("sooner", called), now + 0.02, 5.0)

    assert [called.get(timeout=PATIENCE_S) for _ in range(2)] == ["sooner", "later"]


def test_a_deadline_that_is_over_does_not_fire_nor_hide_the_next(timers, called):
    deadlines = [Deadline(name, called) for name in ("over", "kept")]
    for deadline in deadlines:
        expect(timers, 0.02, deadline)
    deadlines[0].is_over = True

    assert called.get(timeout=PATIENCE_S) == "kept"
    assert called.empty()


@pytest.mark.parametrize("delay_s", [float("nan"), -1.0, float("-inf")])
def test_a_deadline_that_is_no_number_or_past_is_due_and_stops_no_other(timers, called, delay_s):
    expect(timers, 0.02, Deadline("kept", called))
    expect(timers, delay_s, Deadline("due", called))
    expect(timers, delay_s, Deadline("due", called))

    assert [called.get(timeout=PATIENCE_S) for _ in range(3)] == ["due", "due", "kept"]


def test_deadlines_hear_of_the_close_in_the_order_of_their_times(called):
    timers = Timers(SystemClock())
    for delay_s in (30.0, 10.0, 20.0):
        expect(timers, delay_s, Deadline(delay_s, called))

    timers.close()

    assert [called.get(timeout=PATIENCE_S) for _ in range(3)] == ["10.0 forgotten", "20.0 forgotten", "30.0 forgotten"]
    assert called.empty()


def test_a_timer_that_is_sooner_than_all_others_wakes_the_thread(timers, called):
    timers.call_later(60, lambda: called.put("late"))
    timers.call_later(0.005, lambda: called.put("soon"))
    assert called.get(timeout=PATIENCE_S) == "soon"

    timers.call_later(0, lambda: called.put("now"))

    assert called.get(timeout=PATIENCE_S) == "now"


def test_a_callback_may_set_the_next_timer(timers, called):
    timers.call_later(0, lambda: timers.call_later(0, lambda: called.put("second")))

    assert called.get(timeout=PATIENCE_S) == "second"


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


def test_what_is_over_does_not_pile_up_behind_one_that_takes_long(timers, called):
    """A single ask that nobody answers must not keep all later ones of its timeout in memory."""
    expect(timers, 60, Deadline("long", called))
    for _ in range(10 * TIDY_ABOVE):
        timers.call_later(60, lambda: None).cancel()

    assert waiting(timers) <= TIDY_ABOVE + 2


def test_a_lane_that_is_tidied_keeps_what_is_not_over_in_order(timers, called):
    for number in range(3 * TIDY_ABOVE):
        if number % TIDY_ABOVE == 0:
            expect(timers, 0.05, Deadline(number, called))
        timers.call_later(0.05, lambda: None).cancel()

    assert [called.get(timeout=PATIENCE_S) for _ in range(3)] == [0, TIDY_ABOVE, 2 * TIDY_ABOVE]
