"""An answer, a deadline, a cancel and those who wait meet in a future: one outcome, told to everybody once."""

import time

import pytest

from actors.runtime.envelope import Envelope
from actors.runtime.errors import AskCancelledError, AskTimeoutError
from actors.runtime.future import Future, gather
from actors.runtime.mailbox import Mailbox
from actors.runtime.waiting import waiter_of_this_thread
from tests.support.interleavings import Seen, assert_caught, assert_holds, wait_in_sight

PATIENCE_S = 1000.0


class ResolvesWithoutAClaim(Future):
    """Whoever resolves looks first, and two may have looked."""

    def set_result(self, value):
        if self.is_resolved():
            return False
        self._value = value
        self._tell()
        return True


class LooksThenAppends(Future):
    """A callback that comes as the answer comes is kept for nobody, and who waits sleeps on."""

    def add_done_callback(self, callback):
        if self.is_resolved():
            callback(self)
        else:
            self._callbacks.append(callback)


class TellsACopy(Future):
    """Callbacks are called from a copy, so that the resolver and a late comer call the same one."""

    def _tell(self):
        for callback in list(self._callbacks):
            callback(self)
        self._callbacks.clear()


class SleepsWithoutLooking(Future):
    """Looks before it leaves its callback, and not again: an answer in between wakes nobody."""

    def get(self, timeout=None):
        if not self.is_resolved():
            waiter = waiter_of_this_thread()
            self._callbacks.append(waiter.wake)
            waiter._woken.acquire(timeout=timeout)
        return self._outcome()


class CancelsThenTakesOut(Future):
    """Says that the ask was taken back where the actor has it in hand."""

    def cancel(self):
        if not self.set_error(AskCancelledError("cancelled")):
            return False
        self._target.withdraw(self)
        return True


class Asked(Mailbox):
    """An actor's mailbox, as far as an ask needs it."""

    path = "/asked"

    def __init__(self):
        super().__init__(10)
        self.waiting = Seen()

    def _schedule(self, _):
        pass

    def report_unobserved(self, error):
        pass


class Met:
    """A future in which threads meet, who resolved it, and who was told."""

    future_class = Future

    def __init__(self):
        self.asked = Asked()
        self.future = self.future_class(self.asked)
        self.future._callbacks = Seen()
        self.callbacks = 0
        self.told = []
        self.won = []
        self.in_hand = False
        self.asked.put(Envelope("ask", reply=self.future))

    def listen(self):
        number = self.callbacks = self.callbacks + 1
        self.future.add_done_callback(lambda future: self.told.append((number, outcome_of(future))))

    def handle(self):
        if self.asked.take() is not None:
            self.in_hand = True
            self.reply()

    def reply(self):
        if self.future.set_result("reply"):
            self.won.append("reply")

    def time_out(self):
        if self.future.set_error(AskTimeoutError()):
            self.won.append(AskTimeoutError)

    def cancel(self):
        if self.future.cancel():
            self.won.append(AskCancelledError)

    def check(self):
        assert self.won == ([outcome_of(self.future)] if self.future.is_resolved() else [])
        assert not (self.in_hand and self.won == [AskCancelledError])
        told = [(number, self.won[0]) for number in range(1, self.callbacks + 1)] if self.won else []
        assert sorted(self.told, key=str) == told


def outcome_of(future):
    error = future.error()
    return future.get(0) if error is None else type(error)


class ReplyTimeout(Met):
    """The actor answers as the time is up, and somebody begins to listen."""

    def __init__(self):
        super().__init__()
        self.listen()

    threads = (Met.reply, Met.time_out, Met.listen)


class HandleCancelTimeout(Met):
    """The turn takes the ask into hand as the asker takes it back, and the time is up."""

    def __init__(self):
        super().__init__()
        self.listen()

    threads = (Met.handle, Met.cancel, Met.time_out)


class GetReply(Met):
    """Somebody begins to wait as the answer comes."""

    waited_s = 0.0

    def get(self):
        wait_in_sight()
        began = time.monotonic()
        try:
            self.future.get(PATIENCE_S)
        except AskTimeoutError:
            pass
        self.waited_s = max(self.waited_s, time.monotonic() - began)

    def check(self):
        super().check()
        assert self.waited_s < PATIENCE_S or not self.won

    threads = (get, Met.reply)


class GetTimeout(GetReply):
    """Somebody begins to wait as the time for the ask is up."""

    threads = (GetReply.get, Met.time_out)


def named(part):
    return part.__name__


@pytest.mark.parametrize("race", [ReplyTimeout, HandleCancelTimeout, GetReply, GetTimeout], ids=named)
def test_there_is_one_outcome_everybody_is_told_of_it_once_and_nobody_sleeps_on(race):
    assert_holds(race)


@pytest.mark.parametrize(
    ("race", "twin"),
    [
        (ReplyTimeout, LooksThenAppends),
        (ReplyTimeout, TellsACopy),
        (HandleCancelTimeout, ResolvesWithoutAClaim),
        (HandleCancelTimeout, CancelsThenTakesOut),
        (GetReply, SleepsWithoutLooking),
        (GetTimeout, SleepsWithoutLooking),
    ],
    ids=named,
)
def test_a_future_that_has_the_bug_is_caught(race, twin):
    assert_caught(type(race.__name__, (race,), {"future_class": twin}))


class GatherTwo:
    """The last two answers of several come at once."""

    def gather(self, *futures):
        return gather(*futures)

    def __init__(self):
        self.futures = [Future(), Future()]
        self.told = []
        self.gathered = self.gather(*self.futures)
        self.gathered.add_done_callback(lambda done: self.told.append(done.get(0)))

    threads = (lambda met: met.futures[0].set_result("a"), lambda met: met.futures[1].set_result("b"))

    def check(self):
        if all(future.is_resolved() for future in self.futures):
            assert self.told == [["a", "b"]]


class Counted:
    def __init__(self, missing):
        self.missing = missing


class GatherByCounting(GatherTwo):
    """Counts what is missing in two steps, so that the last one may not see that it is the last."""

    def gather(self, *futures):
        gathered, counted = Future(), Counted(len(futures))

        def resolved(_):
            counted.missing -= 1
            if counted.missing == 0:
                gathered.set_result([future.get(0) for future in futures])

        for future in futures:
            future.add_done_callback(resolved)
        return gathered


def test_a_gathered_future_resolves_with_the_last_of_those_it_gathers():
    assert_holds(GatherTwo)


def test_a_gathered_future_that_misses_the_last_one_is_caught():
    assert_caught(GatherByCounting)
