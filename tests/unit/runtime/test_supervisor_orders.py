"""What a supervisor does by order, with real children: stop, start, restart, children by a template, and reloads."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from actors.runtime import Actor, ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.errors import NameTakenError, NoSuchActorError, SpecError, StartError, TerminatedError
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Counter, Servant

WAIT_S = 10.0


def servant(id_, **fields):
    return ChildSpec(id_, Servant, **{"backoff": Backoff(min=0.01, max=0.02), **fields})


@contextmanager
def root(*children, **fields):
    with ActorSystem("test", SupervisorSpec("root", list(children), **fields)) as system:
        probe = EventProbe(system.events)
        yield system, probe
        probe.close()


def lives(system):
    return {child.path: child.incarnation for child in system.snapshot().root.children}


def state_of(system, path):
    return system.snapshot().root.find(path).state


def test_a_stopped_child_refuses_what_it_is_told_and_is_back_when_it_is_started():
    with root(servant("s")) as (system, _):
        system.supervisor.stop("s").get(WAIT_S)

        assert state_of(system, "/s") == "stopped"
        with pytest.raises(TerminatedError):
            system.ref("/s").ask(["who"])
        assert system.supervisor.start("s").get(WAIT_S).ask(["who"])["incarnation"] == 2


@pytest.mark.parametrize("verb", ["stop", "remove"])
def test_an_order_cancels_a_restart_that_is_not_due_yet(verb):
    never = Backoff(min=3600, max=3600, jitter=0)
    with root(servant("s", backoff=never, kwargs={"lives": ["ok", "raise"]}), intensity=5) as (system, events):
        system.ref("/s").tell(["raise", "ValueError", "told to"])
        events.expect("actor.restart_scheduled", "/s")

        getattr(system.supervisor, verb)("s").get(WAIT_S)

        assert [child.state for child in system.snapshot().root.children] == ([] if verb == "remove" else ["stopped"])


def test_a_restart_by_order_keeps_the_messages_that_wait(gate):
    class Slow(Actor):
        dispatcher = "pinned"

        def __init__(self):
            self.heard = []

        def on_receive(self, message):
            self.heard.append(message)
            if message == "first":
                gate.wait()
            return list(self.heard)

    with ActorSystem("test") as system:
        ref = system.spawn(Slow, name="slow")
        ref.tell("first")
        gate.reached.wait(WAIT_S)
        restarted = system.supervisor.restart("slow")
        for number in range(3):
            ref.tell(number)
        # Orders are taken one after the other: once this one is answered, the child has been told to end.
        with pytest.raises(NoSuchActorError):
            system.supervisor.start("nobody").get(WAIT_S)
        gate.open()

        assert restarted.get(WAIT_S) == ref
        assert ref.ask("last") == [0, 1, 2, "last"]


def test_a_restart_takes_those_after_it_along_under_rest_for_one():
    with root(servant("a"), servant("b"), servant("c"), strategy="rest_for_one", intensity=0) as (system, events):
        system.supervisor.restart("b").get(WAIT_S)
        events.expect("actor.restarted", "/c", incarnation=2)

        assert lives(system) == {"/a": 1, "/b": 2, "/c": 2}


def test_a_crash_takes_everybody_along_under_one_for_all(tmp_path):
    notes = {"notes": str(tmp_path / "notes")}
    children = [servant(id_, kwargs=notes) for id_ in ("a", "b", "c")]
    with root(*children, strategy="one_for_all") as (system, events):
        system.ref("/b").tell(["raise", "ValueError", "told to"])
        events.expect("actor.restarted", "/c", incarnation=2)

        assert lives(system) == {"/a": 2, "/b": 2, "/c": 2}
        lines = (tmp_path / "notes").read_text().splitlines()
        assert lines[3:] == ["stopped /c 1", "stopped /a 1", "started /a 2", "started /b 2", "started /c 2"]


def test_orders_about_nobody_are_refused_by_name():
    with root() as (system, _):
        for verb in ("stop", "start", "restart", "remove"):
            with pytest.raises(NoSuchActorError, match="there is no 'x' below /"):
                getattr(system.supervisor, verb)("x").get(WAIT_S)


def test_orders_are_answered_while_a_child_starts_and_another_stops(gate):
    class SlowToStart(Actor):
        dispatcher = "pinned"

        def on_start(self):
            if self.context.incarnation > 1:
                gate.wait()

    with ActorSystem("test") as system:
        system.spawn(SlowToStart, name="slow")
        restarting = system.supervisor.restart("slow")
        gate.reached.wait(WAIT_S)

        assert system.supervisor.add(servant("other")).get(WAIT_S).ask(["who"])["incarnation"] == 1
        system.supervisor.stop("other").get(WAIT_S)
        system.supervisor.start("other").get(WAIT_S)
        assert not restarting.is_resolved()
        gate.open()
        restarting.get(WAIT_S)


def test_a_child_that_is_stopped_while_somebody_waits_for_its_start_says_so(gate):
    class SlowToStart(Actor):
        dispatcher = "pinned"

        def on_start(self):
            gate.wait()

    with ActorSystem("test") as system:
        starting = system.supervisor.add(ChildSpec("slow", "x.y:Z"))
        with pytest.raises(SpecError):
            starting.get(WAIT_S)
        with ThreadPoolExecutor(1) as elsewhere:
            spawned = elsewhere.submit(system.spawn, SlowToStart, name="slow")
            gate.reached.wait(WAIT_S)
            stopped = system.supervisor.stop("slow")
            gate.open()
            stopped.get(WAIT_S)

            assert isinstance(spawned.exception(WAIT_S), StartError)


class TestDynamic:
    """Children by a template."""

    def test_children_are_started_by_the_template_with_names_and_arguments_of_their_own(self):
        with root(ChildSpec("counter", Counter, kwargs={"start": 5}), strategy="dynamic") as (system, _):
            numbered = [system.supervisor.start_like().get(WAIT_S) for _ in range(2)]
            named = system.supervisor.start_like("mine", kwargs={"start": 7}).get(WAIT_S)

            assert [ref.path for ref in (*numbered, named)] == ["/counter-1", "/counter-2", "/mine"]
            assert [ref.ask(0) for ref in (*numbered, named)] == [5, 5, 7]

    def test_a_taken_name_is_refused(self):
        with root(ChildSpec("counter", Counter), strategy="dynamic") as (system, _):
            system.supervisor.start_like("mine").get(WAIT_S)

            with pytest.raises(NameTakenError):
                system.supervisor.start_like("mine").get(WAIT_S)

    def test_another_kind_of_child_is_refused_and_so_is_a_template_where_there_is_none(self):
        with root(ChildSpec("counter", Counter), strategy="dynamic") as (system, _), pytest.raises(SpecError, match="template"):
            system.supervisor.add(servant("s")).get(WAIT_S)
        with root() as (system, _), pytest.raises(SpecError, match="no template"):
            system.supervisor.start_like().get(WAIT_S)

    def test_spawning_below_a_dynamic_root_is_refused_as_well(self):
        with root(ChildSpec("counter", Counter), strategy="dynamic") as (system, _), pytest.raises(SpecError, match="template"):
            system.spawn(Counter, name="other")


class TestReload:
    """What a reload changes, and what it leaves alone."""

    def test_what_is_new_runs_what_is_gone_is_gone_and_the_unchanged_never_noticed(self):
        with root(servant("same"), servant("gone"), ChildSpec("changed", Counter)) as (system, events):
            new = [servant("new"), servant("same"), ChildSpec("changed", Counter, kwargs={"start": 3})]

            difference = system.supervisor.reload(SupervisorSpec("root", new, intensity=9, period=90.0)).get(WAIT_S)
            system.supervisor.start("changed").get(WAIT_S)
            system.supervisor.start("new").get(WAIT_S)
            if system.snapshot().root.find("/gone") is not None:
                events.expect("actor.removed", "/gone")

            assert (difference.added, difference.removed, difference.changed) == (("new",), ("gone",), ("changed",))
            assert difference.unchanged == ("same",)
            assert lives(system) == {"/same": 1, "/changed": 2, "/new": 1}
            assert system.ref("/changed").ask(0) == 3
            shown = system.snapshot().root
            assert (shown.intensity, shown.period_s) == (9, 90.0)

    def test_a_spec_that_cannot_be_had_changes_nothing(self):
        with root(servant("a")) as (system, _):
            with pytest.raises(SpecError, match="no_such"):
                system.supervisor.reload(SupervisorSpec("root", [servant("b"), ChildSpec("c", "no_such.module:C")])).get(WAIT_S)

            assert lives(system) == {"/a": 1}

    def test_a_supervisor_below_applies_its_part_and_goes_on_running(self):
        with root(SupervisorSpec("work", [servant("a")])) as (system, events):
            system.supervisor.reload(SupervisorSpec("root", [SupervisorSpec("work", [servant("a"), servant("b")])])).get(WAIT_S)
            events.expect("actor.started", "/work/b")

            assert lives(system) == {"/work": 1}
            assert system.ref("/work/a").ask(["who"])["incarnation"] == 1

    def test_a_restart_after_a_reload_is_by_the_new_spec(self):
        def work(*children, **fields):
            return SupervisorSpec("root", [SupervisorSpec("work", list(children), intensity=0, **fields)])

        with ActorSystem("test", work(servant("a"))) as system:
            events = EventProbe(system.events)
            system.supervisor.reload(work(servant("a"), servant("b"))).get(WAIT_S)
            events.expect("actor.started", "/work/b")

            system.ref("/work/a").tell(["raise", "ValueError", "told to"])
            events.expect("actor.restarted", "/work")
            events.close()

            assert system.ref("/work/b").ask(["who"])["incarnation"] == 2

    def test_a_child_that_comes_back_counts_on_from_its_last_life(self):
        with root(servant("a")) as (system, events):
            system.supervisor.reload(SupervisorSpec("root")).get(WAIT_S)
            events.expect("actor.removed", "/a")

            system.supervisor.reload(SupervisorSpec("root", [servant("a")])).get(WAIT_S)

            assert events.expect("actor.started", "/a").fields["incarnation"] == 2

    def test_a_supervisor_does_not_become_dynamic(self):
        with root(servant("a")) as (system, _), pytest.raises(SpecError, match="dynamic"):
            system.supervisor.reload(SupervisorSpec("root", [servant("a")], strategy="dynamic")).get(WAIT_S)

    def test_what_runs_already_under_a_name_is_taken_for_what_the_spec_means(self):
        with root() as (system, _):
            system.spawn(servant("a"))

            difference = system.supervisor.reload(SupervisorSpec("root", [servant("a")])).get(WAIT_S)

            assert difference.unchanged == ("a",)
            assert lives(system) == {"/a": 1}
