"""Who is restarted with whom, and when it is too much: groups restart_one_for_one, restart_one_for_all, restart_rest_for_one."""

import pytest

from actors.runtime import Backoff, SupervisorSpec
from actors.runtime.supervision.spec import RestartLimit

GROUP_OF = {
    ("one_for_one", "a"): "a",
    ("one_for_one", "b"): "b",
    ("one_for_one", "c"): "c",
    ("one_for_all", "a"): "abc",
    ("one_for_all", "b"): "abc",
    ("one_for_all", "c"): "abc",
    ("rest_for_one", "a"): "abc",
    ("rest_for_one", "b"): "bc",
    ("rest_for_one", "c"): "c",
}
STRATEGIES = ("one_for_one", "one_for_all", "rest_for_one")


@pytest.mark.parametrize(("strategy", "failed"), GROUP_OF)
def test_strategy(backend, strategy, failed):
    """one_for_one, one_for_all, rest_for_one: the group ends in reverse, starts in order, and the others do not notice."""
    group = GROUP_OF[strategy, failed]
    supervised = backend.start(*backend.children("abc"), strategy=strategy)

    supervised.end(failed)
    supervised.is_back(*group)

    assert supervised.lives() == {name: 2 if name in group else 1 for name in "abc"}
    others = [name for name in group if name != failed]
    expected = [f"-{failed}", *(f"-{name}" for name in reversed(others)), *(f"+{name}" for name in group)]
    assert supervised.order()[3:] == expected


def test_multiple_restarts(backend):
    supervised = backend.start(backend.child("a"))

    for _ in range(4):
        supervised.end("a")
        supervised.is_back("a")

    assert supervised.lives() == {"a": 5}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_escalation(backend, strategy):
    """one_for_one_escalation, one_for_all_escalation, rest_for_one_escalation: so many restarts and not one more.

    In OTP the reason is `shutdown`; ours is a failure, so that whoever supervises it does not take it for a wish.
    """
    supervised = backend.start(*backend.children("ab"), strategy=strategy, intensity=1, period=60)
    supervised.end("a")
    supervised.is_back("a" if strategy == "one_for_one" else "b")

    supervised.end("a")

    supervised.events.expect("supervisor.escalated", "/", child="/a", restarts=2)
    ended = supervised.system.ended.get(20)
    assert (ended.reason, "/a used up its restarts" in ended.error) == ("failed", True)
    assert supervised.order()[-1] == "-b"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_intensity_is_for_all_children_together(backend, strategy):
    supervised = backend.start(*backend.children("ab"), strategy=strategy, intensity=1, period=60)
    supervised.end("a")
    supervised.is_back("a" if strategy == "one_for_one" else "b")

    supervised.end("b")

    supervised.events.expect("supervisor.escalated", "/", child="/b", restarts=2)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_other_child_fails_restart(backend, strategy):
    """*_other_child_fails_restart: the group goes on from the child that failed to start; in OTP, one_for_all begins anew."""
    flaky = backend.child("b", kwargs={"lives": ["ok", "raise", "ok"]})
    supervised = backend.start(backend.child("a"), flaky, backend.child("c"), strategy=strategy)

    supervised.end("b" if strategy == "one_for_one" else "a")
    supervised.has_ended("b", incarnation=2)
    supervised.is_back("b" if strategy == "one_for_one" else "c")

    one_for_one = {"a": 1, "b": 3, "c": 1}
    assert supervised.lives() == (one_for_one if strategy == "one_for_one" else {"a": 2, "b": 3, "c": 2})


@pytest.mark.parametrize("strategy", ["one_for_one", "rest_for_one", "one_for_all"])
def test_hanging_restart_loop(backend, strategy):
    """hanging_restart_loop, hanging_restart_loop_rest_for_one: it answers orders between the tries, and stops at once.

    In OTP each try follows the one before immediately; ours backs off.
    """
    never = backend.child("b", kwargs={"lives": ["ok", "raise"]}, backoff=Backoff(min=0.05, max=0.05))
    supervised = backend.start(backend.child("a"), never, strategy=strategy, intensity=10_000)

    supervised.end("b")
    for _ in range(2):
        supervised.events.expect("actor.restart_scheduled", "/b")
    supervised.handle.remove("b").get(20)

    assert list(supervised.lives()) == ["a"]


def test_count_restarting_children(backend):
    never = [backend.child(name, kwargs={"lives": ["ok", "raise"]}, backoff=Backoff(min=60, max=60, jitter=0)) for name in "bc"]
    supervised = backend.start(backend.child("a"), *never)

    supervised.end_all("b", "c")
    for _ in range(2):
        supervised.events.expect("actor.restart_scheduled")

    assert supervised.lives() == {"a": 1, "b": "restarting", "c": "restarting"}
    assert supervised.handle.stop("b").get(20) is None
    assert supervised.lives() == {"a": 1, "b": "stopped", "c": "restarting"}


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_several_that_fall_during_a_group_restart_are_one_restart(backend, strategy):
    """With one restart allowed, a second count would end the supervisor."""
    along = backend.children("bc", kwargs={"falls": backend.endings.get("exit", backend.endings["abnormal"])})
    supervised = backend.start(backend.child("a"), *along, strategy=strategy, intensity=1, period=60)

    supervised.end("a")
    supervised.is_back(*"abc")

    assert supervised.lives() == {"a": 2, "b": 2, "c": 2}


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_park_stops_the_group(backend, strategy):
    """Not in OTP: the group that would have been restarted is parked with the child, and starts with it again."""
    supervised = backend.start(*backend.children("ab"), strategy=strategy, intensity=0, on_exhausted="park")

    supervised.end("a")
    for name in "ab":
        supervised.events.expect("actor.parked", f"/{name}")
    assert supervised.lives() == {"a": "parked", "b": "parked"}

    supervised.handle.start("a").get(20)
    supervised.is_back("b")
    assert supervised.lives() == {"a": 2, "b": 2}


def test_a_child_has_a_limit_of_its_own(backend):
    """Not in OTP, where one bad child ends all its siblings."""
    bad = backend.child("bad", limit=RestartLimit(1, 60.0))
    supervised = backend.start(bad, backend.child("good"), intensity=100)

    supervised.end("bad")
    supervised.is_back("bad")
    supervised.end("bad")

    supervised.events.expect("actor.parked", "/bad", restarts=2)
    assert supervised.lives() == {"bad": "parked", "good": 1}


@pytest.mark.parametrize("restart", ["permanent", "transient"])
def test_a_supervisor_that_gave_up_is_restarted_by_its_own(backend, restart):
    """Tree. In OTP a transient supervisor that gave up stays down, since it ends by `shutdown`."""
    below = SupervisorSpec("sup", backend.children("ab"), intensity=0, restart=restart)
    supervised = backend.start(below, backend.child("other"))

    supervised.ref("sup/b").tell(backend.endings["abnormal"])

    supervised.events.expect("supervisor.escalated", "/sup")
    supervised.is_back("sup")
    assert supervised.lives() == {"sup": 2, "other": 1}
