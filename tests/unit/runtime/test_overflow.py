"""A full mailbox treats one message too many as its actor says: refused, held up, or dropped, and never in silence."""

import asyncio
import threading
from contextlib import suppress

import pytest

from actors.runtime import Actor, overflow
from actors.runtime.errors import ActorRuntimeError, RejectedError, SpecError, TerminatedError

PATIENCE_S = 10.0


class Full(Actor):
    """Holds two messages, while it waits at the gate with a third in hand."""

    mailbox_capacity = 2

    def __init__(self, gate, log):
        self.gate = gate
        self.log = log

    def on_receive(self, message):
        if message == "wait":
            self.gate.wait()
        self.log.append(message)
        return message


@pytest.fixture
def log():
    return []


@pytest.fixture
def fill(system, gate, log):
    """Spawn an actor with a full mailbox: `a` and `b` wait in it."""

    def full(overflow, **attributes):
        kind = type("FullActor", (Full,), {"overflow": overflow, **attributes})
        ref = system.spawn(kind, name="full", args=(gate, log))
        ref.tell("wait")
        assert gate.reached.wait(PATIENCE_S)
        ref.tell("a")
        full.second = ref.ask("b", block=False, timeout=PATIENCE_S)
        return ref

    full.second = None
    yield full
    # Nobody may be left with an error that nobody has looked at.
    gate.open()
    if full.second is not None:
        with suppress(ActorRuntimeError):
            full.second.get(PATIENCE_S)


def mailbox(system):
    (full,) = (child for child in system.snapshot().root.children if child.path == "/full")
    return full.mailbox


def test_reject_refuses_what_is_too_much_and_says_so(fill, gate, log, system):
    ref = fill("reject")

    with pytest.raises(RejectedError, match=r"/full: the mailbox is full \(2 messages wait\)"):
        ref.tell("c")
    with pytest.raises(RejectedError, match="the mailbox is full"):
        ref.ask("c")
    assert isinstance(ref.ask("c", block=False).error(), RejectedError)
    gate.open()
    fill.second.get(PATIENCE_S)

    assert ref.ask("last") == "last"
    assert log == ["wait", "a", "b", "last"]
    assert system.dead_letters.count == 0


def test_drop_newest_keeps_what_waits_and_counts_the_dead_letter(fill, gate, log, system):
    ref = fill("drop_newest")

    ref.tell("c")
    asked = ref.ask("d", block=False)

    assert isinstance(asked.error(), RejectedError)
    assert mailbox(system).dropped == 2
    assert [letter.message for letter in system.dead_letters.snapshot()] == ["'c'", "'d'"]
    gate.open()
    fill.second.get(PATIENCE_S)
    assert ref.ask("last") == "last"
    assert log == ["wait", "a", "b", "last"]


def test_drop_oldest_makes_room_and_counts_the_dead_letter(fill, gate, log, system):
    ref = fill("drop_oldest")

    ref.tell("c")
    last = ref.ask("d", block=False)

    assert mailbox(system).dropped == 2
    assert [letter.message for letter in system.dead_letters.snapshot()] == ["'a'", "'b'"]
    gate.open()
    assert last.get(PATIENCE_S) == "d"
    assert log == ["wait", "c", "d"]


def test_an_ask_that_is_dropped_for_a_newer_message_is_answered(fill, gate, system):
    ref = fill("drop_oldest")
    asked = ref.ask("asked", block=False)
    for message in "cd":
        ref.tell(message)

    with pytest.raises(RejectedError, match="a newer message came"):
        asked.get(PATIENCE_S)
    gate.open()


def test_block_holds_the_sender_until_there_is_room(fill, gate, log):
    ref = fill("block")
    sent = threading.Event()

    def send():
        ref.tell("c")
        sent.set()

    sender = threading.Thread(target=send)
    sender.start()
    assert not sent.wait(0.02)
    gate.open()

    assert sent.wait(PATIENCE_S)
    assert ref.ask("last", timeout=PATIENCE_S) == "last"
    assert log == ["wait", "a", "b", "c", "last"]
    sender.join(PATIENCE_S)


def test_block_holds_many_senders_and_all_of_them_go_on(fill, gate, log):
    ref = fill("block")
    senders = [threading.Thread(target=ref.tell, args=(number,)) for number in range(8)]
    for sender in senders:
        sender.start()

    gate.open()
    for sender in senders:
        sender.join(PATIENCE_S)

    assert ref.ask("last", timeout=PATIENCE_S) == "last"
    assert log[:3] == ["wait", "a", "b"]
    assert sorted(log[3:-1]) == list(range(8))


def test_a_sender_that_is_held_goes_on_when_the_actor_is_stopped(fill, gate, system):
    ref, errors = fill("block"), []

    def ask():
        errors.append(ref.ask("c", timeout=PATIENCE_S, block=False).error())

    sender = threading.Thread(target=ask)
    sender.start()
    remover = threading.Thread(target=system.remove, args=("full",))
    remover.start()
    gate.open()
    for thread in (sender, remover):
        thread.join(PATIENCE_S)

    assert len(errors) == 1
    assert errors[0] is None or isinstance(errors[0], TerminatedError)


def test_block_refuses_an_actor_at_once_for_it_would_hold_up_others(fill, gate, system):
    full = fill("block")

    class Sends(Actor):
        def on_receive(self, message):
            try:
                full.tell(message)
            except RejectedError as error:
                return str(error)

    assert "the mailbox is full" in system.spawn(Sends, name="sends").ask("c")
    gate.open()


def test_block_refuses_the_thread_of_an_event_loop_at_once(fill, gate):
    full = fill("block")

    async def send():
        full.tell("c")

    with pytest.raises(RejectedError, match="the mailbox is full"):
        asyncio.run(send())
    gate.open()


def test_what_is_taken_back_makes_room_for_the_next(fill, gate, system):
    ref = fill("drop_newest", mailbox_capacity=3)
    asked = ref.ask("asked", block=False)
    assert asked.cancel()

    ref.tell("c")

    assert mailbox(system).dropped == 0
    gate.open()


@pytest.mark.parametrize("overflow", ["refuse", None, 1])
def test_a_policy_that_there_is_not_is_refused(overflow):
    with pytest.raises(SpecError, match="overflow"):
        type("Wrong", (Actor,), {"overflow": overflow})


@pytest.mark.parametrize("capacity", [0, -1, 1.5, True, None])
def test_a_capacity_that_is_no_count_is_refused(capacity):
    with pytest.raises(SpecError, match="mailbox_capacity"):
        type("Wrong", (Actor,), {"mailbox_capacity": capacity})


def test_the_most_urgent_message_is_handled_first(system, gate, log):
    class Urgent(Full):
        mailbox_capacity = 10

        @classmethod
        def priority_of(cls, message):
            return message if isinstance(message, int) else 0

    ref = system.spawn(Urgent, name="full", args=(gate, log))
    ref.tell("wait")
    assert gate.reached.wait(PATIENCE_S)
    for message in (1, 3, "x", 2, 3):
        ref.tell(message)
    gate.open()

    assert ref.ask(-1, timeout=PATIENCE_S) == -1
    assert log == ["wait", 3, 3, 2, 1, "x", -1]


def test_the_most_urgent_message_is_not_what_is_dropped_for_a_newer_one(system, gate, log):
    class Urgent(Full):
        overflow = "drop_oldest"

        @classmethod
        def priority_of(cls, message):
            return message if isinstance(message, int) else 0

    ref = system.spawn(Urgent, name="full", args=(gate, log))
    ref.tell("wait")
    assert gate.reached.wait(PATIENCE_S)
    for message in (1, 99):
        ref.tell(message)
    last = ref.ask(2, block=False, timeout=PATIENCE_S)
    gate.open()

    assert last.get(PATIENCE_S) == 2
    assert log == ["wait", 99, 2]
    assert [letter.message for letter in system.dead_letters.snapshot()] == ["1"]


@pytest.mark.parametrize("block", [True, False])
def test_block_holds_an_ask_no_longer_than_that_may_take(fill, gate, monkeypatch, block):
    monkeypatch.setattr(overflow, "BLOCK_S", 10 * PATIENCE_S)
    ref, errors = fill("block"), []

    def ask():
        try:
            ref.ask("c", timeout=0.01, block=block)
        except ActorRuntimeError as error:
            errors.append(error)

    sender = threading.Thread(target=ask)
    sender.start()
    sender.join(PATIENCE_S)

    assert not sender.is_alive()
    assert block <= len(errors)
    gate.open()
