"""Shared actors that wait do not stop those that could run: another thread takes over, up to a bound, and it is said."""

import queue
import threading
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from actors.runtime import Actor
from actors.runtime.dispatch import shared
from actors.runtime.dispatch.shared import THREADS, SharedDispatcher
from actors.runtime.future import Future

PATIENCE_S = 10.0


class Waits(Actor):
    """Waits in its handler for a future, or at a gate that it announces."""

    def on_receive(self, what):
        if isinstance(what, Future):
            return what.get(PATIENCE_S)
        with self.context.blocking():
            what.wait()
        return "went on"


class Echo(Actor):
    def on_receive(self, message):
        return message


def test_actors_that_all_wait_for_one_more_are_no_deadlock(system, events):
    promised = Future()
    waiting = [system.spawn(Waits, name=f"waits-{n}").ask(promised, block=False) for n in range(2 * THREADS)]
    for _ in range(THREADS):
        events.expect("dispatcher.starved")

    assert system.spawn(Echo, name="echo").ask("here", timeout=PATIENCE_S) == "here"
    promised.set_result("kept")

    assert [one.get(PATIENCE_S) for one in waiting] == ["kept"] * len(waiting)


def test_a_chain_of_shared_actors_that_ask_each_other_is_longer_than_there_are_threads(system):
    class Relay(Actor):
        def __init__(self, after):
            self.after = after

        def on_receive(self, message):
            return 1 if self.after is None else 1 + self.after.ask(message, timeout=PATIENCE_S)

    ref = None
    for number in range(5 * THREADS):
        ref = system.spawn(Relay, name=f"relay-{number}", args=(ref,))

    assert ref.ask("go", timeout=PATIENCE_S) == 5 * THREADS


def test_a_wait_of_another_kind_is_announced_by_the_handler(system, gate):
    for number in range(THREADS):
        system.spawn(Waits, name=f"waits-{number}").tell(gate)
    assert gate.reached.wait(PATIENCE_S)

    assert system.spawn(Echo, name="echo").ask("here", timeout=PATIENCE_S, block=False).get(PATIENCE_S) == "here"
    gate.open()


def test_a_busy_actor_makes_room_for_others_after_a_while(system):
    """One that always has a message waiting must not keep a thread for itself."""

    class Hungry(Actor):
        def on_receive(self, message):
            if not self.full.is_set():
                self.context.ref.tell(message)

        def __init__(self, full):
            self.full = full

    full = threading.Event()
    for number in range(2 * THREADS):
        system.spawn(Hungry, name=f"hungry-{number}", args=(full,)).tell("more")

    assert system.spawn(Echo, name="echo").ask("here", timeout=PATIENCE_S, block=False).get(PATIENCE_S) == "here"
    full.set()


class Turn:
    """Something for a dispatcher to run."""

    def __init__(self, run):
        self.turn = run


@pytest.fixture
def starved():
    return []


@pytest.fixture
def dispatcher(starved):
    dispatcher = SharedDispatcher("test", lambda *heard: starved.append(heard), threads=1, max_threads=3)
    yield dispatcher
    dispatcher.close()


def test_a_pool_grows_to_its_bound_and_says_so_each_time(dispatcher, starved, gate):
    reached = threading.Semaphore(0)

    def wait():
        with dispatcher.blocking():
            reached.release()
            gate.wait()

    for _ in range(4):
        dispatcher.schedule(Turn(wait))
    for _ in range(3):
        assert reached.acquire(timeout=PATIENCE_S)

    assert starved == [(2, 1, True), (3, 2, True), (3, 3, False)]
    gate.open()
    assert reached.acquire(timeout=PATIENCE_S)


def test_a_thread_that_is_none_of_the_pools_takes_none_of_its_threads_away(dispatcher, starved):
    with dispatcher.blocking():
        pass

    assert starved == []


def test_waits_within_one_another_on_one_thread_end_as_they_began(dispatcher, starved, gate):
    done = threading.Event()

    def wait():
        with ExitStack() as waits:
            waits.enter_context(dispatcher.blocking())
            waits.enter_context(dispatcher.blocking())
        done.set()

    for _ in range(3):
        done.clear()
        dispatcher.schedule(Turn(wait))
        assert done.wait(PATIENCE_S)

    assert starved == [(2, 1, True)], "a wait within a wait takes no second thread"
    assert len(dispatcher._waiting) == 0


class Impatient(queue.SimpleQueue):
    """A dispatcher's queue that says each time that a thread has waited in vain for something to run."""

    def __init__(self):
        super().__init__()
        self.in_vain = threading.Semaphore(0)

    def get(self, block=True, timeout=None):
        try:
            return super().get(block, timeout)
        except queue.Empty:
            self.in_vain.release()
            raise


@pytest.fixture
def short_of_time(monkeypatch):
    """Let a thread that helps out be spare at once, and let the test see the queue."""
    monkeypatch.setattr(shared, "SPARE_S", 0.001)
    monkeypatch.setattr(shared, "queue", SimpleNamespace(SimpleQueue=Impatient, Empty=queue.Empty))


def test_a_thread_that_helps_out_stays_for_as_long_as_the_others_wait(short_of_time, dispatcher, gate):
    """However little there is to do: what comes at last may be what they wait for."""
    done = threading.Event()

    def wait():
        with dispatcher.blocking():
            gate.wait()

    dispatcher.schedule(Turn(wait))
    for _ in range(3):
        assert dispatcher._runnable.in_vain.acquire(timeout=PATIENCE_S)

    dispatcher.schedule(Turn(done.set))

    assert done.wait(PATIENCE_S)
    gate.open()


def test_a_thread_that_helps_out_ends_when_nobody_waits_any_more(short_of_time, dispatcher, gate):
    done = threading.Event()

    def wait():
        with dispatcher.blocking():
            gate.wait()

    dispatcher.schedule(Turn(wait))
    assert gate.reached.wait(PATIENCE_S)
    (helper,) = (thread for thread in threading.enumerate() if thread.name == "test-shared-2")
    gate.open()
    helper.join(PATIENCE_S)

    assert not helper.is_alive()
    dispatcher.schedule(Turn(done.set))
    assert done.wait(PATIENCE_S)
