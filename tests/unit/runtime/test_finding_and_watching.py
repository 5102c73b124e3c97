"""What a system and an actor find, watch and join: the wiring of lookups, death watch and groups."""

import pytest

from actors.runtime import Actor, ActorSystem, ChildSpec, SupervisorSpec, Terminated
from actors.runtime.errors import InvalidPathError, NotBuiltError, UsageError
from actors.runtime.testing import SteppingSystem, TestProbe
from tests.support.actors_for_tests import Counter, Servant


class Watching(Actor):
    """Watches whom it is told to, and passes on what it hears; breaks on "break"."""

    def __init__(self, hears):
        self.hears = hears

    def on_receive(self, message):
        match message:
            case Terminated():
                self.hears.tell(message)
            case ("watch", target):
                self.context.watch(target)
            case ("unwatch", target):
                self.context.unwatch(target)
            case ("find", pattern):
                return [ref.path for ref in self.context.find(pattern)]
            case ("join", group):
                self.context.groups.join(group, self.context.ref)
            case "break":
                raise ValueError(message)
        return None


@pytest.fixture
def watching(system, probe):
    return system.spawn(Watching, name="watching", args=(probe.ref,))


def fail(ref):
    ref.tell(["raise", "ValueError", "x"])


def test_actors_are_found_by_a_glob_in_the_order_in_which_they_came():
    workers = SupervisorSpec("workers", [ChildSpec(name, Counter) for name in ("b", "a")])
    with ActorSystem("test", SupervisorSpec("root", [workers, ChildSpec("other", Counter)])) as system:
        assert [ref.path for ref in system.find("/workers/*")] == ["/workers/b", "/workers/a"]
        assert [ref.path for ref in system.find("/**")] == ["/", "/workers", "/other", "/workers/b", "/workers/a"]
        assert system.find("/nobody*") == ()
        assert system.find("/workers/a")[0].ask(2) == 2
        with pytest.raises(InvalidPathError):
            system.find("workers")


def test_an_actor_finds_as_its_system_does(system, watching):
    system.spawn(Counter, name="counter")

    assert watching.ask(("find", "/c*")) == ["/counter"]


def test_who_watches_through_the_system_hears_of_each_life_that_ends(system, probe):
    target = system.spawn(Servant, name="target")
    system.watch(target, probe.ref)

    fail(target)
    first = probe.expect(Terminated)
    fail(target)
    second = probe.expect(Terminated)
    assert target.ask(["who"])["incarnation"] == 3
    system.remove("target")
    third = probe.expect(Terminated)

    assert [(heard.path, heard.incarnation, heard.reason) for heard in (first, second, third)] == [
        ("/target", 1, "failed"),
        ("/target", 2, "failed"),
        ("/target", 3, "shutdown"),
    ]
    assert first.error == "ValueError: x"


def test_nobody_is_told_of_at_once(system, probe):
    system.watch(system.ref("/nobody"), probe.ref)

    heard = probe.expect(Terminated)
    assert (heard.path, heard.incarnation, heard.reason) == ("/nobody", 0, "unknown")


def test_what_an_actor_watches_it_hears_of_until_it_says_otherwise(system, probe, watching):
    target = system.spawn(Servant, name="target")
    watching.ask(("watch", target))
    fail(target)
    assert probe.expect(Terminated).incarnation == 1

    watching.ask(("unwatch", target))
    fail(target)
    assert target.ask(["who"])["incarnation"] == 3
    watching.ask(("find", "/*"))
    probe.expect_none()


def test_what_a_life_watches_ends_with_it(system, events, probe, watching):
    target = system.spawn(Servant, name="target")
    watching.ask(("watch", target))
    watching.tell("break")
    events.expect("actor.restarted", "/watching")

    fail(target)
    assert target.ask(["who"])["incarnation"] == 2
    watching.ask(("find", "/*"))
    probe.expect_none()


def test_a_life_that_is_over_watches_nobody(system, events):
    contexts = []

    class Leaving(Actor):
        def on_start(self):
            contexts.append(self.context)

    ref = system.spawn(Leaving, name="leaving")
    contexts[0].fail(ValueError("gone"))
    events.expect("actor.restarted", "/leaving")

    with pytest.raises(UsageError, match="life 1 is over"):
        contexts[0].watch(ref)


def test_a_member_that_is_removed_is_in_no_group(system, probe, watching):
    watching.ask(("join", "readers"))
    system.groups.join("readers", probe.ref)
    assert [ref.path for ref in system.groups.members("readers")] == ["/watching", "/probe"]

    system.remove("watching")

    assert [ref.path for ref in system.groups.members("readers")] == ["/probe"]
    assert system.groups.publish("readers", "news") == 1
    assert probe.expect() == "news"


def test_a_member_that_is_restarted_stays_in_its_groups(system, events, watching):
    watching.ask(("join", "readers"))
    watching.tell("break")
    events.expect("actor.restarted", "/watching")

    assert [ref.path for ref in system.groups.members("readers")] == ["/watching"]


def test_probes_wait_in_a_stepping_system_by_running_it():
    with SteppingSystem() as system:
        probe = TestProbe(system)
        system.spawn(Watching, name="watching", args=(probe.ref,)).tell(("watch", system.ref("/nobody")))

        with pytest.raises(AssertionError, match="got nothing"):
            TestProbe(system, "other").expect(timeout=1.0)
        assert system.clock.monotonic() > 0


def test_an_actor_of_a_node_watches_its_own_node_only(system):
    """The refusal is the runtime's own: what is outside of a node is known to its kernel."""
    from actors.runtime.dead_letters import DeadLetters
    from actors.runtime.watch import Watches

    watches = Watches(system.events, DeadLetters(system.clock, system.events), lambda _: None, node="/n", within="/n")
    try:
        with pytest.raises(NotBuiltError, match="lies outside of /n"):
            watches.watch("/elsewhere", system.ref("/n/a"))
    finally:
        watches.close()
