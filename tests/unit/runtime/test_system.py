"""A system in one process: spawning, names, what is left of what, and use after the end."""

import asyncio
import threading
import time

import pytest

from actors.runtime import Actor, ActorSystem, ChildSpec, SupervisorSpec
from actors.runtime.errors import (
    InvalidPathError,
    NameTakenError,
    NoSuchActorError,
    SpecError,
    StartError,
    TerminatedError,
    UsageError,
)
from tests.support.actors_for_tests import Counter, Servant
from tests.support.leaks import Held

AT_ONCE_S = 5.0
"""Far below the bounds of `spawn` (60 s) and `remove` (30 s), far above what a busy machine needs."""


class Failing(Actor):
    """Does not start."""

    dispatcher = "pinned"

    def on_start(self):
        raise ConnectionError("nobody answers")


def names(system):
    return [child.path for child in system.snapshot().root.children]


def test_spawn_returns_once_on_start_has_finished(system, gate):
    class Slow(Actor):
        def on_start(self):
            gate.wait()

    refs = []
    spawner = threading.Thread(target=lambda: refs.append(system.spawn(Slow, name="slow")))
    spawner.start()
    assert gate.reached.wait(5)
    assert refs == []
    assert system.snapshot().root.find("/slow").state == "starting"

    gate.open()
    spawner.join(5)
    assert [ref.path for ref in refs] == ["/slow"]
    assert system.snapshot().root.find("/slow").state == "running"


def test_spawn_raises_what_on_start_raised_and_leaves_no_trace(system):
    system.spawn(Counter, name="other").ask(1)
    before = threading.active_count()

    with pytest.raises(ConnectionError, match="nobody answers"):
        system.spawn(Failing, name="f")

    assert names(system) == ["/other"]
    with pytest.raises(NoSuchActorError, match="nobody lives at /f"):
        system.ref("/f").ask(1)
    assert system.spawn(Counter, name="f").ask(1) == 1
    assert _eventually(lambda: threading.active_count() <= before)


def test_spawn_raises_what_the_constructor_raised(system):
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        system.spawn(Counter, name="c", kwargs={"nonsense": 1})

    assert names(system) == []


def test_a_name_is_used_once_even_while_the_first_is_still_starting(system, gate):
    class Slow(Actor):
        def on_start(self):
            gate.wait()

    spawner = threading.Thread(target=system.spawn, args=(Slow,), kwargs={"name": "n"})
    spawner.start()
    assert gate.reached.wait(5)

    with pytest.raises(NameTakenError, match="/n is taken"):
        system.spawn(Counter, name="n")

    gate.open()
    spawner.join(5)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "/a", ".a", "a" * 101, 5])
def test_a_name_that_is_no_name_is_refused(system, name):
    with pytest.raises(SpecError, match="id: "):
        system.spawn(Counter, name=name)


def test_an_actor_needs_a_name_and_has_to_be_one(system):
    with pytest.raises(UsageError, match="give the actor a name"):
        system.spawn(Counter)
    with pytest.raises(SpecError, match=r"a subclass of actors\.runtime\.Actor"):
        system.spawn(dict, name="d")


@pytest.mark.parametrize(
    ("actor", "text"),
    [
        ("no.such.module:C", "cannot import no.such.module: ModuleNotFoundError"),
        ("tests.support.actors_for_tests:Nobody", "has no Nobody"),
        ("tests.support.actors_for_tests:Total", r"not a subclass of actors\.runtime\.Actor"),
        ("tests.support.exits_at_import:C", "cannot import tests.support.exits_at_import: SystemExit: 3"),
    ],
)
def test_an_import_path_that_leads_nowhere_is_one_clear_error_and_harms_nobody(system, actor, text):
    with pytest.raises(SpecError, match=text):
        system.spawn(ChildSpec("c", actor))

    assert system.spawn(Counter, name="c").ask(1) == 1


def test_a_tree_of_specs_is_started_as_one(system):
    system.spawn(SupervisorSpec("sup", [ChildSpec("a", Counter, args=(5,)), SupervisorSpec("deep", [ChildSpec("b", Counter)])]))

    assert system.ref("/sup/a").ask(1) == 6
    assert system.ref("/sup/deep/b").ask(1) == 1
    shown = [(actor.path, actor.kind, actor.state) for actor in system.snapshot().root.walk()]
    assert shown == [
        ("/", "supervisor", "running"),
        ("/sup", "supervisor", "running"),
        ("/sup/a", "worker", "running"),
        ("/sup/deep", "supervisor", "running"),
        ("/sup/deep/b", "worker", "running"),
    ]


def test_nothing_is_found_below_a_supervisor_that_was_removed(system):
    system.spawn(SupervisorSpec("sup", [ChildSpec("a", Counter)]))

    system.remove("sup")

    assert names(system) == []
    for path in ("/sup", "/sup/a"):
        with pytest.raises(NoSuchActorError):
            system.ref(path).ask(1)


def test_a_name_that_is_used_again_has_a_higher_incarnation(system):
    """So that nothing late from the earlier life can be taken for the later one's."""
    first = system.spawn(Servant, name="s").ask(["who"])
    system.remove("s")

    second = system.spawn(Servant, name="s").ask(["who"])

    assert second["incarnation"] > first["incarnation"]


def test_the_children_of_a_supervisor_that_starts_again_have_higher_incarnations(system, events):
    system.spawn(SupervisorSpec("sup", [ChildSpec("s", Servant)], intensity=0))
    assert system.ref("/sup/s").ask(["who"])["incarnation"] == 1

    system.ref("/sup/s").tell(["raise", "ValueError", "x"])

    events.expect("actor.restarted", "/sup")
    assert system.ref("/sup/s").ask(["who"])["incarnation"] == 2
    shown = system.snapshot().root.find("/sup/s")
    assert shown.incarnation == 2


@pytest.mark.parametrize("path", ["x", "", "/a/", "//", "/a b", "/" + "a" * 600])
def test_a_ref_to_what_is_no_path_is_refused(system, path):
    with pytest.raises(InvalidPathError):
        system.ref(path)


def test_refs_to_one_path_are_equal_and_work_before_anybody_lives_there(system):
    early = system.ref("/c")
    with pytest.raises(NoSuchActorError):
        early.tell(1)

    ref = system.spawn(Counter, name="c")

    assert early == ref
    assert len({early, ref, system.ref("/d")}) == 2
    assert early.ask(1) == 1


def test_what_is_asked_of_nobody_resolves_at_once(system):
    future = system.ref("/nobody").ask(1, block=False)

    assert isinstance(future.error(), NoSuchActorError)


@pytest.mark.parametrize("verb", ["remove", "restart"])
def test_a_verb_on_nobody_says_so(system, verb):
    with system, pytest.raises(NoSuchActorError, match="there is no 'nobody' below /"):
        getattr(system, verb)("nobody")


def test_systems_of_one_process_are_strangers():
    with ActorSystem("one") as one, ActorSystem("two") as two:
        one.spawn(Counter, name="c", args=(1,))
        two.spawn(Counter, name="c", args=(10,))

        assert one.ref("/c").ask(0) == 1
        assert two.ref("/c").ask(0) == 10


def test_after_the_stop_nothing_works_and_everything_says_so_at_once():
    system = ActorSystem("test")
    ref = system.spawn(Counter, name="c")
    system.stop()
    began = time.monotonic()

    with pytest.raises(UsageError, match="'test' has been stopped"):
        system.spawn(Counter, name="d")
    with pytest.raises(TerminatedError):
        ref.ask(1)
    ref.tell(1)
    assert system.dead_letters.count == 1
    for verb in (system.remove, system.restart):
        with pytest.raises((UsageError, TerminatedError)):
            verb("c")
    system.stop()
    system.close()
    assert system.snapshot().root.state == "stopped"
    assert time.monotonic() - began < AT_ONCE_S


def test_a_system_that_was_never_used_stops_at_once():
    system = ActorSystem("test")

    system.stop()

    with pytest.raises(UsageError):
        system.spawn(Counter, name="c")


def test_a_spawn_that_crosses_the_stop_holds_nobody_up_and_fails_once_its_on_start_has_returned(gate):
    class Slow(Actor):
        def on_start(self):
            gate.wait()

    system = ActorSystem("test")
    outcome = []

    def spawn():
        try:
            system.spawn(Slow, name="slow", shutdown=0.1)
        except (StartError, TerminatedError) as error:
            outcome.append(error)

    spawner = threading.Thread(target=spawn)
    spawner.start()
    assert gate.reached.wait(5)

    system.stop()

    assert system.ended.get(5).reason == "shutdown"
    gate.open()
    spawner.join(AT_ONCE_S)
    assert not spawner.is_alive()
    assert len(outcome) == 1


def test_a_verb_that_comes_after_the_root_has_ended_fails_at_once(gate):
    """The root of this system fails, and nobody restarts it."""
    system = ActorSystem("test", SupervisorSpec("root", [ChildSpec("s", Servant)], intensity=0))
    with system:
        system.ref("/s").tell(["raise", "ValueError", "x"])
        assert system.ended.get(5).reason == "failed"
        began = time.monotonic()

        with pytest.raises(TerminatedError, match="/ has ended"):
            system.spawn(Counter, name="c")

        assert time.monotonic() - began < AT_ONCE_S


def test_a_root_that_does_not_start_says_why_and_closing_leaves_nothing():
    before = Held.now()
    bad = ChildSpec("bad", Servant, kwargs={"lives": ["raise"]})
    system = ActorSystem("test", SupervisorSpec("root", [ChildSpec("good", Counter), bad]))

    with pytest.raises(StartError, match="/bad did not start: OSError: cannot start today"):
        system.spawn(Counter, name="c")

    system.close()
    assert Held.now().threads == before.threads


def test_no_thread_and_no_descriptor_is_left_after_the_stop():
    before = Held.now()
    system = ActorSystem("test")
    for kind in ("shared", "pinned", "async"):
        system.spawn(Counter, name=kind, dispatcher=kind).ask(1)

    system.stop()

    after = Held.now()
    assert after.threads == before.threads
    assert after.descriptors == before.descriptors


def test_the_snapshot_shows_what_waits_and_what_was_done(clock, gate):
    class Blocked(Actor):
        mailbox_capacity = 5

        def on_receive(self, message):
            if message == "wait":
                gate.wait()
            return message

    system = ActorSystem("test", clock=clock)
    try:
        ref = system.spawn(Blocked, name="b")
        ref.ask("first")
        ref.tell("wait")
        assert gate.reached.wait(5)
        last = ref.ask("last", block=False)
        clock.advance(2.5)

        shown = system.snapshot().root.find("/b")
        assert (shown.mailbox.depth, shown.mailbox.capacity, shown.mailbox.oldest_s) == (1, 5, 2.5)
        assert (shown.processed, shown.uptime_s, shown.kind, shown.actor) == (1, 2.5, "worker", _name_of(Blocked))
        gate.open()
        last.get(5)
    finally:
        system.stop()


def _name_of(actor):
    return actor.__qualname__


def _eventually(holds):
    deadline, pause = time.monotonic() + 5, threading.Event()
    while not holds() and time.monotonic() < deadline:
        pause.wait(0.005)
    return holds()


VERBS = {
    "spawn": lambda system: system.spawn(Counter, name="late"),
    "remove": lambda system: system.remove("counter"),
    "restart": lambda system: system.restart("counter"),
    "stop": lambda system: system.stop(),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_a_verb_that_waits_is_refused_on_an_event_loop_and_nothing_is_done(system, verb):
    ref = system.spawn(Counter, name="counter")
    ref.ask(1)
    before = names(system)

    async def use():
        with pytest.raises(UsageError, match="event loop"):
            verb(system)

    asyncio.run(use())

    assert names(system) == before
    assert ref.ask(1, timeout=AT_ONCE_S) == 2
    assert system.snapshot().root.find("/counter").incarnation == 1


def test_what_on_start_raised_is_raised_by_spawn_though_the_system_stops_meanwhile(system, gate):
    class Fails(Actor):
        def on_start(self):
            gate.wait()
            raise ConnectionError("the user's own")

    errors = []

    def spawn():
        with pytest.raises(ConnectionError, match="the user's own") as raised:
            system.spawn(Fails, name="fails")
        errors.append(raised.value)

    spawner = threading.Thread(target=spawn)
    spawner.start()
    assert gate.reached.wait(AT_ONCE_S)
    ended = system.begin_stop()
    gate.open()
    spawner.join(AT_ONCE_S)

    assert len(errors) == 1
    ended.get(AT_ONCE_S)


def test_what_is_no_class_cannot_be_spawned(system):
    with pytest.raises(UsageError, match="give an actor's class"):
        system.spawn("package.module:Actor", name="a")
