"""A mailbox loses nothing between a put and a close, gives nothing twice, and always has a turn to come for what waits.

The orders in which threads may meet in it are explored in tests/races; here each face is tested by itself, and with real threads.
"""

import sys
import threading
from collections import deque

import pytest

from actors.runtime.envelope import Envelope
from actors.runtime.mailbox import Mailbox


class Box(Mailbox):
    """A mailbox that keeps what is undeliverable, refuses what is too much, and counts the turns that it asks for."""

    def __init__(self, capacity=3, **options):
        super().__init__(capacity, **options)
        self.undelivered = []
        self.refused = []
        self.turns = 0

    def _schedule(self, _):
        self.turns += 1

    def _make_room(self, envelope):
        self.refused.append(envelope.message)
        return False

    def _undeliverable(self, envelope):
        self.undelivered.append(envelope.message)


class SteppedDeque(deque):
    """A deque that runs a test's step before or after one of its operations, once."""

    def __init__(self):
        super().__init__()
        self.before = {}
        self.after = {}

    def _stepped(self, name, operation):
        self.before.pop(name, lambda: None)()
        result = operation()
        self.after.pop(name, lambda: None)()
        return result

    def append(self, entry):
        return self._stepped("append", lambda: deque.append(self, entry))

    def popleft(self):
        return self._stepped("popleft", lambda: deque.popleft(self))


@pytest.fixture
def mailbox():
    return Box()


@pytest.fixture
def steps(mailbox):
    mailbox.waiting = SteppedDeque()
    return mailbox.waiting


def put(mailbox, messages):
    for message in messages:
        mailbox.put(Envelope(message))


def taken(mailbox):
    messages = []
    while (envelope := mailbox.take()) is not None:
        messages.append(envelope.message)
    return messages


def test_messages_come_out_in_the_order_they_went_in(mailbox):
    put(mailbox, "abc")

    assert mailbox.depth == 3
    assert taken(mailbox) == ["a", "b", "c"]
    assert mailbox.depth == 0


def test_a_mailbox_without_messages_has_no_queue_and_gives_nothing(mailbox):
    """A hundred thousand idle actors must be cheap."""
    assert mailbox.waiting is None
    assert (mailbox.take(), mailbox.oldest(), mailbox.depth) == (None, None, 0)
    mailbox.close()
    assert mailbox.waiting is None


def test_a_full_mailbox_asks_for_room_and_keeps_what_it_has(mailbox):
    put(mailbox, "abcd")

    assert mailbox.refused == ["d"]
    assert taken(mailbox) == ["a", "b", "c"]
    assert mailbox.undelivered == []


def test_where_room_is_made_the_message_is_added():
    class Generous(Box):
        def _make_room(self, envelope):
            self.take()
            return True

    mailbox = Generous()
    put(mailbox, "abcd")

    assert taken(mailbox) == ["b", "c", "d"]


def test_closing_gives_what_waits_to_undeliverable_in_order(mailbox):
    put(mailbox, "abc")

    mailbox.close()

    assert mailbox.undelivered == ["a", "b", "c"]
    assert taken(mailbox) == []


@pytest.mark.parametrize("capacity", [3, 1])
def test_a_put_after_the_close_is_undeliverable_and_not_refused_however_full_it_was(capacity):
    mailbox = Box(capacity)
    put(mailbox, "a")
    mailbox.close()

    put(mailbox, "b")

    assert mailbox.undelivered == ["a", "b"]
    assert mailbox.refused == []


def test_closing_twice_gives_nothing_twice(mailbox):
    put(mailbox, "a")

    mailbox.close()
    mailbox.close()

    assert mailbox.undelivered == ["a"]


def test_a_mailbox_that_is_opened_again_takes_messages_again(mailbox):
    put(mailbox, "a")
    mailbox.close()

    mailbox.closed = False
    put(mailbox, "b")

    assert mailbox.undelivered == ["a"]
    assert taken(mailbox) == ["b"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_close_in_the_middle_of_a_put_leaves_the_message_undeliverable_once(mailbox, steps, moment):
    """The race that makes Pykka's asks hang: the sender has looked, the actor closes, the sender appends."""
    getattr(steps, moment)["append"] = mailbox.close

    put(mailbox, "a")

    assert mailbox.undelivered == ["a"]
    assert taken(mailbox) == []


def test_a_put_in_the_middle_of_a_close_leaves_the_message_undeliverable_once(mailbox, steps):
    put(mailbox, "a")
    steps.before["popleft"] = lambda: put(mailbox, "b")

    mailbox.close()

    assert sorted(mailbox.undelivered) == ["a", "b"]
    assert taken(mailbox) == []


def test_what_a_turn_takes_in_the_middle_of_a_close_is_not_undeliverable_as_well(mailbox, steps):
    read = []
    put(mailbox, "ab")
    steps.before["popleft"] = lambda: read.append(mailbox.take().message)

    mailbox.close()

    assert read == ["a"]
    assert mailbox.undelivered == ["b"]


def test_a_message_that_is_put_back_comes_first_even_where_the_mailbox_is_full(mailbox):
    put(mailbox, "abc")
    first = mailbox.take()
    put(mailbox, "d")

    mailbox.put_back(first)

    assert taken(mailbox) == ["a", "b", "c", "d"]


def test_a_message_that_is_put_back_into_a_closed_mailbox_is_undeliverable(mailbox):
    mailbox.close()

    mailbox.put_back(Envelope("a"))

    assert mailbox.undelivered == ["a"]


def test_the_message_of_one_reply_is_withdrawn_and_no_other(mailbox):
    replies = [object(), object()]
    for message, reply in zip("ab", replies, strict=True):
        mailbox.put(Envelope(message, reply=reply))

    assert mailbox.withdraw(replies[0])
    assert not mailbox.withdraw(replies[0])
    assert not mailbox.withdraw(object())
    assert taken(mailbox) == ["b"]
    assert not mailbox.withdraw(replies[1])


def test_the_oldest_is_looked_at_and_not_taken(mailbox):
    put(mailbox, "ab")

    assert mailbox.oldest().message == "a"
    assert mailbox.depth == 2


def test_signals_have_a_lane_of_their_own_that_is_never_full_nor_closed(mailbox):
    put(mailbox, "abc")
    mailbox.put_signal("first")
    mailbox.close()
    mailbox.put_signal("second")

    assert mailbox.signals == ["first", "second"]


def test_one_turn_is_asked_for_until_it_has_ended(mailbox):
    put(mailbox, "a")
    put(mailbox, "b")
    mailbox.put_signal("signal")
    mailbox.wake()

    assert mailbox.turns == 1


def test_a_turn_that_leaves_something_behind_asks_for_another(mailbox):
    put(mailbox, "ab")
    mailbox.take()

    mailbox.end_turn()

    assert mailbox.turns == 2


def test_a_turn_that_leaves_nothing_asks_for_none_and_the_next_message_does(mailbox):
    put(mailbox, "a")
    mailbox.take()
    mailbox.end_turn()
    assert mailbox.turns == 1

    put(mailbox, "b")

    assert mailbox.turns == 2


def test_a_turn_that_leaves_a_signal_asks_for_another(mailbox):
    mailbox.put_signal("signal")

    mailbox.end_turn()

    assert mailbox.turns == 2


def test_who_begins_a_turn_has_it_until_it_is_ended(mailbox):
    assert mailbox.begin_turn()
    assert not mailbox.begin_turn()
    put(mailbox, "a")
    assert mailbox.turns == 0
    mailbox.take()
    mailbox.end_turn()
    assert mailbox.begin_turn()


def test_a_mailbox_made_as_scheduled_asks_for_no_turn_before_its_first_has_ended():
    mailbox = Box(scheduled=True)

    put(mailbox, "a")
    assert (mailbox.turns, mailbox.begin_turn()) == (0, False)

    mailbox.end_turn()
    assert mailbox.turns == 1


def test_a_mailbox_that_can_do_nothing_with_what_waits_asks_for_no_turn():
    class Busy(Box):
        def _has_work(self):
            return False

    mailbox = Busy()
    put(mailbox, "a")

    mailbox.end_turn()

    assert mailbox.turns == 1


@pytest.fixture
def _hurried_threads():
    """Threads change so often that a race of a few instructions is met."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_hurried_threads")
def test_under_threads_every_message_is_taken_or_undeliverable_and_never_both():
    senders, each, rounds = 3, 40, 40
    for _ in range(rounds):
        read, started = [], threading.Barrier(senders + 2)
        mailbox = Box(10**6)

        def send(sender, mailbox=mailbox, started=started):
            started.wait(5)
            for number in range(each):
                mailbox.put(Envelope((sender, number)))

        def close(mailbox=mailbox, started=started, read=read):
            started.wait(5)
            while len(read) < each:
                if (envelope := mailbox.take()) is not None:
                    read.append(envelope.message)
            mailbox.close()

        threads = [threading.Thread(target=send, args=(sender,)) for sender in range(senders)]
        threads.append(threading.Thread(target=close))
        for thread in threads:
            thread.start()
        started.wait(5)
        for thread in threads:
            thread.join(10)

        assert sorted([*read, *mailbox.undelivered]) == [(sender, number) for sender in range(senders) for number in range(each)]
        for sender in range(senders):
            numbers = [number for by, number in read if by == sender]
            assert numbers == sorted(numbers)


@pytest.mark.usefixtures("_hurried_threads")
def test_under_threads_the_capacity_is_passed_by_the_number_of_senders_at_most():
    capacity, senders = 5, 4
    for _ in range(50):
        mailbox, started = Box(capacity), threading.Barrier(senders)

        def send(mailbox=mailbox, started=started):
            started.wait(5)
            while not mailbox.refused:
                mailbox.put(Envelope("x"))

        threads = [threading.Thread(target=send) for _ in range(senders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        assert capacity <= mailbox.depth < capacity + senders
