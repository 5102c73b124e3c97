"""A sender that finds a mailbox full is held until there is room, or nobody will ever take its message."""

import threading

import pytest

from actors.runtime.envelope import Envelope
from actors.runtime.future import Future
from actors.runtime.mailbox import Mailbox

PATIENCE_S = 10.0
ASKED = Future()


class Box(Mailbox):
    """A mailbox for three messages, which asks for no turns."""

    def __init__(self):
        super().__init__(3)

    def _schedule(self, _):
        pass

    def _undeliverable(self, envelope):
        pass


@pytest.fixture
def mailbox():
    return Box()


def put(mailbox, messages):
    for message in messages:
        mailbox.put(Envelope(message))


def held(mailbox, timeout=PATIENCE_S):
    """Hold a sender on a thread of its own; gives the thread, and the list that its answer will be in."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(mailbox.wait_for_room(timeout)))
    thread.start()
    return thread, answers


def take_back(mailbox):
    assert mailbox.withdraw(ASKED)


ENDS = {"a message is taken": Box.take, "an ask is taken back": take_back, "the mailbox is closed": Box.close}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_sender_that_is_held_goes_on_when(mailbox, end):
    put(mailbox, "ab")
    mailbox.put(Envelope("c", reply=ASKED))
    thread, answers = held(mailbox)

    end(mailbox)
    thread.join(PATIENCE_S)

    assert answers == [True]
    assert not mailbox.blocked


def test_a_sender_that_is_held_gives_up_when_its_time_is_over(mailbox):
    put(mailbox, "abc")

    assert not mailbox.wait_for_room(0.01)
    assert not mailbox.blocked


def test_where_there_is_room_nobody_is_held(mailbox):
    put(mailbox, "ab")

    assert mailbox.wait_for_room(0)


def test_a_close_lets_every_sender_go_on_that_is_held(mailbox):
    put(mailbox, "abc")
    senders = [held(mailbox) for _ in range(3)]

    mailbox.close()
    for thread, _ in senders:
        thread.join(PATIENCE_S)

    assert [answers for _, answers in senders] == [[True]] * 3
