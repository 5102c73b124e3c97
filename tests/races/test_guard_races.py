"""A handler returns just as its actor is given up because it hangs: one of the two ends the turn, never both or none."""

from actors.runtime.guarded import Guard
from tests.support.interleavings import assert_caught, assert_holds


class LooksThenCloses(Guard):
    """Looks whether it is open and closes it in two steps: two who have looked both end the turn."""

    __slots__ = ("_is_open",)

    def __init__(self):
        super().__init__()
        self._is_open = False

    def open(self):
        self._is_open = True

    def close(self):
        was_open = self._is_open
        self._is_open = False
        return was_open


class ReturnMeetsTakeOver:
    """The turn and the supervisor both want to end it. Each counts on its own: a shared count would be a race of the test's."""

    guard_class = Guard

    def __init__(self):
        self.guard = self.guard_class()
        self.ended_by_turn = self.ended_by_taker = False

    def turn(self):
        for _ in range(2):
            self.guard.open()
            if not self.guard.close():
                return
        self.ended_by_turn = True

    def take_over(self):
        self.ended_by_taker = self.guard.close()

    threads = (turn, take_over)

    def check(self):
        assert [self.ended_by_turn, self.ended_by_taker].count(True) == 1


class HeldByLooking(ReturnMeetsTakeOver):
    guard_class = LooksThenCloses


def test_one_of_the_two_ends_the_turn():
    assert_holds(ReturnMeetsTakeOver)


def test_a_guard_that_lets_both_end_it_is_caught():
    assert_caught(HeldByLooking)


def test_a_guard_that_is_not_open_is_nobodys_to_close():
    guard = Guard()

    assert not guard.close()
    guard.open()
    assert (guard.close(), guard.close()) == (True, False)
