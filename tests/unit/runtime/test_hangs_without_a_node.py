"""An actor that hangs in a process that is no node is given up, reported and replaced; one that gets on or waits is not."""

import asyncio
import threading
import time

import pytest

from actors.runtime import Actor, ActorSystem, ChildSpec, SupervisorSpec
from actors.runtime.errors import TerminatedError

HANG_AFTER_S = 0.3
BOUND_S = 10.0


class Hanging(Actor):
    """Hangs on `hang` until the gate opens, and says which life it is on anything else. `log` has who was let go of."""

    def __init__(self, gate, log):
        self.gate = gate
        self.log = log

    def on_receive(self, message):
        match message:
            case "hang":
                self.gate.wait()
            case "spin":
                while not self.gate.reached.is_set():
                    pass
        return self.context.incarnation

    def on_failure(self, *_):
        self.log.append(self.context.incarnation)


class PinnedHanging(Hanging):
    dispatcher = "pinned"


class AsyncHanging(Hanging):
    dispatcher = "async"

    async def on_receive(self, message):
        return super().on_receive(message)


class ConcurrentHanging(AsyncHanging):
    concurrency = 4


@pytest.fixture
def log():
    return []


@pytest.fixture(params=[Hanging, PinnedHanging, AsyncHanging, ConcurrentHanging])
def ref(request, system, gate, log):
    return system.spawn(request.param, name="h", args=(gate, log), hang_after=HANG_AFTER_S)


def happened(system, type_):
    return [event.path for event in system.events.since(0) if event.type == type_]


def open_later(gate):
    """Open the gate when a handler that waits there would long be taken to hang."""
    threading.Timer(3 * HANG_AFTER_S, gate.open).start()


def until(holds):
    deadline, pace = time.monotonic() + BOUND_S, threading.Event()
    while not holds() and time.monotonic() < deadline:
        pace.wait(0.01)
    return holds()


def test_a_handler_that_blocks_is_given_up_with_its_stack_and_the_next_life_runs_at_once(system, events, gate, log, ref):
    in_hand = ref.ask("hang", timeout=BOUND_S, block=False)
    assert gate.reached.wait(BOUND_S)

    hung = events.expect("node.hung", "/h", timeout=BOUND_S, actor="/h", maintenance=False)
    assert "/h has been handling str for 0." in hung.fields["why"]
    assert "gate.wait()" in events.expect("node.stacks_dumped", "/h").fields["stack"]
    events.expect("actor.exited", "/h", incarnation=1, reason="hung")
    events.expect("actor.restarted", "/h", incarnation=2)

    with pytest.raises(TerminatedError, match="/h was given up while it handled str"):
        in_hand.get(BOUND_S)
    assert ref.ask("who", timeout=BOUND_S) == 2
    shown = system.snapshot().root.find("/h")
    assert (shown.state, shown.incarnation, shown.last_exit.reason) == ("running", 2, "hung")
    assert "gate.wait()" in shown.last_exit.stack


@pytest.mark.parametrize("actor", [Hanging, PinnedHanging, AsyncHanging])
def test_messages_that_waited_behind_it_are_handled_by_the_next_life(system, gate, log, actor):
    ref = system.spawn(actor, name="h", args=(gate, log), hang_after=HANG_AFTER_S)
    ref.tell("hang")
    waiting = [ref.ask("who", timeout=BOUND_S, block=False) for _ in range(20)]

    assert [future.get(BOUND_S) for future in waiting] == [2] * 20


def test_what_a_concurrent_actor_had_in_hand_beside_it_is_answered_and_the_rest_is_handled(system, gate, log):
    ref = system.spawn(ConcurrentHanging, name="h", args=(gate, log), hang_after=HANG_AFTER_S)
    ref.tell("hang")
    assert gate.reached.wait(BOUND_S)
    futures = [ref.ask("who", timeout=BOUND_S, block=False) for _ in range(10)]

    assert [future.get(BOUND_S) for future in futures] == [2] * 10


def test_a_handler_that_comes_back_after_it_was_given_up_changes_nothing_for_the_next_life(system, events, gate, log, ref):
    ref.tell("hang")
    events.expect("actor.restarted", "/h", timeout=BOUND_S, incarnation=2)

    gate.open()
    answers = {ref.ask("who", timeout=BOUND_S) for _ in range(50)}

    assert answers == {2}
    assert happened(system, "actor.exited") == ["/h"]


def test_an_actor_that_was_left_behind_is_let_go_of_on_its_own_thread_when_its_handler_returns(system, events, gate, log):
    ref = system.spawn(Hanging, name="h", args=(gate, log), hang_after=HANG_AFTER_S)
    ref.tell("hang")
    events.expect("actor.restarted", "/h", timeout=BOUND_S, incarnation=2)
    assert log == []

    gate.open()

    assert until(lambda: log == [1])


def test_a_told_message_on_which_an_actor_hung_is_a_dead_letter(system, events, gate, log):
    ref = system.spawn(Hanging, name="h", args=(gate, log), hang_after=HANG_AFTER_S)
    ref.tell("hang")
    events.expect("actor.restarted", "/h", timeout=BOUND_S)

    assert [letter.reason for letter in system.dead_letters.snapshot()] == ["the actor hung on it"]


def test_a_loop_without_end_is_given_up_too(system, events, gate, log):
    ref = system.spawn(PinnedHanging, name="h", args=(gate, log), hang_after=HANG_AFTER_S)
    ref.tell("spin")

    events.expect("actor.restarted", "/h", timeout=BOUND_S, incarnation=2)
    gate.reached.set()


def test_shared_threads_that_hang_are_made_up_for_and_end_when_their_handlers_return(system, events, gate, log):
    threads = []

    class OnThreads(Hanging):
        def on_receive(self, message):
            if message == "hang":
                threads.append(threading.current_thread())
            return super().on_receive(message)

    refs = [system.spawn(OnThreads, name=f"h{n}", args=(gate, log), hang_after=HANG_AFTER_S) for n in range(5)]
    for ref in refs:
        ref.tell("hang")

    for _ in refs:
        events.expect("actor.restarted", timeout=BOUND_S)
    assert [ref.ask("who", timeout=BOUND_S) for ref in refs] == [2] * 5
    assert len(happened(system, "dispatcher.starved")) >= len(refs)

    gate.open()
    assert until(lambda: not any(thread.is_alive() for thread in threads))
    assert [ref.ask("who", timeout=BOUND_S) for ref in refs] == [2] * 5


def test_actors_that_get_no_turn_because_others_hang_get_another_thread_and_are_not_given_up(system, events, gate, log):
    bounded = system.spawn(Hanging, name="bounded", args=(gate, log), hang_after=HANG_AFTER_S)
    for number in range(2):
        system.spawn(Hanging, name=f"unbounded{number}", args=(gate, log)).tell("hang")

    assert until(lambda: all(system.snapshot().root.find(f"/unbounded{number}").busy_s for number in range(2)))
    assert bounded.ask("who", timeout=BOUND_S) == 1
    assert "although messages wait" in events.expect("node.hung", "/bounded").fields["why"]
    assert happened(system, "actor.exited") == []


def test_one_that_waits_for_an_answer_is_not_hung(system, events, gate, log):
    asked = system.spawn(PinnedHanging, name="asked", args=(gate, log))

    class Asking(Actor):
        def on_receive(self, message):
            return asked.ask("hang", timeout=BOUND_S)

    asking = system.spawn(Asking, name="asking", hang_after=HANG_AFTER_S).ask(1, timeout=BOUND_S, block=False)
    assert gate.reached.wait(BOUND_S)
    open_later(gate)

    assert asking.get(BOUND_S) == 1
    assert happened(system, "node.hung") == []


def test_a_coroutine_that_awaits_is_not_hung(system):
    class Awaiting(Actor):
        dispatcher = "async"

        async def on_receive(self, message):
            self.woken = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.call_later(3 * HANG_AFTER_S, self.woken.set)
            await self.woken.wait()
            return "awake"

    ref = system.spawn(Awaiting, name="a", hang_after=HANG_AFTER_S)
    answer, behind = (ref.ask(1, timeout=BOUND_S, block=False) for _ in range(2))

    assert (answer.get(BOUND_S), behind.get(BOUND_S)) == ("awake", "awake")
    assert happened(system, "node.hung") == []


def test_one_under_maintenance_is_reported_and_left_alone(system, events, gate, log):
    ref = system.spawn(Hanging, name="h", args=(gate, log), hang_after=HANG_AFTER_S)
    system.set_maintenance("/h", on=True)
    in_hand = ref.ask("hang", timeout=BOUND_S, block=False)

    events.expect("node.hung", "/h", timeout=BOUND_S, maintenance=True)
    open_later(gate)
    assert in_hand.get(BOUND_S) == 1
    assert (happened(system, "actor.exited"), happened(system, "node.hung")) == ([], ["/h"])

    assert ref.ask("who", timeout=BOUND_S) == 1


def test_one_that_still_hangs_when_the_maintenance_ends_is_given_up(system, events, gate, log):
    ref = system.spawn(Hanging, name="h", args=(gate, log), hang_after=HANG_AFTER_S)
    system.set_maintenance("/h", on=True)
    ref.tell("hang")
    events.expect("node.hung", "/h", timeout=BOUND_S, maintenance=True)

    system.set_maintenance("/h", on=False)

    events.expect("actor.restarted", "/h", timeout=BOUND_S, incarnation=2)


def test_an_actor_below_a_supervisor_of_this_process_is_restarted_by_that(events_of, gate):
    tree = SupervisorSpec("team", [ChildSpec("h", HangsOnce, hang_after=HANG_AFTER_S)])
    system = ActorSystem("test", SupervisorSpec("root", [tree]))
    probe = events_of(system)
    with system:
        system.ref("/team/h").tell("hang")
        probe.expect("actor.restarted", "/team/h", timeout=BOUND_S, incarnation=2)
        assert system.ref("/team/h").ask("who", timeout=BOUND_S) == 2


class HangsOnce(Actor):
    """Hangs for as long as it is not given up."""

    def on_start(self):
        self.released = threading.Event()

    def on_receive(self, message):
        if message == "hang":
            self.released.wait(BOUND_S)
        return self.context.incarnation

    def on_kill(self):
        self.released.set()


def test_a_snapshot_shows_for_how_long_a_handler_has_been_running(system, gate, log):
    ref = system.spawn(Hanging, name="h", args=(gate, log))
    assert system.snapshot().root.find("/h").busy_s is None
    ref.tell("hang")
    assert gate.reached.wait(BOUND_S)

    first = system.snapshot().root.find("/h").busy_s
    assert first is not None
    assert until(lambda: system.snapshot().root.find("/h").busy_s > first + 0.05)
    gate.open()
    assert until(lambda: system.snapshot().root.find("/h").busy_s is None)
