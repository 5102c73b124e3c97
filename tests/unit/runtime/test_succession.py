"""A life that was given up while it holds a thread is followed by the next one at once, and takes nothing of that one's."""

import asyncio
import threading
import time
from contextlib import suppress

import pytest

from actors.runtime import Actor, Backoff
from actors.runtime.errors import RejectedError, TerminatedError

BOUND_S = 10.0
AT_ONCE = Backoff(min=0, max=0)


class Stuck(Actor):
    """Is stuck on `hang` until the gate opens, and says which life it is on anything else. `log` has who was let go of."""

    def __init__(self, gate, log):
        self.gate = gate
        self.log = log

    def on_receive(self, message):
        match message:
            case "hang":
                self.gate.wait()
            case "spin":
                self.log.append("spins")
                while "let go" not in self.log:
                    pass
            case "hang and act":
                self.context.tell_later(0.4, "tick")
                self.gate.wait()
                self.context.tell_later(0, "tick")
            case "tick":
                self.log.append(f"ticked in {self.context.incarnation}")
        return self.context.incarnation

    def on_failure(self, *_):
        self.log.append(self.context.incarnation)


class PinnedStuck(Stuck):
    dispatcher = "pinned"


class AsyncStuck(Stuck):
    dispatcher = "async"

    async def on_receive(self, message):
        return super().on_receive(message)


class ConcurrentStuck(AsyncStuck):
    concurrency = 4


class StartsStuck(Stuck):
    """Its second life is stuck in `on_start`."""

    def on_start(self):
        if self.context.incarnation == 2:
            self.gate.wait()

    def on_receive(self, message):
        if message == "fail":
            raise ZeroDivisionError
        return self.context.incarnation


class PinnedStartsStuck(StartsStuck):
    dispatcher = "pinned"


class AsyncStartsStuck(StartsStuck):
    dispatcher = "async"

    async def on_receive(self, message):
        return super().on_receive(message)


class Recording(Stuck):
    """Puts what it is told into the log."""

    mailbox_capacity = 50_000

    def on_receive(self, message):
        if isinstance(message, tuple):
            self.log.append(message)
        return super().on_receive(message)

    def on_failure(self, *_):
        pass


class PinnedRecording(Recording):
    dispatcher = "pinned"


each_kind = pytest.mark.parametrize("actor", [Stuck, PinnedStuck, AsyncStuck, ConcurrentStuck])
with_or_without_bound = pytest.mark.parametrize("hang_after", [None, 60.0])


@pytest.fixture
def log():
    return []


@pytest.fixture
def spawn(system, gate, log):
    def spawn(actor, shutdown=0.1, **options):
        return system.spawn(actor, name="h", args=(gate, log), shutdown=shutdown, backoff=AT_ONCE, **options)

    return spawn


def until(holds, bound_s=BOUND_S):
    deadline, pace = time.monotonic() + bound_s, threading.Event()
    while not holds() and time.monotonic() < deadline:
        pace.wait(0.01)
    return holds()


@each_kind
@with_or_without_bound
def test_a_restart_by_order_of_one_whose_handler_is_stuck_runs_at_once(system, events, gate, spawn, actor, hang_after):
    ref = spawn(actor, hang_after=hang_after)
    in_hand = ref.ask("hang", timeout=BOUND_S, block=False)
    assert gate.reached.wait(BOUND_S)

    system.supervisor.restart("h").get(BOUND_S)

    assert ref.ask("who", timeout=BOUND_S) == 2
    shown = system.snapshot().root.find("/h")
    assert (shown.state, shown.incarnation, shown.last_exit.reason) == ("running", 2, "killed")
    with pytest.raises(TerminatedError, match="/h was given up while it handled str"):
        in_hand.get(BOUND_S)


def test_one_that_spins_is_restarted_by_order_too(system, log, spawn):
    ref = spawn(PinnedStuck)
    ref.tell("spin")
    assert until(lambda: log == ["spins"])

    system.supervisor.restart("h").get(BOUND_S)

    assert ref.ask("who", timeout=BOUND_S) == 2
    log.append("let go")


@pytest.mark.parametrize("actor", [StartsStuck, PinnedStartsStuck, AsyncStartsStuck])
@with_or_without_bound
def test_a_life_that_is_stuck_in_its_start_is_followed_by_one_that_starts(events, spawn, actor, hang_after):
    ref = spawn(actor, start_timeout=0.2, hang_after=hang_after)
    ref.tell("fail")

    events.expect("actor.exited", "/h", timeout=BOUND_S, incarnation=2, reason="start_timeout")
    events.expect("actor.restarted", "/h", timeout=BOUND_S, incarnation=3)
    assert ref.ask("who", timeout=BOUND_S) == 3


def test_it_is_stopped_and_started_again_by_order(system, gate, spawn):
    ref = spawn(Stuck)
    ref.tell("hang")
    assert gate.reached.wait(BOUND_S)

    system.supervisor.stop("h").get(BOUND_S)
    assert system.snapshot().root.find("/h").state == "stopped"
    system.supervisor.start("h").get(BOUND_S)

    assert ref.ask("who", timeout=BOUND_S) == 2


def test_shared_threads_that_are_stuck_are_made_up_for(system, gate, log):
    refs = [system.spawn(Stuck, name=f"h{n}", args=(gate, log), shutdown=0.1) for n in range(5)]
    for ref in refs:
        ref.tell("hang")
        assert gate.reached.wait(BOUND_S)
        gate.reached.clear()
        system.supervisor.restart(ref.path[1:]).get(BOUND_S)

    assert [ref.ask("who", timeout=BOUND_S) for ref in refs] == [2] * 5


def test_shared_threads_are_made_up_for_although_those_that_hold_them_are_removed(system, gate, log):
    for number in range(5):
        system.spawn(Stuck, name=f"h{number}", args=(gate, log), shutdown=0.1).tell("hang")
        assert gate.reached.wait(BOUND_S)
        gate.reached.clear()
        system.supervisor.remove(f"h{number}").get(BOUND_S)

    assert system.spawn(Stuck, name="other", args=(gate, log)).ask("who", timeout=BOUND_S, block=False).get(BOUND_S) == 1


@each_kind
def test_messages_that_wait_go_over_in_order_also_those_sent_to_the_cell_of_old(system, gate, spawn, actor):
    ref = spawn(actor)
    cell_of_old = system._parts.registry.find("/h")
    ref.tell("hang")
    assert gate.reached.wait(BOUND_S)
    waiting = [ref.ask(number, timeout=BOUND_S, block=False) for number in range(20)]

    system.supervisor.restart("h").get(BOUND_S)
    late = cell_of_old.ask("who", BOUND_S)

    if actor is not ConcurrentStuck:  # that has some of them in hand, beside the one on which it is stuck
        assert [future.get(BOUND_S) for future in waiting] == [2] * 20
    assert late.get(BOUND_S) == 2
    assert system._parts.registry.find("/h") is not cell_of_old


@pytest.mark.parametrize("actor", [Recording, PinnedRecording])
def test_no_message_is_lost_or_doubled_that_is_sent_while_one_cell_follows_another(system, gate, log, spawn, actor):
    ref = spawn(actor, shutdown=0.02)
    sent, enough = [0, 0], threading.Event()

    def send(sender):
        while not enough.is_set():
            with suppress(RejectedError):  # it is full
                ref.tell((sender, sent[sender]))
                sent[sender] += 1

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(len(sent))]
    ref.tell("hang")
    assert gate.reached.wait(BOUND_S)
    for thread in threads:
        thread.start()
    system.supervisor.restart("h").get(BOUND_S)
    assert until(lambda: log), "the next life handles messages while others are still sent"
    enough.set()
    for thread in threads:
        thread.join(BOUND_S)

    ref.ask("all came before", timeout=BOUND_S)
    assert sorted(log) == [(sender, number) for sender, count in enumerate(sent) for number in range(count)]


def test_a_handler_that_comes_back_is_let_go_of_and_changes_nothing_for_the_next_life(system, gate, log, spawn):
    ref = spawn(Stuck)
    ref.tell("hang and act")
    assert gate.reached.wait(BOUND_S)
    system.supervisor.restart("h").get(BOUND_S)

    gate.open()

    assert until(lambda: log == [1])
    assert {ref.ask("who", timeout=BOUND_S) for _ in range(50)} == {2}
    assert not until(lambda: log != [1], 0.5), "its timers are over, also those that it asks for now"
    assert [event.fields["incarnation"] for event in system.events.since(0) if event.type == "actor.exited"] == [1]


def test_a_told_message_on_which_it_was_stuck_is_a_dead_letter(system, gate, spawn):
    spawn(Stuck).tell("hang")
    assert gate.reached.wait(BOUND_S)

    system.supervisor.restart("h").get(BOUND_S)

    assert [letter.reason for letter in system.dead_letters.snapshot()] == ["the actor was given up while it handled it"]


def test_an_ask_that_went_over_can_still_be_withdrawn(system, gate, spawn):
    spawn(PinnedStuck)
    cell_of_old = system._parts.registry.find("/h")
    cell_of_old.tell("hang")
    assert gate.reached.wait(BOUND_S)
    system.supervisor.restart("h").get(BOUND_S)
    gate.reached.clear()
    cell_of_old.tell("hang")
    assert gate.reached.wait(BOUND_S)

    late = cell_of_old.ask("who", None)

    assert cell_of_old.withdraw(late)


def test_a_life_that_was_given_up_and_awaits_is_not_followed_in_another_cell(system, spawn):
    """It holds no thread: it is cancelled."""

    class Awaits(Actor):
        dispatcher = "async"

        async def on_receive(self, message):
            if message == "hang":
                reached.set()
                await self.never()
            return self.context.incarnation

        async def never(self):
            await asyncio.Event().wait()

    reached = threading.Event()
    ref = system.spawn(Awaits, name="a", shutdown=0.1)
    cell = system._parts.registry.find("/a")
    ref.tell("hang")
    assert reached.wait(BOUND_S)

    system.supervisor.restart("a").get(BOUND_S)

    assert ref.ask("who", timeout=BOUND_S) == 2
    assert system._parts.registry.find("/a") is cell
