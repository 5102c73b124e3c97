"""What somebody may order while a supervisor runs: child_adm, child_adm_simple, and children started by a template."""

import pytest

from actors.runtime import Backoff, SupervisorSpec
from actors.runtime.errors import NameTakenError, NoSuchActorError, SpecError

SLOWLY = Backoff(min=60, max=60, jitter=0)
VERBS = ("remove", "stop", "start", "restart")


def test_child_adm(backend):
    """In OTP a child must be terminated before it can be deleted, or restarted; ours are one order each."""
    supervised = backend.start(backend.child("a"))
    handle = supervised.handle

    assert handle.add(backend.child("b")).get(20) == supervised.ref("b")
    assert supervised.lives() == {"a": 1, "b": 1}
    handle.stop("b").get(20)
    assert supervised.lives() == {"a": 1, "b": "stopped"}
    handle.stop("b").get(20)
    assert handle.start("b").get(20).ask(["who"])["incarnation"] == 2
    handle.start("b").get(20)
    assert handle.restart("b").get(20).ask(["who"])["incarnation"] == 3
    handle.remove("b").get(20)
    assert supervised.lives() == {"a": 1}


@pytest.mark.parametrize("verb", VERBS)
def test_child_adm_of_a_child_that_is_not_there(backend, verb):
    supervised = backend.start()

    with pytest.raises(NoSuchActorError):
        getattr(supervised.handle, verb)("nobody").get(20)


def test_child_adm_of_a_spec_that_is_wrong(backend):
    supervised = backend.start(backend.child("a"))

    with pytest.raises(SpecError):
        supervised.handle.add("a").get(20)
    with pytest.raises(NameTakenError):
        supervised.handle.add(backend.child("a")).get(20)
    with pytest.raises(SpecError):
        supervised.handle.start_like("b").get(20)


@pytest.mark.parametrize("strategy", ["one_for_one", "one_for_all", "rest_for_one"])
def test_an_operators_stop_stays_a_stop(backend, strategy):
    """Also when its siblings are restarted. In OTP a group restart starts a terminated child again."""
    supervised = backend.start(*backend.children("ab"), strategy=strategy)
    supervised.handle.stop("b").get(20)

    supervised.end("a")
    supervised.is_back("a")
    supervised.handle.add(backend.child("barrier")).get(20)

    assert supervised.lives() == {"a": 2, "b": "stopped", "barrier": 1}


@pytest.mark.parametrize("verb", ["remove", "stop"])
def test_an_order_cancels_a_restart_that_is_not_due(backend, verb):
    """In OTP `delete_child` of such a child is refused."""
    child = backend.child("a", kwargs={"lives": ["ok", "raise"]}, backoff=SLOWLY)
    supervised = backend.start(child, backend.child("b"))
    supervised.end("a")
    supervised.events.expect("actor.restart_scheduled", "/a")

    getattr(supervised.handle, verb)("a").get(20)

    assert supervised.lives() == ({"b": 1} if verb == "remove" else {"a": "stopped", "b": 1})


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_an_order_hurries_a_restart_that_is_not_due(backend, verb):
    """In OTP `restart_child` of such a child is refused."""
    child = backend.child("a", kwargs={"lives": ["ok", "raise", "ok"]}, backoff=SLOWLY)
    supervised = backend.start(child)
    supervised.end("a")
    supervised.events.expect("actor.restart_scheduled", "/a")

    getattr(supervised.handle, verb)("a").get(20)

    assert supervised.lives() == {"a": 3}


@pytest.mark.parametrize(("strategy", "group"), [("one_for_one", "b"), ("rest_for_one", "bc"), ("one_for_all", "abc")])
def test_a_restart_by_order_takes_the_group_along_and_counts_for_nothing(backend, strategy, group):
    supervised = backend.start(*backend.children("abc"), strategy=strategy, intensity=0)

    supervised.handle.restart("b").get(20)
    supervised.is_back(*group)

    assert supervised.lives() == {name: 2 if name in group else 1 for name in "abc"}


def test_reload_applies_the_difference(backend):
    """In OTP: code_change. What has not changed goes on."""
    a, b, c = backend.children("abc")
    supervised = backend.start(a, b)
    changed = backend.child("b", kwargs={"lives": ["ok", "ok"]})

    difference = supervised.handle.reload(_root(a, changed, c)).get(20)
    for name in ("b", "c"):
        supervised.handle.start(name).get(20)

    assert (difference.added, difference.changed, difference.unchanged) == (("c",), ("b",), ("a",))
    assert supervised.lives() == {"a": 1, "b": 2, "c": 1}
    supervised.handle.reload(_root(changed, c)).get(20)
    supervised.events.expect("actor.removed", "/a")
    assert supervised.lives() == {"b": 2, "c": 1}


def test_simple_one_for_one(backend):
    """child_adm_simple, simple_one_for_one, simple_one_for_one_extra: children by a template, with more arguments each."""
    supervised = backend.start(backend.child("like"), strategy="dynamic")
    assert supervised.lives() == {}

    supervised.handle.start_like("x", (["ok"],)).get(20)
    unnamed = supervised.handle.start_like().get(20)
    with pytest.raises(NameTakenError):
        supervised.handle.start_like("x").get(20)
    with pytest.raises(SpecError, match="template"):
        supervised.handle.add(backend.child("y")).get(20)

    assert unnamed.path == "/like-1"
    assert supervised.lives() == {"x": 1, "like-1": 1}
    supervised.end("x")
    supervised.is_back("x")
    supervised.handle.remove("like-1").get(20)
    assert supervised.lives() == {"x": 2}


def test_simple_one_for_one_shutdown(backend):
    """One that ends by itself is forgotten, and all end together when the supervisor does."""
    supervised = backend.start(backend.child("like", restart="transient"), strategy="dynamic")
    for name in "xyz":
        supervised.handle.start_like(name).get(20)

    supervised.end("x", "shutdown")
    supervised.events.expect("actor.removed", "/x")

    assert supervised.lives() == {"y": 1, "z": 1}
    supervised.system.stop()
    assert sorted(supervised.order()[-2:]) == ["-y", "-z"]


def test_simple_one_for_one_escalation(backend):
    supervised = backend.start(backend.child("like"), strategy="dynamic", intensity=1, period=60)
    for name in "xy":
        supervised.handle.start_like(name).get(20)
    supervised.end("x")
    supervised.is_back("x")

    supervised.end("y")

    supervised.events.expect("supervisor.escalated", "/", child="/y", restarts=2)
    assert supervised.system.ended.get(20).reason == "failed"


def test_hanging_restart_loop_simple(backend):
    never = backend.child("like", kwargs={"lives": ["ok", "raise"]}, backoff=Backoff(min=0.05, max=0.05))
    supervised = backend.start(never, strategy="dynamic", intensity=10_000)
    supervised.handle.start_like("x").get(20)

    supervised.end("x")
    for _ in range(2):
        supervised.events.expect("actor.restart_scheduled", "/x")
    supervised.handle.remove("x").get(20)

    assert supervised.lives() == {}


def test_simple_one_for_one_scale_many_temporary_children(backend):
    many = 8 if backend.name == "process" else 300
    supervised = backend.start(backend.child("like", restart="temporary"), strategy="dynamic")

    started = [supervised.handle.start_like() for _ in range(many)]
    names = [future.get(20).path[1:] for future in started]
    supervised.end_all(*names, how="shutdown")
    for _ in names:
        supervised.events.expect("actor.removed")

    assert supervised.lives() == {}


def _root(*children):
    return SupervisorSpec("root", children, intensity=100)
