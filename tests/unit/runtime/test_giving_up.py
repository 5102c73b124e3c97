"""Children that hang when they start, work or stop are given up in time, and what they do later counts for nothing."""

import threading
import time

import pytest

from actors.runtime import Actor, ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.errors import NoSuchActorError, StartError, TerminatedError
from tests.support.actors_for_tests import Servant

ANSWERS_S = 1.0
"""Far below any of the bounds that a supervisor could wait for, far above what a busy machine needs."""


def servant(id_):
    return ChildSpec(id_, Servant)


def test_a_supervisor_answers_while_a_childs_on_start_hangs_and_gives_it_up_in_time(system, events, gate):
    let_go = threading.Event()

    class Hanging(Actor):
        dispatcher = "pinned"

        def on_start(self):
            gate.wait()

        def on_failure(self, *_):
            let_go.set()

    problems = []

    def spawn():
        try:
            system.spawn(Hanging, name="h", start_timeout=0.3)
        except StartError as error:
            problems.append(str(error))

    spawner = threading.Thread(target=spawn)
    spawner.start()
    assert gate.reached.wait(5)
    began = time.monotonic()
    assert system.snapshot().root.find("/h").state == "starting"
    assert system.spawn(servant("other")).ask(["who"])["path"] == "/other"
    assert time.monotonic() - began < ANSWERS_S

    events.expect("actor.abandoned", "/h", reason="not ready within 0.3 s", incarnation=1)
    events.expect("actor.exited", "/h", reason="start_timeout")
    spawner.join(5)
    assert problems == ["/h did not start: not ready within 0.3 s"]
    assert system.snapshot().root.find("/h") is None
    gate.open()
    assert let_go.wait(5), "what came up after all is let go of"


def test_a_child_whose_on_stop_hangs_is_given_up_after_its_shutdown(system, events, gate):
    class Clinging(Actor):
        dispatcher = "pinned"

        def on_stop(self):
            gate.wait()

    ref = system.spawn(Clinging, name="c", shutdown=0.2)
    system.spawn(servant("other"))
    remover = threading.Thread(target=system.remove, args=("c",))
    began = time.monotonic()
    remover.start()

    events.expect("actor.abandoned", "/c", reason="not stopped within 0.2 s")
    events.expect("actor.exited", "/c", reason="killed", error="not stopped within 0.2 s")
    remover.join(5)
    assert time.monotonic() - began < 0.2 + ANSWERS_S
    with pytest.raises(NoSuchActorError):
        ref.ask(1)
    assert system.ref("/other").ask(["who"])["path"] == "/other"
    gate.open()


def test_a_child_whose_handler_hangs_is_given_up_and_its_asker_hears_of_it(system, events, gate):
    let_go = threading.Event()

    class Stuck(Actor):
        dispatcher = "pinned"

        def on_receive(self, message):
            gate.wait()
            return "too late"

        def on_failure(self, *_):
            let_go.set()

    ref = system.spawn(Stuck, name="s", shutdown=0.1)
    in_hand = ref.ask(1, timeout=None, block=False)
    assert gate.reached.wait(5)
    waiting = ref.ask(2, timeout=None, block=False)

    system.remove("s")

    with pytest.raises(TerminatedError, match="/s was given up while it handled int"):
        in_hand.get(5)
    with pytest.raises(TerminatedError, match="/s ended before it handled int"):
        waiting.get(5)
    gate.open()
    assert let_go.wait(5)


def test_what_a_given_up_life_does_later_is_not_taken_for_its_successors_doing(system, events, gate):
    class Slow(Actor):
        dispatcher = "pinned"

        def on_start(self):
            gate.wait()
            raise OSError("late")

    with pytest.raises(StartError):
        system.spawn(Slow, name="n", start_timeout=0.1)
    successor = system.spawn(servant("n"))

    gate.open()
    events.expect("actor.started", "/n")

    assert successor.ask(["who"])["path"] == "/n"
    system.remove("n")
    assert [event.type for event in system.events.since(0) if event.path == "/n"] == [
        "actor.abandoned",
        "actor.exited",
        "actor.removed",
        "actor.started",
        "actor.exited",
        "actor.removed",
    ]


def test_a_restart_that_hangs_counts_as_a_failure_and_the_next_life_begins_beside_it(system, events, gate):
    living = []

    class Hanging(Actor):
        dispatcher = "pinned"

        def on_start(self):
            living.append(self.context.incarnation)
            if self.context.incarnation == 2:
                gate.wait()

        def on_receive(self, message):
            raise ValueError(message)

        def on_failure(self, *_):
            living.remove(self.context.incarnation)

    backoff = Backoff(min=0, max=0)
    ref = system.spawn(Hanging, name="h", start_timeout=0.15, backoff=backoff)
    ref.tell("fail")

    events.expect("actor.abandoned", "/h", incarnation=2)
    events.expect("actor.exited", "/h", incarnation=2, reason="start_timeout")
    events.expect("actor.restarted", "/h", incarnation=3)
    assert living == [2, 3]
    assert system.snapshot().root.find("/h").state == "running"
    gate.open()


@pytest.mark.parametrize("busy", [False, True])
def test_a_child_whose_shutdown_is_kill_is_gone_without_on_stop(system, gate, busy):
    log = []

    class Worker(Actor):
        dispatcher = "pinned"

        def on_receive(self, message):
            gate.wait()

        def on_stop(self):
            log.append("stopped")

        def on_failure(self, *_):
            log.append("let go")

    ref = system.spawn(Worker, name="w", shutdown="kill")
    if busy:
        ref.tell("wait")
        assert gate.reached.wait(5)

    remover = threading.Thread(target=system.remove, args=("w",))
    remover.start()
    remover.join(5)

    assert not remover.is_alive()
    assert system.snapshot().root.find("/w") is None
    assert log == ([] if busy else ["let go"])
    gate.open()


def test_a_system_stops_in_bounded_time_although_a_leaf_of_three_levels_is_stuck(events_of, gate):
    class Stuck(Actor):
        dispatcher = "pinned"

        def on_receive(self, message):
            gate.wait()

    system = ActorSystem("test")
    ref = system.spawn(Stuck, name="stuck", shutdown=0.2)
    system.spawn(SupervisorSpec("sup", [SupervisorSpec("deep", [servant("leaf")])]))
    probe = events_of(system)
    ref.tell(1)
    assert gate.reached.wait(5)
    began = time.monotonic()

    system.begin_stop().get(5)

    assert time.monotonic() - began < 0.2 + ANSWERS_S
    probe.expect("actor.exited", "/sup/deep/leaf", reason="shutdown")
    probe.expect("actor.exited", "/stuck", reason="killed")
    gate.open()
    system.close()
