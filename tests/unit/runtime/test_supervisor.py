"""The supervisor actor with real children of this process: restarts, back-off, parking and escalation."""

import threading

import pytest

from actors.runtime import Actor, ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.errors import ActorFailedError, NoSuchActorError, StartError, TerminatedError
from tests.support.actors_for_tests import Servant

FAIL = ["raise", "ValueError", "told to"]
QUICK = Backoff(min=0.01, max=0.02)
ANSWERS_S = 1.0
"""Far below any of the bounds that a supervisor could wait for, far above what a busy machine needs."""


def servant(id_, **fields):
    return ChildSpec(id_, Servant, **{"backoff": QUICK, **fields})


def notes_of(path):
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "notes"


def test_children_start_in_order_and_stop_in_reverse(notes):
    kwargs = {"notes": str(notes)}
    deep = SupervisorSpec("deep", [servant("b", kwargs=kwargs), servant("c", kwargs=kwargs)])

    with ActorSystem("test", SupervisorSpec("root", [servant("a", kwargs=kwargs), deep, servant("d", kwargs=kwargs)])):
        pass

    order = ["/a", "/deep/b", "/deep/c", "/d"]
    assert notes_of(notes) == [f"started {path} 1" for path in order] + [f"stopped {path} 1" for path in reversed(order)]


def test_a_child_that_does_not_start_stops_those_before_it_in_reverse(system, notes):
    kwargs = {"notes": str(notes)}
    bad = servant("bad", kwargs={"lives": ["raise"]})

    with pytest.raises(StartError, match="/sup/bad did not start: OSError: cannot start today"):
        system.spawn(SupervisorSpec("sup", [servant("a", kwargs=kwargs), servant("b", kwargs=kwargs), bad, servant("c")]))

    assert notes_of(notes) == ["started /sup/a 1", "started /sup/b 1", "stopped /sup/b 1", "stopped /sup/a 1"]
    assert system.snapshot().root.children == ()
    with pytest.raises(NoSuchActorError):
        system.ref("/sup/a").ask(["who"])


def test_a_failed_child_is_restarted_and_the_tree_tells_how_it_ended(system, events):
    ref = system.spawn(servant("s"))

    ref.tell(FAIL)

    events.expect("actor.exited", "/s", incarnation=1, reason="failed", error="ValueError: told to")
    assert events.expect("actor.restarted", "/s", incarnation=2).fields["ready_ms"] >= 0
    shown = system.snapshot().root.find("/s")
    assert (shown.state, shown.incarnation, shown.restarts) == ("running", 2, 1)
    assert (shown.last_exit.reason, shown.last_exit.error) == ("failed", "ValueError: told to")
    assert shown.last_exit.ready_ms >= 0


def test_siblings_do_not_notice(system, events):
    system.spawn(servant("bad")).tell(FAIL)
    good = system.spawn(servant("good"))
    events.expect("actor.restarted", "/bad")

    assert good.ask(["who"])["incarnation"] == 1


def test_the_first_restart_is_at_once_and_the_next_ones_wait(system, events):
    backoff = Backoff(min=0.01, max=0.05, jitter=0)
    ref = system.spawn(servant("s", kwargs={"lives": ["ok", "raise", "raise", "ok"]}, backoff=backoff))

    ref.tell(FAIL)

    events.expect("actor.exited", "/s", incarnation=1, reason="failed")
    events.expect("actor.exited", "/s", incarnation=2, reason="start_failed")
    events.expect("actor.restart_scheduled", "/s", delay_s=0.01)
    events.expect("actor.exited", "/s", incarnation=3, reason="start_failed")
    events.expect("actor.restart_scheduled", "/s", delay_s=0.02)
    events.expect("actor.restarted", "/s", incarnation=4)
    assert ref.ask(["who"])["incarnation"] == 4


def test_a_child_that_waits_for_its_restart_keeps_its_messages_and_shows_it(system, events):
    ref = system.spawn(servant("s", kwargs={"lives": ["ok", "raise", "ok"]}, backoff=Backoff(min=30, max=30, jitter=0)))
    ref.tell(FAIL)
    events.expect("actor.restart_scheduled", "/s", delay_s=30.0)
    waiting = ref.ask(["who"], block=False)
    shown = system.snapshot().root.find("/s")
    assert shown.state == "restarting"
    assert 0 < shown.next_try_s <= 30

    system.restart("s")

    assert waiting.get(5)["incarnation"] == 3
    assert system.snapshot().root.find("/s").next_try_s is None


def test_a_child_that_used_up_its_restarts_is_parked_visibly_and_may_be_restarted(system, events):
    ref = system.spawn(servant("s", kwargs={"lives": ["ok", "raise", "raise", "raise", "ok"]}))
    ref.tell(FAIL)

    events.expect("actor.parked", "/s", restarts=4)
    shown = system.snapshot().root.find("/s")
    assert (shown.state, shown.last_exit.reason) == ("parked", "start_failed")

    assert system.restart("s") == ref
    assert ref.ask(["who"])["incarnation"] == 5


def test_restarting_a_parked_child_that_still_does_not_start_says_so(system, events):
    ref = system.spawn(servant("s", kwargs={"lives": ["ok", "raise"]}))
    ref.tell(FAIL)
    events.expect("actor.parked", "/s")

    with pytest.raises(OSError, match="cannot start today"):
        system.restart("s")

    assert system.snapshot().root.find("/s").state == "parked"


def test_a_parked_child_is_removed_and_its_messages_answered(system, events):
    ref = system.spawn(servant("s", kwargs={"lives": ["ok", "raise"]}))
    ref.tell(FAIL)
    events.expect("actor.parked", "/s")
    waiting = ref.ask(["who"], block=False)

    system.remove("s")

    with pytest.raises(TerminatedError):
        waiting.get(5)
    assert system.snapshot().root.children == ()


def test_a_supervisor_that_escalates_stops_its_children_and_is_restarted_by_its_own(system, events, notes):
    kwargs = {"notes": str(notes)}
    system.spawn(SupervisorSpec("sup", [servant("a", kwargs=kwargs), servant("bad")], intensity=1, backoff=QUICK))
    bad = system.ref("/sup/bad")

    bad.tell(FAIL)
    events.expect("actor.restarted", "/sup/bad", incarnation=2)
    bad.tell(FAIL)

    events.expect("supervisor.escalated", "/sup", child="/sup/bad", restarts=2)
    ended = events.expect("actor.exited", "/sup", incarnation=1)
    assert ended.fields["error"] == "StartError: /sup/bad used up its restarts: ValueError: told to"
    events.expect("actor.restarted", "/sup", incarnation=2)
    assert bad.ask(["who"])["incarnation"] == 3
    assert notes_of(notes)[:2] == ["started /sup/a 1", "stopped /sup/a 1"]


def test_nothing_is_called_abandoned_that_ended_in_order(system, events):
    system.spawn(SupervisorSpec("sup", [servant("a"), servant("bad")], intensity=0))

    system.ref("/sup/bad").tell(FAIL)

    events.expect("actor.restarted", "/sup")
    assert [event for event in system.events.since(0) if event.type == "actor.abandoned"] == []


def test_a_transient_supervisor_that_gave_up_is_restarted_since_that_is_a_failure(system, events):
    """In OTP it would not be: there, a supervisor that gives up ends by `shutdown`."""
    system.spawn(SupervisorSpec("sup", [servant("bad")], intensity=0, restart="transient"))

    system.ref("/sup/bad").tell(FAIL)

    events.expect("actor.exited", "/sup", reason="failed")
    events.expect("actor.restarted", "/sup")


def test_escalation_at_the_root_ends_the_system_and_says_why():
    system = ActorSystem("test", SupervisorSpec("root", [servant("bad"), servant("other")], intensity=0))
    with system:
        other = system.ref("/other")
        with pytest.raises(ActorFailedError):
            system.ref("/bad").ask(FAIL)

        ended = system.ended.get(5)

        assert ended.reason == "failed"
        assert ended.error == "StartError: /bad used up its restarts: ValueError: told to"
        with pytest.raises(TerminatedError):
            other.ask(["who"])


def test_two_who_remove_one_child_both_hear_when_it_is_gone(system, supervisor, gate):
    class Slow(Actor):
        dispatcher = "pinned"

        def on_stop(self):
            gate.wait()

    system.spawn(Slow, name="s", shutdown=30.0)
    gone = [supervisor.remove("s"), supervisor.remove("s")]
    assert gate.reached.wait(5)
    system.spawn(servant("barrier"))
    assert not any(future.is_resolved() for future in gone)

    gate.open()
    for future in gone:
        future.get(5)
        assert system.snapshot().root.find("/s") is None


def test_a_child_that_is_removed_while_it_starts_is_gone_and_its_spawner_hears_of_it(system, supervisor, gate):
    class Slow(Actor):
        dispatcher = "pinned"

        def on_start(self):
            gate.wait()

    problems = []

    def spawn():
        try:
            system.spawn(Slow, name="s")
        except StartError as error:
            problems.append(error)

    spawner = threading.Thread(target=spawn)
    spawner.start()
    assert gate.reached.wait(5)
    gone = supervisor.remove("s")
    system.spawn(servant("barrier"))
    gate.open()
    gone.get(5)
    spawner.join(5)

    assert system.snapshot().root.find("/s") is None
    assert len(problems) == 1


def test_restarting_a_child_that_is_starting_waits_for_it(system, gate):
    class Slow(Actor):
        dispatcher = "pinned"

        def on_start(self):
            gate.wait()

    refs = []
    spawner = threading.Thread(target=lambda: refs.append(system.spawn(Slow, name="s")))
    spawner.start()
    assert gate.reached.wait(5)
    restarter = threading.Thread(target=lambda: refs.append(system.restart("s")))
    restarter.start()
    system.spawn(servant("barrier"))
    assert refs == []

    gate.open()
    spawner.join(5)
    restarter.join(5)
    assert [ref.path for ref in refs] == ["/s", "/s"]


def test_starting_a_child_that_runs_changes_nothing(system):
    ref = system.spawn(servant("s"))

    assert system.supervisor.start("s").get(5.0) == ref
    assert ref.ask(["who"])["incarnation"] == 1


def test_a_crash_loop_of_many_restarts_leaves_no_thread_and_no_descriptor(system, events):
    """Each life of a pinned actor runs on the one thread of its cell."""
    ref = system.spawn(servant("s", backoff=Backoff(min=0, max=0)))
    ref.ask(["who"])
    before = threading.active_count()
    for _ in range(4):
        for _ in range(3):
            with pytest.raises(ActorFailedError):
                ref.ask(FAIL)
        ref.ask(["who"])
        if system.snapshot().root.find("/s").state != "running":
            break
        system.remove("s")
        ref = system.spawn(servant("s", backoff=Backoff(min=0, max=0)))

    assert threading.active_count() <= before + 1
