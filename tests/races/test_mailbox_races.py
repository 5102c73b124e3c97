"""Putting, taking, closing and taking back meet in a mailbox: every envelope comes to exactly one end."""

import threading
import time

import pytest

from actors.runtime.envelope import Envelope
from actors.runtime.mailbox import Mailbox
from actors.runtime.waiting import waiter_of_this_thread
from tests.support.interleavings import Seen, assert_caught, assert_holds, wait_in_sight

HELD_S = 1000.0


class Kept(Mailbox):
    """A mailbox that keeps what is undeliverable, and never lacks room."""

    def __init__(self, capacity=10):
        super().__init__(capacity)
        self.undelivered = []

    def _new_queue(self):
        return Seen()

    def _schedule(self, _):
        pass

    def _make_room(self, envelope):
        return True

    def _undeliverable(self, envelope):
        self.undelivered.append(envelope.message)


class ChecksThenAppends(Kept):
    """Pykka's bug: the sender looks, the actor closes, the sender appends."""

    def put(self, envelope):
        if self.closed:
            self._undeliverable(envelope)
            return
        (self.waiting if self.waiting is not None else self._make()).append(envelope)


class DrainsACopy(Kept):
    """Takes what waits in two steps, so that what comes or goes between them is lost or given twice."""

    def _drain(self):
        if self.waiting is not None:
            left = list(self.waiting)
            self.waiting.clear()
            for envelope in left:
                self._undeliverable(envelope)


class LooksThenPops(Kept):
    """Two who take give the same envelope, and lose the next."""

    def take(self):
        try:
            first = self.waiting[0]
            self.waiting.popleft()
        except IndexError:
            return None
        return first


class MakesItsQueueUnlocked(Kept):
    """Two first senders make a queue each, and one queue is lost with what is in it."""

    def _make(self):
        if self.waiting is None:
            self.waiting = Seen()
        return self.waiting


class PutsBackWithoutLooking(Kept):
    def put_back(self, envelope):
        self.waiting.appendleft(envelope)


class WithdrawsTwice(Kept):
    """Says that a message was taken out where a turn had taken it."""

    def withdraw(self, reply):
        envelope = next((one for one in list(self.waiting) if one.reply is reply), None)
        if envelope is None:
            return False
        try:
            self.waiting.remove(envelope)
        except ValueError:
            pass
        return True


class Met:
    """A mailbox in which threads meet, and what they put in and took out."""

    mailbox_class = Kept
    before = ""

    def __init__(self):
        # The lock that all mailboxes share was made before the exploration, which does not see who waits for it.
        self.box = type("Box", (self.mailbox_class,), {"_making": threading.Lock(), "__slots__": ()})()
        self.sent = []
        self.taken = []
        for message in self.before:
            self.put(message)

    def put(self, message):
        self.sent.append(message)
        self.box.put(Envelope(message))

    def put_x(self):
        self.put("x")

    def put_y(self):
        self.put("y")

    def take(self):
        envelope = self.box.take()
        if envelope is not None:
            self.taken.append(envelope.message)

    def close(self):
        self.box.close()

    def check(self):
        waiting = [one.message for one in self.box.waiting or ()]
        assert sorted([*self.taken, *self.box.undelivered, *waiting]) == sorted(self.sent)
        assert not (self.box.closed and waiting)


class PutTakeClose(Met):
    """A sender, the actor's turn and the closer."""

    before = "a"
    threads = (Met.put_x, Met.take, Met.close)


class PutPutClose(Met):
    """Two senders, each the first, and the closer."""

    threads = (Met.put_x, Met.put_y, Met.close)


class TakeTakeClose(Met):
    """Two who take, as a turn and a sender to a mailbox that drops the oldest, and the closer."""

    before = "ab"
    threads = (Met.take, Met.take, Met.close)


class PutBackClose(Met):
    """A life that ends puts back what it had put aside, while its supervisor releases the cell."""

    before = "b"

    def put_back(self):
        self.sent.append("a")
        self.box.put_back(Envelope("a"))

    threads = (put_back, Met.close)


class PutReopen(Met):
    """A sender crosses the end of one life and the beginning of the next: handled or not, the message is somewhere."""

    def close_and_reopen(self):
        self.box.close()
        self.box.closed = False

    threads = (Met.put_x, close_and_reopen)


class WithdrawTakeClose(Met):
    """An asker takes its ask back, the turn takes it into hand, the mailbox is closed: one of them has it."""

    def __init__(self):
        super().__init__()
        self.reply = object()
        self.sent.append("a")
        self.box.put(Envelope("a", reply=self.reply))

    def withdraw(self):
        if self.box.withdraw(self.reply):
            self.taken.append("a")

    threads = (withdraw, Met.take, Met.close)


RACES = [PutTakeClose, PutPutClose, TakeTakeClose, PutBackClose, PutReopen, WithdrawTakeClose]
TWINS = [
    (PutTakeClose, ChecksThenAppends),
    (PutTakeClose, DrainsACopy),
    (PutPutClose, ChecksThenAppends),
    (PutPutClose, MakesItsQueueUnlocked),
    (TakeTakeClose, LooksThenPops),
    (PutBackClose, PutsBackWithoutLooking),
    (PutReopen, DrainsACopy),
    (WithdrawTakeClose, WithdrawsTwice),
]


def named(part):
    return part.__name__


@pytest.mark.parametrize("race", RACES, ids=named)
def test_every_envelope_is_taken_waiting_or_undeliverable_exactly_once(race):
    assert_holds(race)


@pytest.mark.parametrize(("race", "twin"), TWINS, ids=named)
def test_a_mailbox_that_loses_or_doubles_an_envelope_is_caught(race, twin):
    assert_caught(type(race.__name__, (race,), {"mailbox_class": twin}))


class HeldSender(Met):
    """A sender is held while the mailbox is full."""

    before = "a"

    def __init__(self):
        super().__init__()
        self.box.capacity = 1
        self.box.blocked = Seen()

    def be_held(self):
        wait_in_sight()
        began = time.monotonic()
        self.fits = self.box.wait_for_room(HELD_S)
        self.held_s = time.monotonic() - began

    def check(self):
        assert self.fits
        assert self.held_s < HELD_S
        assert not self.box.blocked


class HeldSenderTake(HeldSender):
    threads = (HeldSender.be_held, Met.take)


class HeldSenderClose(HeldSender):
    threads = (HeldSender.be_held, Met.close)


class TellsNobody(Kept):
    def tell_there_is_room(self, *, everybody=False):
        pass


class LooksBeforeItSaysSo(Kept):
    """A sender that is about to be held says so only after it has looked."""

    def wait_for_room(self, timeout):
        waiter = waiter_of_this_thread()

        def fits():
            if self.closed or self.depth < self.capacity:
                return True
            self.blocked.append(waiter.wake)
            return False

        return waiter.wait(fits, timeout)


@pytest.mark.parametrize("race", [HeldSenderTake, HeldSenderClose], ids=named)
def test_a_sender_that_is_held_is_told_that_there_is_room(race):
    assert_holds(race)


@pytest.mark.parametrize("twin", [TellsNobody, LooksBeforeItSaysSo], ids=named)
@pytest.mark.parametrize("race", [HeldSenderTake, HeldSenderClose], ids=named)
def test_a_sender_that_would_wait_for_ever_is_caught(race, twin):
    assert_caught(type(race.__name__, (race,), {"mailbox_class": twin}))
