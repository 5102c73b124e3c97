"""A mailbox loses nothing between a put and a close, and gives nothing twice."""

import sys
import threading
from collections import deque

import pytest

from actors.runtime.mailbox import Mailbox


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
def undelivered():
    return []


@pytest.fixture
def mailbox(undelivered):
    return Mailbox(3, undelivered.append)


@pytest.fixture
def steps(mailbox):
    mailbox._waiting = SteppedDeque()
    return mailbox._waiting


def taken(mailbox):
    entries = []
    while (entry := mailbox.get_nowait()) is not None:
        entries.append(entry)
    return entries


def test_entries_come_out_in_the_order_they_went_in(mailbox):
    assert [mailbox.put(entry) for entry in "abc"] == [True, True, True]

    assert taken(mailbox) == ["a", "b", "c"]


def test_a_full_mailbox_takes_nothing_and_says_so(mailbox, undelivered):
    assert [mailbox.put(entry) for entry in "abcd"] == [True, True, True, False]

    assert taken(mailbox) == ["a", "b", "c"]
    assert undelivered == []


def test_closing_gives_what_waits_to_undeliverable_in_order(mailbox, undelivered):
    for entry in "abc":
        mailbox.put(entry)

    mailbox.close()

    assert undelivered == ["a", "b", "c"]
    assert taken(mailbox) == []


def test_a_put_after_the_close_is_undeliverable(mailbox, undelivered):
    mailbox.close()

    assert mailbox.put("late")
    assert undelivered == ["late"]
    assert mailbox.is_closed


def test_a_put_into_a_mailbox_that_is_full_and_closed_is_undeliverable_rather_than_refused(undelivered):
    mailbox = Mailbox(0, undelivered.append)
    mailbox.close()

    assert mailbox.put("late")
    assert undelivered == ["late"]


def test_closing_twice_gives_nothing_twice(mailbox, undelivered):
    mailbox.put("a")

    mailbox.close()
    mailbox.close()

    assert undelivered == ["a"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_close_in_the_middle_of_a_put_leaves_the_entry_undeliverable_once(mailbox, steps, undelivered, moment):
    """The race that makes Pykka's asks hang: the sender has looked, the actor closes, the sender appends."""
    getattr(steps, moment)["append"] = mailbox.close

    assert mailbox.put("a")

    assert undelivered == ["a"]
    assert taken(mailbox) == []


def test_a_put_in_the_middle_of_a_close_leaves_the_entry_undeliverable_once(mailbox, steps, undelivered):
    mailbox.put("a")
    steps.before["popleft"] = lambda: mailbox.put("b")

    mailbox.close()

    assert sorted(undelivered) == ["a", "b"]
    assert taken(mailbox) == []


def test_what_the_reader_takes_in_the_middle_of_a_close_is_not_undeliverable_as_well(mailbox, steps, undelivered):
    read = []
    mailbox.put("a")
    mailbox.put("b")
    steps.before["popleft"] = lambda: read.append(mailbox.get_nowait())

    mailbox.close()

    assert read == ["a"]
    assert undelivered == ["b"]


def test_signals_have_a_lane_of_their_own_that_is_never_full_nor_closed(mailbox):
    for entry in "abc":
        mailbox.put(entry)
    mailbox.put_signal("first")
    mailbox.close()
    mailbox.put_signal("second")

    assert mailbox.has_signals
    assert [mailbox.get_signal_nowait() for _ in range(3)] == ["first", "second", None]
    assert not mailbox.has_signals


def test_peek_takes_nothing(mailbox):
    assert mailbox.peek() is None
    mailbox.put("a")

    assert mailbox.peek() == "a"
    assert len(mailbox) == 1


def test_a_mailbox_that_is_opened_again_takes_entries_again(mailbox, undelivered):
    mailbox.put("before")
    mailbox.close()

    mailbox.reopen()
    mailbox.put("after")

    assert undelivered == ["before"]
    assert taken(mailbox) == ["after"]


@pytest.fixture
def _hurried_threads():
    """Threads change so often that a race of a few instructions is met."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_hurried_threads")
def test_under_threads_every_entry_is_read_or_undeliverable_and_never_both():
    senders, each, rounds = 3, 40, 40
    for _ in range(rounds):
        undelivered, read, started = [], [], threading.Barrier(senders + 2)
        mailbox = Mailbox(10**6, undelivered.append)

        def send(sender, mailbox=mailbox, started=started):
            started.wait(5)
            for number in range(each):
                assert mailbox.put((sender, number))

        def close(mailbox=mailbox, started=started, read=read):
            started.wait(5)
            while len(read) < each:
                if (entry := mailbox.get_nowait()) is not None:
                    read.append(entry)
            mailbox.close()

        threads = [threading.Thread(target=send, args=(sender,)) for sender in range(senders)]
        threads.append(threading.Thread(target=close))
        for thread in threads:
            thread.start()
        started.wait(5)
        for thread in threads:
            thread.join(10)

        assert sorted([*read, *undelivered]) == [(sender, number) for sender in range(senders) for number in range(each)]
        for sender in range(senders):
            numbers = [number for by, number in read if by == sender]
            assert numbers == sorted(numbers)


@pytest.mark.usefixtures("_hurried_threads")
def test_under_threads_the_capacity_is_passed_by_the_number_of_senders_at_most():
    capacity, senders = 5, 4
    for _ in range(50):
        mailbox, started = Mailbox(capacity, lambda _: None), threading.Barrier(senders)

        def send(mailbox=mailbox, started=started):
            started.wait(5)
            while mailbox.put("x"):
                pass

        threads = [threading.Thread(target=send) for _ in range(senders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        assert capacity <= len(mailbox) < capacity + senders
