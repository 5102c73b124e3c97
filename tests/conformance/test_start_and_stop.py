"""How a supervisor starts and stops: groups sup_start and sup_stop, and the order of many children."""

import pytest

from actors.runtime import ActorSystem, SupervisorSpec
from actors.runtime.errors import NameTakenError, StartError
from actors.runtime.testing import EventProbe

FAILS = {"lives": ["raise"]}
HANGS = {"lives": ["hang"]}


def test_sup_start_normal(backend):
    supervised = backend.start()

    assert supervised.lives() == {}
    supervised.system.stop()
    assert supervised.system.ended.get(5).reason == "shutdown"


def test_sup_start_children_start_in_order(backend):
    supervised = backend.start(*backend.children("abc"))

    assert supervised.order() == ["+a", "+b", "+c"]


def test_sup_start_fail(backend):
    """Those before it are stopped in reverse, and the start fails with the reason."""
    spec = SupervisorSpec("root", [*backend.children("ab"), backend.child("bad", kwargs=FAILS), backend.child("after")])
    system = ActorSystem("conformance", spec)

    with pytest.raises(StartError, match="/bad did not start: OSError: cannot start today"), system:
        pytest.fail("it started")

    log = [(event.type, event.path) for event in system.events.since(0) if event.path != "/"]
    ends = [path for type_, path in log if type_ == "actor.exited"]
    assert ends == ["/bad", "/b", "/a"]
    assert "/after" not in {path for _, path in log}


def test_sup_start_child_returns_error_when_it_is_added(backend):
    """The supervisor goes on, and nothing is left of the child."""
    supervised = backend.start(backend.child("a"))

    with pytest.raises((OSError, StartError), match="cannot start today"):
        supervised.handle.add(backend.child("bad", kwargs=FAILS)).get(20)

    assert supervised.lives() == {"a": 1}


def test_sup_start_timeout(backend):
    """In OTP a child that hangs in its start hangs its supervisor; ours answers meanwhile and ends the child."""
    supervised = backend.start(backend.child("a"))

    adding = supervised.handle.add(backend.child("hung", kwargs=HANGS, start_timeout=0.5))
    assert supervised.ref("a").ask(["who"])["incarnation"] == 1

    with pytest.raises(StartError, match=r"not ready within 0\.5 s"):
        adding.get(20)
    assert supervised.lives() == {"a": 1}


def test_sup_start_duplicate_ids_are_refused(backend):
    supervised = backend.start(backend.child("a"))

    with pytest.raises(NameTakenError):
        supervised.handle.add(backend.child("a")).get(20)


def test_sup_stop_infinity(backend):
    supervised = backend.start(*backend.children("ab", shutdown="infinity"))

    supervised.system.stop()

    reasons = {event.path: event.fields["reason"] for event in supervised.system.events.since(0) if event.type == "actor.exited"}
    assert set(reasons) >= {"/a", "/b"}
    assert set(reasons.values()) <= {"shutdown", "normal"}


def test_sup_stop_timeout(backend):
    """One that is busy has its `shutdown`, then it is ended; the other one leaves in order."""
    supervised = backend.start(backend.child("a"), backend.child("busy", shutdown=0.5))
    hanging = EventProbe(supervised.system.events)
    supervised.ref("busy").tell(["hang"])
    hanging.expect("servant.hung", "/busy")
    hanging.close()

    supervised.system.stop()

    assert supervised.has_ended("busy").fields["reason"] == "killed"
    assert supervised.has_ended("a").fields["reason"] in ("shutdown", "normal")


def test_sup_stop_brutal_kill(backend):
    """`on_stop` of a killed child does not run, so it cannot delay the stop."""
    supervised = backend.start(backend.child("a"), backend.child("b", shutdown="kill"))

    supervised.system.stop()

    assert supervised.has_ended("b").fields["reason"] == "killed"
    assert supervised.has_ended("a").fields["reason"] in ("shutdown", "normal")


def test_order_of_children(backend):
    """Started in order, stopped in reverse; what was added is the last."""
    supervised = backend.start(*backend.children("ab"))
    supervised.handle.add(backend.child("c")).get(20)

    assert list(supervised.lives()) == ["a", "b", "c"]
    supervised.system.stop()
    assert supervised.order() == ["+a", "+b", "+c", "-c", "-b", "-a"]


def test_order_of_layers(backend):
    """Not in OTP: children of one layer start together and stop together; the next layer waits for all of them."""
    supervised = backend.start(backend.child("a"), *backend.children("bc", layer=1), backend.child("d"))

    supervised.system.stop()

    order = supervised.order()
    assert (order[0], order[3], order[4], order[7]) == ("+a", "+d", "-d", "-a")
    assert set(order[1:3]) == {"+b", "+c"}
    assert set(order[5:7]) == {"-b", "-c"}


def test_scale_start_stop_many_children(backend):
    many = 8 if backend.name == "process" else 500
    supervised = backend.start(*[backend.child(f"c{number}", layer=0) for number in range(many)])

    assert len(supervised.lives()) == many
    supervised.system.stop()
    assert sum(mark.startswith("-c") for mark in supervised.order()) == many
