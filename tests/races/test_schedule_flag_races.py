"""A put and the end of a turn meet: no message is left without a turn, and there are never two turns at once."""

import pytest

from actors.runtime.envelope import Envelope
from actors.runtime.mailbox import Mailbox
from tests.support.interleavings import Seen, assert_caught, assert_holds


class Scheduled(Mailbox):
    """A mailbox whose first turn runs already, and which keeps count of who has the duty of a turn."""

    def __init__(self):
        super().__init__(10, scheduled=True)
        self.waiting = Seen()
        self.signals = Seen()
        self.on_duty = ["the first turn"]
        self.overlapped = False

    def _schedule(self, _):
        self.take_duty("a scheduled turn")

    def take_duty(self, who):
        if self.on_duty:
            self.overlapped = True
        self.on_duty.append(who)


class DoesNotLookAgain(Scheduled):
    """A message that comes as the turn ends waits for the next one that comes."""

    def end_turn(self):
        self._idle = True
        self._scheduled.release()


class LooksTooEarly(Scheduled):
    def end_turn(self):
        again = bool(self.waiting) or bool(self.signals)
        self._idle = True
        self._scheduled.release()
        if again:
            self.wake()


class LooksThenSets(Scheduled):
    """Looks at the flag and sets it in two steps: two who have looked both have a turn run."""

    def wake(self):
        if self._idle:
            self._idle = False
            self._schedule(self)

    def put(self, envelope):
        self.waiting.append(envelope)
        self.wake()

    def begin_turn(self):
        idle, self._idle = self._idle, False
        return idle

    def end_turn(self):
        self._idle = True
        if self.waiting or self.signals:
            self.wake()


class Met:
    """A mailbox that threads put into while a turn runs, or while it is idle. Turns that are scheduled stay to come."""

    box_class = Scheduled
    starts_idle = False

    def __init__(self):
        self.box = self.box_class()
        self.sent = []
        self.handled = []
        if self.starts_idle:
            self.turn()

    def put(self):
        self.sent.append("message")
        self.box.put(Envelope("message"))

    def signal(self):
        self.sent.append("signal")
        self.box.put_signal("signal")

    def ask_inline(self):
        if self.box.begin_turn():
            self.box.take_duty("an asker")
            self.turn()

    def turn(self):
        while self.box.signals:
            self.handled.append(self.box.signals.pop(0))
        while (envelope := self.box.take()) is not None:
            self.handled.append(envelope.message)
        self.box.on_duty.pop()
        self.box.end_turn()

    def check(self):
        left = len(self.box.waiting) + len(self.box.signals)
        assert len(self.handled) + left == len(self.sent)
        assert not self.box.overlapped
        assert len(self.box.on_duty) == 1 or not left
        assert len(self.box.on_duty) <= 1


class PutTurnPut(Met):
    """Two senders meet the end of a turn."""

    threads = (Met.turn, Met.put, Met.put)


class PutTurnSignal(Met):
    """A sender and the supervisor meet the end of a turn."""

    threads = (Met.turn, Met.put, Met.signal)


class PutIdlePut(Met):
    """Two senders meet at an idle mailbox."""

    starts_idle = True
    threads = (Met.put, Met.put)


class AskInlinePut(Met):
    """An asker that runs the actor on its own thread meets a sender and another such asker."""

    starts_idle = True
    threads = (Met.ask_inline, Met.put, Met.ask_inline)


def named(part):
    return part.__name__


@pytest.mark.parametrize("race", [PutTurnPut, PutTurnSignal, PutIdlePut, AskInlinePut], ids=named)
def test_whatever_is_put_has_one_turn_to_come(race):
    assert_holds(race)


@pytest.mark.parametrize(
    ("race", "twin"),
    [
        (PutTurnPut, DoesNotLookAgain),
        (PutTurnPut, LooksTooEarly),
        (PutTurnPut, LooksThenSets),
        (PutTurnSignal, DoesNotLookAgain),
        (PutTurnSignal, LooksTooEarly),
        (PutIdlePut, LooksThenSets),
        (AskInlinePut, DoesNotLookAgain),
        (AskInlinePut, LooksThenSets),
    ],
    ids=named,
)
def test_a_flag_that_loses_a_turn_or_gives_two_is_caught(race, twin):
    assert_caught(type(race.__name__, (race,), {"box_class": twin}))
