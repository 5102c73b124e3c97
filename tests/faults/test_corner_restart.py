"""Corner cases of restarts: storms, limits at their edges, clocks that jump, and verbs that cross a restart."""

import time

import pytest

from actors.runtime import Backoff, ChildSpec, SupervisorSpec
from actors.runtime.errors import ActorFailedError, AskTimeoutError, NoSuchActorError
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant
from tests.support.villains import Crasher, Quitter

FAIL = ["raise", "ValueError", "told to"]
AT_ONCE = Backoff(min=0, max=0)
ANSWERS_S = 0.5
"""How soon whoever looks is answered during a storm."""
HOUR_S = 3600.0


def fail(stepping, path):
    """Let one life fail and the system settle."""
    stepping.ref(path).tell(FAIL)
    stepping.run_until_idle()


def state_of(stepping, path):
    found = stepping.snapshot().root.find(path)
    return (found.state, found.incarnation)


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 0.0])
def test_a_wall_clock_that_jumps_neither_empties_the_window_nor_keeps_it_full(stepping, clock, jump_s):
    limits = {"intensity": 2, "period": 5.0, "on_exhausted": "park"}
    stepping.spawn(SupervisorSpec("sup", [ChildSpec("s", Servant, backoff=AT_ONCE)], **limits))
    for _ in range(2):
        fail(stepping, "/sup/s")
        clock.set_wall(clock.wall() + jump_s)
    stepping.advance(5.1)
    fail(stepping, "/sup/s")
    assert state_of(stepping, "/sup/s") == ("running", 4), "what is older than the period counts no more"

    for _ in range(2):
        clock.set_wall(clock.wall() + jump_s)
        fail(stepping, "/sup/s")

    assert state_of(stepping, "/sup/s") == ("parked", 5), "what is younger than the period counts"


@pytest.mark.parametrize(("after_s", "ends"), [(5.0, "parked"), (5.001, "running")], ids=["at the period", "just after it"])
def test_a_restart_at_the_edge_of_the_window_counts_and_one_beyond_it_does_not(stepping, after_s, ends):
    limits = {"intensity": 1, "period": 5.0, "on_exhausted": "park"}
    stepping.spawn(SupervisorSpec("sup", [ChildSpec("s", Servant, backoff=AT_ONCE)], **limits))
    fail(stepping, "/sup/s")
    assert state_of(stepping, "/sup/s") == ("running", 2)

    stepping.advance(after_s)
    fail(stepping, "/sup/s")

    assert state_of(stepping, "/sup/s")[0] == ends


@pytest.mark.parametrize("intensity", [0, 1, 20])
def test_a_storm_escalates_at_exactly_the_limit(stepping, intensity):
    """Every child crashes as soon as it is ready again, so each restart brings the next crash."""
    crashers = [ChildSpec(f"c{number}", Crasher, backoff=AT_ONCE) for number in range(5)]
    stepping.spawn(SupervisorSpec("sup", crashers, intensity=intensity, period=60.0, restart="temporary"))
    probe = EventProbe(stepping.events)
    for crasher in crashers:
        stepping.ref(f"/sup/{crasher.id}").tell("crash")

    stepping.run_until_idle()

    assert probe.expect("supervisor.escalated", "/sup").fields["restarts"] == intensity + 1
    probe.close()
    below = [event for event in stepping.events.since(0) if event.path.startswith("/sup/")]
    assert sum(event.type == "actor.restarted" for event in below) <= intensity
    ends = [(event.path, event.fields["incarnation"]) for event in below if event.type == "actor.exited"]
    assert len(ends) == len(set(ends)), "no life ends twice"
    assert stepping.snapshot().root.find("/sup") is None


def test_a_storm_of_processes_keeps_neither_its_siblings_nor_whoever_looks_waiting(system, events):
    backoff = Backoff(min=0.1, max=0.2, jitter=0.5)
    storm = [ChildSpec(f"q{number}", Quitter, process=True, backoff=backoff) for number in range(4)]
    system.spawn(SupervisorSpec("storm", storm, intensity=1000, period=60.0))
    calm = system.spawn(Servant, name="calm")
    for quitter in storm:
        system.ref(f"/storm/{quitter.id}").tell("quit")
    slowest = 0.0
    for _ in range(12):
        events.expect("actor.exited")
        began = time.monotonic()
        assert calm.ask(["who"])["incarnation"] == 1
        assert system.snapshot().root.find("/storm").state == "running"
        slowest = max(slowest, time.monotonic() - began)

    assert slowest < ANSWERS_S
    system.remove("storm")
    assert system.snapshot().root.find("/storm") is None


def test_an_ask_that_waits_through_a_restart_keeps_its_deadline(stepping):
    backoff = Backoff(min=60, max=60, jitter=0)
    ref = stepping.spawn(ChildSpec("s", Servant, kwargs={"lives": ["ok", "raise", "ok"]}, backoff=backoff))
    failed = ref.ask(FAIL, timeout=30, block=False)
    short = ref.ask(["who"], timeout=59, block=False)
    long = ref.ask(["who"], timeout=61, block=False)
    stepping.run_until_idle()
    assert state_of(stepping, "/s") == ("restarting", 2)

    stepping.advance(59.5)
    assert isinstance(short.error(), AskTimeoutError)
    assert not long.is_resolved()
    stepping.advance(1)

    assert isinstance(failed.error(), ActorFailedError)
    assert long.get(0)["incarnation"] == 3


def test_what_waits_at_a_crash_is_handled_by_the_next_life_in_order_and_the_one_in_hand_once(stepping):
    ref = stepping.spawn(Servant, name="s")
    told = [["note", 1], FAIL, ["note", 2], ["note", 3]]
    for message in told:
        ref.tell(message)

    stepping.run_until_idle()

    assert ref.ask(["note", "last"]) == [2, 3, "last"]
    assert [letter.reason for letter in stepping.dead_letters.snapshot() if letter.path == "/s"] != []
    assert len(stepping.dead_letters.snapshot()) == 1


def test_a_child_that_is_removed_while_it_waits_for_its_restart_stays_away(system, events, types_at):
    late = Backoff(min=1, max=1, jitter=0)
    kwargs = {"lives": ["ok", "raise"]}
    for ref in [system.spawn(ChildSpec(name, Servant, kwargs=kwargs, process=True, backoff=late)) for name in "st"]:
        ref.tell(["exit", 3])
        events.expect("actor.restart_scheduled", ref.path)

    system.remove("s")

    assert system.snapshot().root.find("/s") is None
    with pytest.raises(NoSuchActorError):
        system.ref("/s").tell(["who"])
    # The other one, which fell later, is tried again by now; so would the first one have been.
    events.expect("actor.exited", "/t", incarnation=3)
    supervised = ("actor.started", "actor.exited", "actor.restart_scheduled", "actor.restarted", "actor.removed")
    assert types_at(system, "/s", *supervised) == [
        "actor.started",
        "actor.exited",
        "actor.exited",
        "actor.restart_scheduled",
        "actor.removed",
    ]
