"""What every transport promises, held by the memory transport that tests use and by the ZeroMQ one that nodes use."""

import queue

import pytest

from actors.runtime.errors import RunDirectoryError
from actors.runtime.testing import MemoryNetwork
from actors.runtime.transport.base import NodeAddress
from actors.runtime.transport.zeromq import ZeromqTransport
from actors.runtime.wire.codec import Codec, ReplyFrame
from tests.support.leaks import Held

PATIENCE_S = 10.0
CODEC = Codec(lambda value: value, lambda _, value: value, lambda code, data: data)
NOTHING = CODEC.encode_body(None)


def envelope(number):
    return CODEC.encode(ReplyFrame(number, NOTHING))


class Recorder:
    """A receiver that keeps what it is told; `on` may do more with each frame."""

    def __init__(self, on=lambda peer, frame: None):
        self.told = queue.SimpleQueue()
        self._on = on

    def on_frame(self, peer, frame):
        self.told.put(("frame", peer, [each.correlation for each in CODEC.decode(frame)]))
        self._on(peer, frame)

    def on_unsent(self, envelopes, reason):
        self.told.put(("unsent", reason, list(envelopes)))

    def on_forgotten(self, address):
        self.told.put(("forgotten", address, []))

    def on_failed(self, reason):
        raise AssertionError(reason)

    def next(self):
        return self.told.get(timeout=PATIENCE_S)

    def numbers(self, count):
        """Give the numbers of the next `count` envelopes."""
        got = []
        while len(got) < count:
            what, _, numbers = self.next()
            assert what == "frame"
            got += numbers
        return got


@pytest.fixture(params=["memory", "zeromq"])
def kind(request):
    return request.param


@pytest.fixture
def place(kind, tmp_path_factory):
    """Make an address that the transport can listen at."""
    folder = "memory:" if kind == "memory" else f"ipc://{tmp_path_factory.mktemp('t')}/"
    return lambda path="/b", incarnation=1: NodeAddress(path, incarnation, f"{folder}{path.strip('/')}.{incarnation}")


@pytest.fixture
def open_transport(kind):
    opened, opens = [], MemoryNetwork().open if kind == "memory" else ZeromqTransport

    def open_(address, receiver):
        opened.append(opens(f"{address.path}#{address.incarnation}", address.endpoint, receiver))
        return opened[-1]

    yield open_
    for transport in opened:
        transport.close()


@pytest.fixture
def here(place, open_transport):
    recorder = Recorder()
    recorder.transport = open_transport(place("/a"), recorder)
    return recorder


def test_envelopes_arrive_once_and_in_order(place, open_transport, here):
    there = Recorder()
    open_transport(place(), there)

    for number in range(1000):
        assert here.transport.send(place(), envelope(number))

    assert there.numbers(1000) == list(range(1000))
    assert there.told.empty()


def test_what_is_sent_before_the_peer_is_there_waits_for_it_and_keeps_its_order(place, open_transport, here):
    for number in range(1000):
        assert here.transport.send(place(), envelope(number))
    there = Recorder()
    open_transport(place(), there)

    here.transport.send(place(), envelope(1000))

    assert there.numbers(1001) == list(range(1001))


def test_a_peer_is_known_by_its_identity_and_answered_without_one(place, open_transport, here):
    there = Recorder(on=lambda peer, _: there.transport.reply(peer, envelope(99)))
    there.transport = open_transport(place(), there)

    here.transport.send(place(), envelope(1))

    assert there.next() == ("frame", b"/a#1", [1])
    assert here.next() == ("frame", b"", [99])


def test_an_answer_to_a_peer_that_never_was_is_unsent(here):
    here.transport.reply(b"/nobody#1", envelope(1))

    what, reason, envelopes = here.next()
    assert (what, envelopes) == ("unsent", [envelope(1)])
    assert "the asker's node is gone" in reason


def test_forgetting_a_life_gives_back_what_waits_for_it_and_says_so_last(place, here):
    for number in range(3):
        here.transport.send(place(), envelope(number))

    here.transport.forget(place())

    assert here.next() == ("unsent", "/b ended before they were sent", [envelope(number) for number in range(3)])
    assert here.next() == ("forgotten", place(), [])


def test_what_a_life_has_said_is_handed_over_before_it_is_forgotten(place, open_transport, here):
    there = Recorder(on=lambda peer, _: there.transport.reply(peer, envelope(2)))
    there.transport = open_transport(place(), there)
    here.transport.send(place(), envelope(1))
    assert there.next() == ("frame", b"/a#1", [1])

    here.transport.forget(place())

    assert here.next() == ("frame", b"", [2])
    assert here.next() == ("forgotten", place(), [])


def test_a_life_that_was_forgotten_takes_nothing_more_and_the_next_one_does(place, open_transport, here):
    here.transport.forget(place(incarnation=3))

    assert not here.transport.send(place(incarnation=3), envelope(1))
    assert not here.transport.send(place(incarnation=2), envelope(1))
    there = Recorder()
    open_transport(place(incarnation=4), there)
    assert here.transport.send(place(incarnation=4), envelope(5))
    assert there.numbers(1) == [5]


def test_closing_gives_back_what_waits_and_takes_nothing_more(place, here):
    here.transport.send(place(), envelope(1))

    here.transport.close()

    assert here.next() == ("unsent", "this node ended before they were sent", [envelope(1)])
    assert not here.transport.send(place(), envelope(2))
    here.transport.reply(b"/b#1", envelope(3))
    here.transport.forget(place())
    here.transport.close()
    assert here.told.empty()


def test_a_receiver_that_fails_does_not_end_the_transport(place, open_transport, here):
    there = Recorder(on=lambda peer, frame: 1 / 0)
    open_transport(place(), there)

    for number in range(3):
        here.transport.send(place(), envelope(number))
        assert there.numbers(1) == [number]


def test_nothing_is_left_after_the_close(place, open_transport):
    before = Held.now()
    transport = open_transport(place("/a"), Recorder())
    transport.send(place(), envelope(1))

    transport.close()

    after = Held.now()
    assert (after.threads, after.descriptors) == (before.threads, before.descriptors)


class TestMemoryNetwork:
    """What only the memory transport does."""

    @pytest.fixture
    def kind(self):
        return "memory"

    def test_everything_has_been_handed_over_when_the_call_returns(self, place, open_transport, here):
        there = Recorder(on=lambda peer, _: there.transport.reply(peer, envelope(2)))
        there.transport = open_transport(place(), there)

        here.transport.send(place(), envelope(1))

        assert here.told.get_nowait() == ("frame", b"", [2])

    def test_what_is_sent_inside_on_frame_comes_after_what_was_sent_before(self, place, open_transport, here):
        there = Recorder(on=lambda peer, _: [there.transport.reply(peer, envelope(number)) for number in (10, 11)])
        there.transport = open_transport(place(), there)

        def ask_again(*_):
            if here.told.qsize() == 1:
                here.transport.send(place(), envelope(2))

        here._on = ask_again
        here.transport.send(place(), envelope(1))

        assert here.numbers(4) == [10, 11, 10, 11]
        assert there.numbers(2) == [1, 2]

    def test_an_endpoint_in_use_refuses_a_second_listener(self, place, open_transport, here):
        with pytest.raises(RunDirectoryError, match=r"cannot listen at memory:a\.1: another transport"):
            open_transport(place("/a"), Recorder())

    def test_an_endpoint_is_free_again_after_the_close(self, place, open_transport, here):
        here.transport.close()

        open_transport(place("/a"), Recorder())

    def test_an_answer_to_a_peer_that_has_closed_is_unsent(self, place, open_transport, here):
        there = Recorder()
        transport = open_transport(place(), there)
        here.transport.send(place(), envelope(1))
        here.transport.close()

        transport.reply(b"/a#1", envelope(2))

        assert there.numbers(1) == [1]
        assert there.next() == ("unsent", "the asker's node is gone", [envelope(2)])

    def test_an_answer_of_a_life_that_was_forgotten_is_unsent(self, place, open_transport, here):
        there = Recorder()
        transport = open_transport(place(), there)
        here.transport.send(place(), envelope(1))
        here.transport.forget(place())

        transport.reply(b"/a#1", envelope(2))

        assert here.next() == ("forgotten", place(), [])
        assert here.told.empty()
        assert there.numbers(1) == [1]
        assert there.next()[0] == "unsent"

    def test_no_more_than_the_bound_waits_for_a_node(self, place):
        transport = MemoryNetwork(max_waiting=2).open("/a#1", "memory:a", Recorder())

        assert [transport.send(place(), envelope(number)) for number in range(3)] == [True, True, False]
        assert transport.send(place("/c"), envelope(0))

    def test_what_has_waited_comes_in_few_frames(self, place):
        network, there = MemoryNetwork(), Recorder()
        transport = network.open("/a#1", "memory:a", Recorder())
        for number in range(1000):
            transport.send(place(), envelope(number))

        network.open("/b#1", place().endpoint, there)
        network.deliver()

        assert there.told.qsize() == 2
        assert there.numbers(1000) == list(range(1000))
