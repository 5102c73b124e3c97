"""Actors in processes of their own: the same API, typed messages, refs, errors, restarts, and nothing left behind."""

import os
import threading
import time
from pathlib import Path

import psutil
import pytest

from actors.runtime import ActorSystem, ChildSpec, SupervisorSpec
from actors.runtime.errors import (
    ActorFailedError,
    NameTakenError,
    NodeUnavailableError,
    RejectedError,
    RemoteError,
    TerminatedError,
    UnsendableError,
)
from actors.runtime.testing import EventProbe, TestProbe
from tests.support.actors_for_tests import Account, Counter, Deposit, GetTotal, Servant, Total, Unheard
from tests.support.process_ends import has_ended

ROOT = Path(__file__).parents[2]
STARTS_S = 20.0


@pytest.fixture(scope="module")
def shared_system():
    """One system for the tests that break nothing: a process takes a while to start."""
    with ActorSystem("nodes") as system:
        system.spawn(Counter, name="counter")
        system.spawn(Servant, name="servant", process=True)
        system.spawn(Account, name="account", process=True)
        yield system


@pytest.fixture
def servant(shared_system):
    return shared_system.ref("/servant")


@pytest.fixture
def account(shared_system):
    return shared_system.ref("/account")


@pytest.fixture
def system():
    with ActorSystem("own") as system:
        yield system


@pytest.fixture
def events(system):
    probe = EventProbe(system.events)
    yield probe
    probe.close()


def test_a_node_is_a_process_of_its_own_that_is_asked_as_any_actor(servant):
    who = servant.ask(["who"])

    assert who["pid"] != os.getpid()
    assert (who["path"], who["incarnation"]) == ("/servant", 1)


def test_tells_and_asks_arrive_in_order(servant):
    for number in range(500):
        servant.tell(["note", number])

    assert servant.ask(["note", "last"])[-501:] == [*range(500), "last"]


def test_an_attribute_and_a_method_are_reached_by_a_proxy(servant):
    proxy = servant.proxy()

    assert proxy.do_return({"k": [1, None]}).get(5) == {"k": [1, None]}
    proxy.spare = 5
    assert proxy.spare.get(5) == 5
    with pytest.raises(RejectedError, match="public names only"):
        proxy._lives = ["raise"]


def test_typed_messages_and_replies_cross(account):
    account.tell(Deposit(Total(40)))

    assert account.ask(GetTotal(extra=2)) == Total(42)


def test_a_message_that_the_actor_does_not_know_is_rejected_without_harm(account):
    with pytest.raises(RejectedError, match="/account does not know messages of type 'Unheard'"):
        account.ask(Unheard())

    assert isinstance(account.ask(GetTotal()), Total)


def test_refs_in_messages_lead_back_here_and_from_node_to_node(shared_system, servant, account):
    probe = TestProbe(shared_system, "refs")

    account.tell(Deposit(Total(0), by=probe.ref))
    assert probe.expect(str) == "thanks"
    servant.ask(["tell", probe.ref, ["hello"]])
    assert probe.expect(list) == ["hello"]
    assert servant.ask(["own_ref"]) == servant
    shared_system.remove("refs")


def test_a_node_asks_another_node(shared_system, servant):
    other = shared_system.spawn(Servant, name="other", process=True)

    def asked():
        # Until its node has heard of the other one, which the message may overtake, it is told to try again.
        try:
            return servant.ask(["ask", other, ["who"]])["path"]
        except NodeUnavailableError:
            return None

    assert _eventually(lambda: asked() == "/other")
    assert other.ask(["ask", servant, ["who"]])["path"] == "/servant"
    shared_system.remove("other")


def test_errors_come_as_what_they_are(servant):
    with pytest.raises(RemoteError, match="LookupError: declared"):
        servant.ask(["raise", "LookupError", "declared"])
    with pytest.raises(UnsendableError, match="object cannot cross a process"):
        servant.ask(["return_object"])
    with pytest.raises(UnsendableError):
        servant.tell(["return", object()])
    assert servant.ask(["return", 1]) == 1


def test_the_tree_shows_the_node_with_its_process(shared_system, servant):
    shown = shared_system.snapshot().root.find("/servant")

    assert (shown.pid, shown.node, shown.state) == (servant.ask(["who"])["pid"], "/servant", "running")


def test_events_of_a_node_are_heard_here(shared_system, servant):
    probe = EventProbe(shared_system.events)

    servant.tell(["publish", "tea.served", "hot"])

    assert probe.expect("tea.served", "/servant").fields == {"text": "hot"}
    probe.close()


def test_a_message_of_many_megabytes_crosses_and_one_over_the_limit_is_refused(servant):
    large = b"x" * (20 * 1024 * 1024)

    assert servant.ask(["return", large], timeout=STARTS_S) == large
    with pytest.raises(UnsendableError, match="over the limit"):
        servant.tell(["return", b"x" * (64 * 1024 * 1024)])
    assert servant.ask(["return", 1]) == 1


def test_many_asks_under_way_at_once_are_all_answered(servant):
    futures = [servant.ask(["return", number], timeout=STARTS_S, block=False) for number in range(3000)]

    assert [future.get(STARTS_S) for future in futures] == list(range(3000))


def test_a_supervisor_with_its_children_may_be_one_node(system):
    spec = SupervisorSpec("team", [ChildSpec("a", Servant), ChildSpec("b", Counter, args=(7,))], process=True)
    system.spawn(spec)

    here = system.ref("/team/a").ask(["who"])
    assert (here["path"], here["incarnation"]) == ("/team/a", 1)
    assert system.ref("/team/b").ask(1) == 8
    assert system.ref("/team/a").ask(["ask", system.ref("/team/b"), 2]) == 10
    shown = {actor.path: actor.pid for actor in system.snapshot().root.walk()}
    assert shown["/team"] == shown["/team/a"] == shown["/team/b"] == here["pid"] != os.getpid()


def test_a_node_knows_the_other_nodes_when_its_actors_start(system):
    """Not only some time later."""
    counter = system.spawn(Counter, name="counter", process=True)

    system.spawn(ChildSpec("greeter", "tests.support.actors_for_tests:Greeter", args=("/counter",), process=True))

    # The greeting is another pair's, so it may come after this one's ask; that it was sent at all is the claim.
    assert _eventually(lambda: counter.ask(0) == 1)


def test_an_actor_in_a_node_that_fails_is_restarted_with_a_higher_incarnation(system, events):
    ref = system.spawn(Servant, name="s", process=True)
    before = ref.ask(["who"])

    with pytest.raises(ActorFailedError, match="ValueError: told to"):
        ref.ask(["raise", "ValueError", "told to"])

    events.expect("actor.exited", "/s", reason="failed", error="ValueError: told to")
    events.expect("actor.restarted", "/s", incarnation=2)
    after = ref.ask(["who"])
    assert after["incarnation"] == 2
    assert after["pid"] != before["pid"]
    assert system.snapshot().root.find("/s").last_exit.error == "ValueError: told to"


def test_a_child_in_a_nodes_own_tree_fails_without_its_process(system, events):
    system.spawn(SupervisorSpec("team", [ChildSpec("a", Servant), ChildSpec("b", Servant)], process=True))
    ref = system.ref("/team/a")
    before = ref.ask(["who"])

    ref.tell(["raise", "ValueError", "told to"])

    events.expect("actor.restarted", "/team/a", incarnation=2)
    assert ref.ask(["who"])["pid"] == before["pid"]
    assert system.ref("/team/b").ask(["who"])["incarnation"] == 1


def test_what_waits_in_a_node_that_stops_is_answered_or_a_dead_letter_that_is_heard_of(system, events):
    ref = system.spawn(Servant, name="s", process=True, restart="transient")
    ref.tell(["stop"])
    ref.tell(["note", "never heard"])
    future = ref.ask(["note", "never answered"], timeout=STARTS_S, block=False)

    events.expect("actor.exited", "/s", reason="shutdown")
    assert isinstance(future.error() or _raised(future), TerminatedError | NodeUnavailableError)


def test_a_removed_node_is_gone_and_its_name_is_free(system):
    ref = system.spawn(Servant, name="s", process=True)
    process = psutil.Process(ref.ask(["who"])["pid"])

    system.remove("s")

    assert _eventually(lambda: has_ended(process.pid))
    assert system.snapshot().root.find("/s") is None
    again = system.spawn(Servant, name="s", process=True)
    assert again.ask(["who"])["incarnation"] == 2


def test_a_name_is_used_once_for_nodes_too(shared_system):
    with pytest.raises(NameTakenError):
        shared_system.spawn(Servant, name="servant", process=True)


def _raised(future):
    try:
        future.get(STARTS_S)
    except Exception as error:  # handed back to be looked at
        return error
    return None


def _eventually(holds):
    deadline, pause = time.monotonic() + 5, threading.Event()
    while not holds() and time.monotonic() < deadline:
        pause.wait(0.01)
    return holds()
