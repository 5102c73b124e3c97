"""Groups and topics: who is a member, what a member hears, and what is left of one that is gone."""

import threading
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from actors.runtime import Actor
from actors.runtime.errors import InvalidPathError, UnsendableError, UsageError
from actors.runtime.events import EventLog
from actors.runtime.groups import Groups
from actors.runtime.ref import ActorRef
from actors.runtime.testing import EventProbe, FakeClock, TestProbe


class PathOnly(ActorRef):
    """A ref to nobody, for tests of who is a member; `tell` raises `raises` where there is one."""

    def __init__(self, path, raises=None):
        self.path = path
        self.raises = raises

    def tell(self, message):
        if self.raises is not None:
            raise self.raises


class Small(Actor):
    mailbox_capacity = 1

    def on_receive(self, message):
        if hasattr(message, "wait"):
            message.wait()
        elif message == "fail":
            raise ValueError(message)


A, B, BELOW_A = PathOnly("/a"), PathOnly("/b"), PathOnly("/a/below")


@pytest.fixture
def log():
    return EventLog(FakeClock(), "kernel")


@pytest.fixture
def groups(log):
    return Groups(log)


def happened(log):
    return [(event.type, event.path, *event.fields.values()) for event in log.since(0)]


def test_members_are_given_in_the_order_of_joining(groups):
    for ref in (B, A, BELOW_A):
        groups.join("g", ref)

    assert groups.members("g") == (B, A, BELOW_A)


def test_a_group_is_there_while_it_has_members(groups):
    groups.join("z", A)
    groups.join("g", A)
    assert groups.groups() == ("g", "z")

    groups.leave("g", A)
    assert groups.groups() == ("z",)
    assert groups.members("g") == ()


def test_who_joins_twice_is_a_member_once_and_leaves_at_once(groups, log):
    groups.join("g", A)
    groups.join("g", PathOnly("/a"))
    assert groups.members("g") == (A,)

    groups.leave("g", A)
    groups.leave("g", A)
    assert groups.members("g") == ()
    assert happened(log) == [("group.joined", "/a", "g"), ("group.left", "/a", "g", "left")]


def test_leaving_all_leaves_every_group_and_nobody_else_leaves(groups, log):
    for ref in (A, B, BELOW_A):
        groups.join("g", ref)
        groups.join("h", ref)

    groups.leave_all("/a")

    assert groups.members("g") == groups.members("h") == (B, BELOW_A)
    assert happened(log)[-2:] == [("group.left", "/a", "g", "left"), ("group.left", "/a", "h", "left")]


def test_an_actor_that_is_gone_takes_all_below_it_along(groups, log):
    for ref in (A, B, BELOW_A, PathOnly("/ab")):
        groups.join("g", ref)

    groups.forget("/a")

    assert groups.members("g") == (B, PathOnly("/ab"))
    assert happened(log)[-2:] == [("group.left", "/a", "g", "gone"), ("group.left", "/a/below", "g", "gone")]


def test_forgetting_the_root_empties_every_group(groups):
    for ref in (PathOnly("/"), A, BELOW_A):
        groups.join("g", ref)

    groups.forget("/")

    assert groups.groups() == ()


def test_who_is_in_no_group_is_forgotten_without_a_trace(groups, log):
    groups.join("g", A)
    before = happened(log)

    groups.forget("/nobody")
    groups.leave_all("/nobody")

    assert happened(log) == before


@pytest.mark.parametrize("name", ["", "  ", None, 7])
def test_a_group_without_a_name_is_refused(groups, name):
    for call in (
        lambda: groups.join(name, A),
        lambda: groups.leave(name, A),
        lambda: groups.members(name),
        lambda: groups.publish(name, "m"),
    ):
        with pytest.raises(UsageError, match="no name of a group: give a text that is not empty"):
            call()


@pytest.mark.parametrize("ref", ["/a", None])
def test_what_is_no_ref_can_neither_join_nor_leave(groups, ref):
    for call in (groups.join, groups.leave):
        with pytest.raises(UsageError, match="is no ref"):
            call("g", ref)


def test_what_is_no_path_cannot_leave_all(groups):
    with pytest.raises(InvalidPathError):
        groups.leave_all("a")


def test_publishing_tells_every_member_and_says_how_many_took_it(system, groups):
    probes = [TestProbe(system, name) for name in ("first", "second")]
    for probe in probes:
        groups.join("news", probe.ref)

    assert groups.publish("news", "m") == 2
    assert [probe.expect() for probe in probes] == ["m", "m"]


def test_publishing_to_a_group_that_is_not_there_tells_nobody(groups):
    assert groups.publish("news", "m") == 0


def test_members_that_refuse_do_not_keep_a_message_from_the_others(system, groups, gate, probe):
    full = system.spawn(Small, name="full")
    full.tell(gate)
    assert gate.reached.wait(10)
    full.tell("fills it")
    for ref in (full, system.ref("/nobody"), probe.ref):
        groups.join("news", ref)

    assert groups.publish("news", "m") == 1
    assert probe.expect() == "m"


def test_a_message_that_cannot_be_sent_to_one_member_reaches_the_others_and_then_says_so(groups, probe):
    groups.join("news", PathOnly("/far", UnsendableError("no plain data")))
    groups.join("news", probe.ref)

    with pytest.raises(UnsendableError, match="no plain data"):
        groups.publish("news", "m")

    assert probe.expect() == "m"


def test_a_member_stays_one_across_a_restart(system, groups, events):
    ref = system.spawn(Small, name="small")
    groups.join("news", ref)

    ref.tell("fail")
    events.expect("actor.restarted", "/small")

    assert groups.members("news") == (ref,)
    assert groups.publish("news", "m") == 1


def test_a_listener_may_join_and_its_event_comes_after_the_one_it_heard(groups, log):
    stop = log.listen(lambda event: groups.join("followers", B) if event.fields["group"] == "g" else None)
    groups.join("g", A)
    stop()

    assert happened(log) == [("group.joined", "/a", "g"), ("group.joined", "/b", "followers")]


def test_a_listener_that_changes_groups_does_not_wait_for_a_thread_that_does(groups, log):
    """Both locks are taken in both orders: a group's change publishes, and a listener, under the log's lock, changes groups."""
    stop = log.listen(lambda event: groups.leave("g", A) if event.type == "actor.exited" else None)
    together = threading.Barrier(2)

    def change():
        together.wait(10)
        for _ in range(300):
            groups.join("g", A)

    def end():
        together.wait(10)
        for _ in range(300):
            log.publish("actor.exited", "/a")

    threads = [threading.Thread(target=work, daemon=True) for work in (change, end)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    stop()

    assert [thread.is_alive() for thread in threads] == [False, False]


def test_an_event_that_is_being_told_is_not_overtaken_by_that_of_a_later_change(gate):
    class Held(EventLog):
        def publish(self, type_, path, **fields):
            if path == "/a":
                gate.wait()
            return super().publish(type_, path, **fields)

    held = Held(FakeClock(), "kernel")
    groups = Groups(held)
    first = threading.Thread(target=groups.join, args=("g", A))
    first.start()
    assert gate.reached.wait(10)

    groups.join("g", B)
    gate.open()
    first.join(10)

    assert groups.members("g") == (A, B)
    assert [event.path for event in held.since(0)] == ["/a", "/b"]


def test_events_of_changes_on_many_threads_are_in_the_order_of_the_changes(groups, log):
    """Whoever follows the events knows who is a member: of one that joins and leaves, they alternate."""
    together = threading.Barrier(4)

    def change():
        together.wait(10)
        for _ in range(100):
            groups.join("g", A)
            groups.leave("g", A)

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    types = [event.type for event in log.since(0)]

    assert types == ["group.joined", "group.left"] * (len(types) // 2)
    assert groups.members("g") == ()


def test_members_that_many_threads_let_join_are_all_there(groups):
    mine = [[PathOnly(f"/{thread}/{number}") for number in range(100)] for thread in range(4)]
    together = threading.Barrier(len(mine))

    def join(refs):
        together.wait(10)
        for ref in refs:
            groups.join("g", ref)

    threads = [threading.Thread(target=join, args=(refs,)) for refs in mine]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert Counter(groups.members("g")) == Counter(ref for refs in mine for ref in refs)


def test_an_interrupt_while_events_are_told_does_not_silence_those_that_follow(groups, log):
    def interrupt(_):
        raise KeyboardInterrupt

    stop = log.listen(interrupt)
    with pytest.raises(KeyboardInterrupt):
        groups.join("g", A)
    stop()
    probe = EventProbe(log)
    groups.join("g", B)

    probe.expect("group.joined", "/b", group="g")
    probe.close()


class GroupsAgainstAModel(RuleBasedStateMachine):
    """Any calls in any order, against lists; the events alone tell the same story, and nothing is kept of who is gone."""

    names = st.sampled_from(["g", "h", "i"])
    paths = st.sampled_from(["/", "/a", "/a/b", "/a/b/c", "/ab", "/d/e"])

    def __init__(self):
        super().__init__()
        self.log = EventLog(FakeClock(), "kernel")
        self.groups = Groups(self.log)
        self.model = {}

    def drop(self, gone):
        kept = {name: [path for path in paths if not gone(name, path)] for name, paths in self.model.items()}
        self.model = {name: paths for name, paths in kept.items() if paths}

    @rule(name=names, path=paths)
    def join(self, name, path):
        self.groups.join(name, PathOnly(path))
        members = self.model.setdefault(name, [])
        if path not in members:
            members.append(path)

    @rule(name=names, path=paths)
    def leave(self, name, path):
        self.groups.leave(name, PathOnly(path))
        self.drop(lambda group, member: (group, member) == (name, path))

    @rule(path=paths)
    def leave_all(self, path):
        self.groups.leave_all(path)
        self.drop(lambda _, member: member == path)

    @rule(path=paths)
    def forget(self, path):
        self.groups.forget(path)
        self.drop(lambda _, member: path == "/" or f"{member}/".startswith(f"{path}/"))

    @invariant()
    def the_same_members(self):
        assert {name: [ref.path for ref in self.groups.members(name)] for name in self.groups.groups()} == self.model

    @invariant()
    def the_events_say_so_too(self):
        told = {}
        for event in self.log.since(0):
            members = told.setdefault(event.fields["group"], [])
            (members.append if event.type == "group.joined" else members.remove)(event.path)
        assert {name: paths for name, paths in told.items() if paths} == self.model

    @invariant()
    def nothing_is_kept_of_who_is_no_member(self):
        members = {path for paths in self.model.values() for path in paths}
        assert set(self.groups._groups_of) == members
        assert {path for within in self.groups._members_within.values() for path in within} == members
        assert all(self.groups._members_within.values())


TestGroupsAgainstAModel = GroupsAgainstAModel.TestCase
TestGroupsAgainstAModel.settings = settings(max_examples=60, stateful_step_count=25)
