"""FaultyTransport: each fault does what it says, is counted, and comes again with the same seed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.errors import ProtocolError, SpecError, UsageError
from actors.runtime.testing import Corrupt, Delay, Drop, Duplicate, FakeClock, Fault, FaultyTransport, MemoryNetwork, Reorder
from actors.runtime.testing.faults import KINDS, Way, node_of
from actors.runtime.transport.base import NodeAddress
from actors.runtime.wire.codec import Codec, ReplyFrame

CODEC = Codec(lambda value: value, lambda _, value: value, lambda code, data: data)
NOTHING = CODEC.encode_body(None)
A, B, C = (NodeAddress(path, 1, f"memory:{path}") for path in ("/a", "/b", "/c"))


def envelope(number):
    return CODEC.encode(ReplyFrame(number, NOTHING))


class Recorder:
    """A receiver that keeps the numbers of what it receives; with `answers`, it answers each with its number plus 100."""

    def __init__(self, answers=False):
        self.numbers = []
        self.spoilt = []
        self.unsent = []
        self.told = []
        self._answers = answers

    def on_frame(self, peer, frame):
        try:
            got = [each.correlation for each in CODEC.decode(frame)]
        except ProtocolError:
            self.spoilt.append(frame)
            return
        self.numbers += got
        if self._answers:
            for number in got:
                self.transport.reply(peer, envelope(number + 100))

    def on_unsent(self, envelopes, reason):
        self.unsent += envelopes
        self.told.append(reason)

    def on_forgotten(self, address):
        self.told.append(address)

    def on_failed(self, reason):
        self.told.append(reason)


class Nodes:
    """Nodes /a, /b and /c on one memory network with faults; /b answers."""

    def __init__(self, *faults, seed=None, clock=None):
        chance = None if seed is None else random.Random(seed)  # noqa: S311  # chaos, not secrets
        self.faulty = FaultyTransport(MemoryNetwork().open, faults, chance, clock=clock)
        self.a, self.b, self.c = Recorder(), Recorder(answers=True), Recorder()
        for address, recorder in ((A, self.a), (B, self.b), (C, self.c)):
            recorder.transport = self.faulty.open(f"{address.path}#1", address.endpoint, recorder)

    def send(self, count, to=B):
        return [self.a.transport.send(to, envelope(number)) for number in range(1, count + 1)]

    def counted(self):
        return {kind: count for kind, count in self.faulty.faults().items() if count}


def test_without_rules_everything_passes_and_nothing_is_counted():
    nodes = Nodes()

    assert nodes.send(3) == [True] * 3

    assert (nodes.b.numbers, nodes.a.numbers) == ([1, 2, 3], [101, 102, 103])
    assert nodes.faulty.faults() == dict.fromkeys(KINDS, 0)


def test_a_dropped_frame_is_taken_and_never_comes():
    nodes = Nodes(Drop(peer="/b", direction="send", first=2, last=2))

    assert nodes.send(3) == [True] * 3

    assert nodes.b.numbers == [1, 3]
    assert nodes.counted() == {"drop": 1}


def test_an_answer_can_be_dropped_where_it_is_given_and_where_it_is_received():
    given_, received = Nodes(Drop(node="/b", direction="reply")), Nodes(Drop(node="/a", direction="receive"))

    for nodes in (given_, received):
        nodes.send(2)

        assert (nodes.b.numbers, nodes.a.numbers) == ([1, 2], [])
        assert nodes.counted() == {"drop": 2}


def test_a_duplicated_frame_comes_twice():
    nodes = Nodes(Duplicate(direction="send", first=2, last=2))

    nodes.send(3)

    assert nodes.b.numbers == [1, 2, 2, 3]
    assert nodes.counted() == {"duplicate": 1}


def test_a_delayed_frame_comes_when_the_clock_has_moved_so_far():
    clock = FakeClock()
    nodes = Nodes(Delay(direction="send", seconds=2.0, first=1, last=1), clock=clock)

    nodes.send(2)
    assert (nodes.b.numbers, nodes.faulty.held()) == ([2], 1)
    clock.advance(1.9)
    assert nodes.b.numbers == [2]
    clock.advance(0.2)

    assert (nodes.b.numbers, nodes.faulty.held()) == ([2, 1], 0)
    assert nodes.counted() == {"delay": 1}


def test_delayed_frames_come_in_the_order_in_which_they_are_due():
    clock = FakeClock()
    nodes = Nodes(
        Delay(direction="send", seconds=3.0, first=1, last=1), Delay(direction="send", seconds=1.0, first=2), clock=clock
    )

    nodes.send(3)
    clock.advance(5)

    assert nodes.b.numbers == [2, 3, 1]


def test_a_delay_without_a_time_lasts_until_the_release():
    nodes = Nodes(Delay(direction="send", last=2))

    nodes.send(3)
    assert (nodes.b.numbers, nodes.faulty.held()) == ([3], 2)

    assert nodes.faulty.release() == 2
    assert (nodes.b.numbers, nodes.faulty.held()) == ([3, 1, 2], 0)


def test_a_reordered_frame_comes_behind_those_that_overtake_it():
    nodes = Nodes(Reorder(direction="send", behind=2, first=1, last=1))

    nodes.send(4)

    assert nodes.b.numbers == [2, 3, 1, 4]
    assert nodes.counted() == {"reorder": 1}


def test_a_reordered_frame_that_nothing_follows_is_held_until_the_release():
    nodes = Nodes(Reorder(direction="send", first=3))

    nodes.send(3)
    assert (nodes.b.numbers, nodes.faulty.held()) == ([1, 2], 1)

    nodes.faulty.release()
    assert nodes.b.numbers == [1, 2, 3]


def test_frames_of_another_way_do_not_count_as_overtaking():
    nodes = Nodes(Reorder(direction="send", peer="/b", first=1, last=1))

    nodes.send(1)
    nodes.send(3, to=C)

    assert (nodes.b.numbers, nodes.c.numbers) == ([], [1, 2, 3])


def test_a_truncated_frame_is_refused_by_its_reader():
    nodes = Nodes(Corrupt(node="/b", first=2, last=2), seed=1)

    nodes.send(3)

    assert (nodes.b.numbers, len(nodes.b.spoilt)) == ([1, 3], 1)
    assert nodes.counted() == {"corrupt": 1}


@given(st.integers(0, 2**32), st.binary(max_size=50), st.sampled_from(["truncate", "flip"]))
def test_damage_changes_every_frame_that_is_not_empty(seed, frame, damage):
    spoilt = Corrupt(damage=damage).spoil(frame, random.Random(seed))  # noqa: S311  # chaos, not secrets

    assert (spoilt != frame) == bool(frame)
    assert len(spoilt) == len(frame) if damage == "flip" else len(spoilt) <= len(frame)


def test_a_cut_loses_one_way_until_it_is_mended():
    nodes = Nodes()
    nodes.faulty.cut("/b", "/a")

    nodes.send(2)
    assert (nodes.b.numbers, nodes.a.numbers) == ([1, 2], [])
    nodes.faulty.mend()
    nodes.send(1)

    assert nodes.a.numbers == [101]
    assert nodes.counted() == {"cut": 2}


def test_a_partition_parts_groups_both_ways_and_leaves_the_rest():
    nodes = Nodes()
    nodes.faulty.partition(["/a"], ["/b"])

    nodes.send(2, to=B)
    nodes.send(2, to=C)
    nodes.b.transport.send(A, envelope(9))
    nodes.b.transport.send(C, envelope(9))

    assert (nodes.a.numbers, nodes.b.numbers, nodes.c.numbers) == ([], [], [1, 2, 9])
    assert nodes.counted() == {"partition": 3}
    nodes.faulty.mend()
    nodes.send(1)
    assert nodes.b.numbers == [1]


def test_nodes_of_one_group_reach_each_other_through_a_partition():
    nodes = Nodes()
    nodes.faulty.partition(["/a", "/b"], ["/c"])

    nodes.send(1, to=B)
    nodes.send(1, to=C)

    assert (nodes.a.numbers, nodes.b.numbers, nodes.c.numbers) == ([101], [1], [])


def test_the_first_rule_whose_chance_comes_true_decides():
    nodes = Nodes(Drop(direction="send", last=1), Duplicate(direction="send", last=2))

    nodes.send(3)

    assert nodes.b.numbers == [2, 2, 3]
    assert nodes.counted() == {"drop": 1, "duplicate": 1}


def storm(seed, *, interleaved=False):
    """Send through every fault at once; give what came and what was counted."""
    clock = FakeClock()
    nodes = Nodes(
        Drop(direction="send", probability=0.2),
        Delay(direction="send", seconds=1.0, probability=0.2),
        Duplicate(direction="send", probability=0.2),
        Reorder(direction="send", behind=2, probability=0.2),
        Corrupt(node="/b", probability=0.1),
        seed=seed,
        clock=clock,
    )
    for number in range(200):
        nodes.a.transport.send(B, envelope(number))
        if interleaved:
            nodes.a.transport.send(C, envelope(number))
        clock.advance(0.05)
    nodes.faulty.release()
    return nodes


def test_the_same_seed_and_calls_give_the_same_faults():
    first, second, other = storm(7), storm(7), storm(8)

    assert (first.b.numbers, first.a.numbers, first.counted()) == (second.b.numbers, second.a.numbers, second.counted())
    assert first.b.numbers != other.b.numbers
    assert set(first.counted()) == {"drop", "delay", "duplicate", "reorder", "corrupt"}


def test_what_happens_on_one_way_does_not_depend_on_others():
    """Else the calls of two threads, which fall between each other differently in each run, would change the faults."""
    assert storm(7).b.numbers == storm(7, interleaved=True).b.numbers


@given(st.integers(0, 1000))
def test_every_frame_is_accounted_for_in_a_storm(seed):
    nodes = storm(seed)
    counted = nodes.faulty.faults()

    sent = 200
    assert len(nodes.b.numbers) + len(nodes.b.spoilt) == sent - counted["drop"] + counted["duplicate"]
    assert len(nodes.b.spoilt) == counted["corrupt"]
    assert nodes.faulty.held() == 0


def test_what_is_held_for_a_life_that_ends_comes_back_to_its_sender_first():
    nodes = Nodes(Delay(direction="send"))
    nodes.send(2)

    nodes.a.transport.forget(B)

    assert nodes.a.unsent == [envelope(1), envelope(2)]
    assert nodes.a.told == ["/b ended before they were sent", B]
    assert (nodes.faulty.release(), nodes.b.numbers) == (0, [])


def test_what_is_held_when_its_sender_closes_comes_back():
    nodes = Nodes(Delay(direction="send"))
    nodes.send(1)

    nodes.a.transport.close()
    nodes.a.transport.close()

    assert (nodes.a.unsent, nodes.a.told) == ([envelope(1)], ["this node ended before they were sent"])
    assert nodes.send(1) == [False]


def test_a_frame_that_the_transport_refuses_when_it_is_released_comes_back_to_its_sender():
    network = MemoryNetwork(max_waiting=1)
    faulty, sender = FaultyTransport(network.open, [Delay(direction="send", last=1)]), Recorder()
    transport = faulty.open("/a#1", "memory:a", sender)
    assert [transport.send(B, envelope(number)) for number in (1, 2)] == [True, True]

    faulty.release()

    assert (sender.unsent, sender.told) == ([envelope(1)], ["/b did not take it when it was released"])


def test_what_the_transport_refuses_at_once_is_refused():
    faulty = FaultyTransport(MemoryNetwork(max_waiting=1).open)
    transport = faulty.open("/a#1", "memory:a", Recorder())

    assert [transport.send(B, envelope(number)) for number in (1, 2)] == [True, False]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Drop(probability=0), "probability: 0: above 0 and 1 at most"),
        (lambda: Drop(probability=1.5), "probability: 1.5"),
        (lambda: Drop(first=0), "first: 0: 1 or more"),
        (lambda: Drop(first=5, last=4), "last: 4: no less than `first`"),
        (lambda: Drop(direction="up"), "direction: 'up': send, reply or receive"),
        (lambda: Delay(seconds=-1), "seconds: -1: 0 or more"),
        (lambda: Reorder(behind=0), "behind: 0: 1 or more"),
        (lambda: Corrupt(direction="send"), "direction: 'send': receive"),
        (lambda: Corrupt(damage="melt"), "damage: 'melt': truncate or flip"),
        (lambda: Drop(first=0, probability=2), "first: 0: 1 or more; probability: 2: above 0 and 1 at most"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_and_says_what_may_be(make, said):
    with pytest.raises(SpecError) as raised:
        make()

    assert said in str(raised.value)


def test_a_delay_in_seconds_without_a_clock_is_refused():
    with pytest.raises(UsageError, match="needs a clock"):
        FaultyTransport(MemoryNetwork().open, [Delay(seconds=1)])


@pytest.mark.parametrize("fault", [Drop(probability=0.5), Corrupt()])
def test_a_fault_by_chance_without_a_seed_is_refused(fault):
    with pytest.raises(UsageError, match="need a seed"):
        FaultyTransport(MemoryNetwork().open, [fault])


@pytest.mark.parametrize(("identity", "node"), [("/#1", "/"), ("/b/c#12", "/b/c"), ("/b", "/b"), ("", "")])
def test_the_node_is_read_from_its_identity(identity, node):
    assert node_of(identity) == node


def test_a_rule_without_conditions_matches_every_frame():
    class Anything(Fault, frozen=True, kw_only=True):
        kind = "drop"

    assert all(
        Anything().matches(Way("/a#1", direction, "/b"), number) for direction in ("send", "receive") for number in (1, 99)
    )
