"""What an actor may ask of its supervisor: to add, remove and revive siblings; and what it hears when it is given up itself."""

import threading

import pytest

from actors.runtime import Actor, ActorSystem, ChildSpec, SupervisorSpec
from actors.runtime.errors import NameTakenError, NoSuchActorError, NotBuiltError, SpecError
from actors.runtime.testing import EventProbe

BOUND_S = 20.0


class Parent(Actor):
    """Does to its siblings what it is told, and waits for how that goes."""

    dispatcher = "pinned"
    expected_errors = (Exception,)

    def on_receive(self, message):
        verb, argument = message
        return getattr(self.context.supervisor, verb)(argument).get(BOUND_S)


class Child(Actor):
    """Fails on demand, at the start or later."""

    def __init__(self, at_start=False):
        if at_start:
            raise ValueError("not today")

    def on_receive(self, message):
        if message == "fail":
            raise ValueError(message)
        return self.context.incarnation


class Stuck(Actor):
    """Waits for what only `on_kill` brings about."""

    dispatcher = "pinned"

    def __init__(self):
        self.released = threading.Event()

    def on_receive(self, message):
        entered, left = message
        entered.set()
        if self.released.wait(BOUND_S):
            left.set()

    def on_kill(self):
        self.released.set()
        raise ValueError("and what it raises harms nobody")


@pytest.fixture
def system():
    with ActorSystem("handle", SupervisorSpec("root", intensity=0, on_exhausted="park")) as system:
        yield system


@pytest.fixture
def parent(system):
    return system.spawn(Parent, name="parent")


def test_a_sibling_is_added_and_removed(system, parent):
    ref = parent.ask(("add", ChildSpec("child", Child)))

    assert ref == system.ref("/child")
    assert ref.ask("alive") == 1
    parent.ask(("remove", "child"))
    with pytest.raises(NoSuchActorError):
        ref.ask("alive")


def test_what_prevents_an_addition_is_told_and_leaves_nothing(system, parent):
    with pytest.raises(ValueError, match="not today"):
        parent.ask(("add", ChildSpec("child", Child, kwargs={"at_start": True})))
    with pytest.raises(SpecError):
        parent.ask(("add", ChildSpec("child", "no.such.module:Child")))
    with pytest.raises(SpecError):
        parent.ask(("add", "child"))
    with pytest.raises(NameTakenError):
        parent.ask(("add", ChildSpec("parent", Child)))
    with pytest.raises(NoSuchActorError):
        parent.ask(("remove", "child"))

    assert [child.path for child in system.snapshot().root.children] == ["/parent"]


def test_a_parked_sibling_is_started_again_and_one_that_runs_is_left_alone(system, parent):
    child = parent.ask(("add", ChildSpec("child", Child)))
    assert parent.ask(("start", "child")).ask("alive") == 1

    events = EventProbe(system.events)
    child.tell("fail")
    events.expect("actor.parked", "/child")
    events.close()

    assert parent.ask(("restart", "child")).ask("alive") == 2
    with pytest.raises(NoSuchActorError):
        parent.ask(("restart", "nobody"))


def test_an_actor_that_is_given_up_can_make_its_handler_return(system):
    stuck = system.spawn(Stuck, name="stuck", shutdown=0.05)
    entered, left = threading.Event(), threading.Event()
    stuck.tell((entered, left))
    assert entered.wait(BOUND_S)

    system.remove("stuck")

    assert left.wait(BOUND_S)


def test_the_top_of_a_node_has_no_supervisor_to_talk_to():
    top = ChildSpec("top", "tests.unit.runtime.test_supervision_handle:Parent", process=True)
    with (
        ActorSystem("handle", SupervisorSpec("root", children=[top])) as system,
        pytest.raises(Exception, match="not built yet") as caught,
    ):
        system.ref("/top").ask(("remove", "child"))
    assert NotBuiltError.__name__ in str(caught.value)
