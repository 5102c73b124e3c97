"""Which actors hang: one whose handler runs for too long, or who does not get its turn; never one that gets on or waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.supervision.progress import Progress, Sight

HANG_AFTER_S = 3.0
LOOK_S = 0.25


class Observed:
    """An actor that is looked at four times a second. `handled`, `began` and the rest are what a look would find."""

    def __init__(self):
        self.now = 100.0
        self.progress = Progress(HANG_AFTER_S, self.now, 2 * LOOK_S)
        self.life = 1
        self.handled = 0
        self.began = None
        self.oldest_at = None
        self.waits = False
        self.waited_s = 0.0
        self._look()

    def run(self, seconds, each_look=lambda: None):
        """Give the first stall that a look finds, or None."""
        for _ in range(round(seconds / LOOK_S)):
            self.now += LOOK_S
            if self.waits:
                self.waited_s += LOOK_S
            each_look()
            if (stall := self._look()) is not None:
                return stall
        return None

    def begin(self):
        self.began = self.now

    def finish(self):
        self.handled += 1
        self.began = None

    def _look(self):
        sight = Sight(self.life, self.handled, self.began, self.oldest_at, self.waits, self.waited_s)
        return self.progress.look(sight, self.now)


@pytest.fixture
def actor():
    return Observed()


def test_a_handler_that_runs_for_longer_than_its_bound_hangs(actor):
    actor.begin()

    assert actor.run(HANG_AFTER_S) is None
    stall = actor.run(LOOK_S)
    assert stall.where == "handler"
    assert stall.for_s == pytest.approx(HANG_AFTER_S + LOOK_S)


def test_an_idle_actor_does_not_hang(actor):
    assert actor.run(3600) is None


def test_one_that_takes_nearly_its_bound_for_each_message_does_not_hang(actor):
    actor.oldest_at = actor.now
    for _ in range(10):
        actor.begin()
        assert actor.run(HANG_AFTER_S - LOOK_S) is None
        actor.finish()


def test_a_turn_that_lasts_does_not_hang_as_long_as_messages_are_handled_in_it(actor):
    actor.begin()
    actor.oldest_at = actor.now

    def handle_one():
        actor.handled += 1

    assert actor.run(60, handle_one) is None


def test_the_last_handler_of_a_long_turn_hangs_by_its_own_time_only(actor):
    actor.begin()

    def handle_one():
        actor.handled += 1

    actor.run(60, handle_one)

    assert actor.run(HANG_AFTER_S) is None
    assert actor.run(LOOK_S).where == "handler"


def test_one_whose_messages_wait_without_a_turn_hangs_in_its_mailbox(actor):
    actor.oldest_at = actor.now

    assert actor.run(HANG_AFTER_S) is None
    assert actor.run(LOOK_S).where == "mailbox"


def test_a_message_that_has_just_come_does_not_count_as_old_because_nothing_was_handled_before(actor):
    actor.run(60)
    actor.oldest_at = actor.now

    assert actor.run(HANG_AFTER_S) is None


def test_a_wait_that_the_runtime_knows_of_does_not_count_however_long(actor):
    actor.begin()
    actor.oldest_at = actor.now
    actor.waits = True

    assert actor.run(3600) is None


def test_what_a_handler_works_before_and_after_a_wait_counts(actor):
    actor.begin()
    actor.run(2.0)
    actor.waits = True
    actor.run(60)
    actor.waits = False

    assert actor.run(HANG_AFTER_S - 2.0) is None
    assert actor.run(LOOK_S).where == "handler"


def test_short_waits_between_two_looks_are_counted_by_their_length(actor):
    actor.begin()

    def wait_for_half_of_it():
        actor.waited_s += LOOK_S / 2

    assert actor.run(2 * HANG_AFTER_S, wait_for_half_of_it) is None
    assert actor.run(2 * LOOK_S, wait_for_half_of_it).for_s == pytest.approx(HANG_AFTER_S + LOOK_S / 2)


def test_a_new_life_has_no_past(actor):
    actor.begin()
    actor.run(HANG_AFTER_S)
    actor.life = 2
    actor.begin()

    assert actor.run(HANG_AFTER_S) is None


def test_time_in_which_nobody_looked_does_not_count(actor):
    """A node that was stopped and let go on by an operator has handlers as old as that."""
    actor.begin()
    actor.now += 60

    assert actor.run(HANG_AFTER_S - 2 * LOOK_S) is None


@given(st.lists(st.tuples(st.sampled_from(["work", "wait", "next", "pause"]), st.floats(0.0, 2.9)), max_size=40))
def test_no_actor_hangs_that_works_for_less_than_its_bound_between_two_messages(history):
    actor = Observed()
    actor.oldest_at = actor.now
    actor.begin()
    worked_s = 0.0
    for what, seconds in history:
        match what:
            case "next":
                actor.handled += 1
                worked_s = 0.0
            case "pause":
                # It may have begun anew just before: what one look is allowed to miss counts.
                actor.now += seconds
                worked_s += 2 * LOOK_S
            case _ if what == "wait" or worked_s + seconds < HANG_AFTER_S - LOOK_S:
                actor.waits = what == "wait"
                worked_s += 0 if actor.waits else seconds
                if worked_s < HANG_AFTER_S:
                    assert actor.run(seconds) is None
                actor.waits = False
