"""Two transports of one process over ipc: order, batches, peers that are late, gone, slow or strange."""

import queue
import threading
import time

import pytest
import zmq

from actors.runtime.errors import RunDirectoryError
from actors.runtime.transport.base import NodeAddress
from actors.runtime.transport.zeromq import ZeromqTransport
from actors.runtime.wire.codec import Codec, ReplyFrame, TellFrame, join
from tests.support.leaks import Held

PATIENCE_S = 10.0
CODEC = Codec(lambda value: value, lambda _, value: value, lambda code, data: data)
NOTHING = CODEC.encode_body(None)


def envelope(number, size=0):
    return CODEC.encode(ReplyFrame(number, CODEC.encode_body(b"x" * size) if size else NOTHING))


class Recorder:
    """A receiver that keeps what it is told; `on` may do more with each frame."""

    def __init__(self, on=lambda peer, frame: None):
        self.frames = queue.SimpleQueue()
        self.unsent = queue.SimpleQueue()
        self.forgotten = queue.SimpleQueue()
        self._on = on

    def on_frame(self, peer, frame):
        self.frames.put((peer, frame))
        self._on(peer, frame)

    def on_unsent(self, envelopes, reason):
        self.unsent.put((envelopes, reason))

    def on_forgotten(self, address):
        self.forgotten.put(address)

    def on_failed(self, reason):
        raise AssertionError(reason)

    def numbers(self, count):
        """Give the correlations of the next `count` envelopes, and how many frames they came in."""
        got, frames = [], 0
        while len(got) < count:
            _, frame = self.frames.get(timeout=PATIENCE_S)
            got += [received.correlation for received in CODEC.decode(frame)]
            frames += 1
        return got, frames


@pytest.fixture
def place(tmp_path_factory):
    """Make an address below a short folder."""
    folder = tmp_path_factory.mktemp("z")
    return lambda path="/b", incarnation=1: NodeAddress(path, incarnation, f"ipc://{folder}/{path.strip('/')}.{incarnation}")


@pytest.fixture
def open_transport():
    opened = []

    def open_(address, receiver):
        opened.append(ZeromqTransport(f"{address.path}#{address.incarnation}", address.endpoint, receiver))
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

    for number in range(5000):
        assert here.transport.send(place(), envelope(number))

    assert there.numbers(5000)[0] == list(range(5000))
    assert there.frames.empty()


def test_two_senders_keep_their_own_order(place, open_transport):
    there = Recorder()
    open_transport(place(), there)
    senders = [open_transport(place(f"/s{number}"), Recorder()) for number in range(2)]
    threads = [
        threading.Thread(target=lambda s=s, sender=sender: [sender.send(place(), envelope(2 * n + s)) for n in range(1000)])
        for s, sender in enumerate(senders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    got, _ = there.numbers(2000)
    for s in range(2):
        assert [number for number in got if number % 2 == s] == list(range(s, 2000, 2))


def test_what_is_sent_to_an_absent_peer_waits_until_it_is_there_and_travels_in_few_frames(place, open_transport, here):
    for number in range(1000):
        here.transport.send(place(), envelope(number))

    there = Recorder()
    open_transport(place(), there)

    got, frames = there.numbers(1000)
    assert got == list(range(1000))
    assert frames <= 10


def test_a_peer_is_answered(place, open_transport, here):
    there = Recorder(on=lambda peer, frame: there.transport.reply(peer, envelope(99)))
    there.transport = open_transport(place(), there)

    here.transport.send(place(), envelope(1))

    assert here.numbers(1)[0] == [99]
    assert there.frames.get(timeout=PATIENCE_S)[0] == b"/a#1"


def test_an_answer_to_a_peer_that_has_vanished_is_unsent(place, open_transport, here):
    there = Recorder()
    transport = open_transport(place(), there)
    here.transport.send(place(), envelope(1))
    peer, _ = there.frames.get(timeout=PATIENCE_S)
    here.transport.close()

    unsent = _until_unsent(there, lambda: transport.reply(peer, envelope(2)))

    assert "the asker's node is gone" in unsent[1]


def test_an_answer_to_a_peer_that_never_was_is_unsent(here):
    here.transport.reply(b"/nobody#1", envelope(1))

    assert here.unsent.get(timeout=PATIENCE_S)[0] == [envelope(1)]


def test_forgetting_a_life_gives_back_what_waits_for_it(place, here):
    for number in range(3):
        here.transport.send(place(), envelope(number))

    here.transport.forget(place())

    envelopes, reason = here.unsent.get(timeout=PATIENCE_S)
    assert envelopes == [envelope(number) for number in range(3)]
    assert reason == "/b ended before they were sent"
    assert here.forgotten.get(timeout=PATIENCE_S) == place()


def test_what_a_life_still_said_is_heard_although_its_end_is_known_already(place, open_transport, here):
    """Else an actor's failure is told as the end of its node, since the one leads to the other."""
    there = Recorder()
    transport = open_transport(place(), there)
    here.transport.send(place(), envelope(1))
    peer, _ = there.frames.get(timeout=PATIENCE_S)

    here.transport.forget(place())
    transport.reply(peer, envelope(2))

    assert here.forgotten.get(timeout=PATIENCE_S) == place()
    assert here.numbers(1)[0] == [2]


def test_a_life_that_was_forgotten_takes_nothing_more_and_the_next_one_does(place, open_transport, here):
    here.transport.forget(place(incarnation=3))

    assert not here.transport.send(place(incarnation=3), envelope(1))
    assert not here.transport.send(place(incarnation=2), envelope(1))
    there = Recorder()
    open_transport(place(incarnation=4), there)
    assert here.transport.send(place(incarnation=4), envelope(5))
    assert there.numbers(1)[0] == [5]


def test_closing_gives_back_what_still_waits(place, here):
    here.transport.send(place(), envelope(1))

    here.transport.close()

    assert here.unsent.get(timeout=PATIENCE_S)[0] == [envelope(1)]
    assert not here.transport.send(place(), envelope(2))
    here.transport.reply(b"/b#1", envelope(3))
    here.transport.forget(place())
    here.transport.close()


def test_many_large_envelopes_arrive_though_together_they_are_over_the_frame_limit(place, open_transport, here):
    """Libzmq hangs up on a frame over its limit, and everything in it would be lost."""
    for number in range(80):
        here.transport.send(place(), envelope(number, size=1024 * 1024))
    there = Recorder()
    open_transport(place(), there)

    assert there.numbers(80)[0] == list(range(80))


def test_many_large_answers_arrive(place, open_transport, here):
    there = Recorder(on=lambda peer, _: [there.transport.reply(peer, envelope(n, size=1024 * 1024)) for n in range(80)])
    there.transport = open_transport(place(), there)

    here.transport.send(place(), envelope(1))

    assert here.numbers(80)[0] == list(range(80))


def test_answers_to_a_slow_asker_wait_rather_than_get_lost(place, open_transport):
    """More frames than libzmq keeps for one peer."""
    slow, pause, count = threading.Event(), threading.Event(), 2500
    here = Recorder(on=lambda peer, frame: slow.wait(PATIENCE_S))
    transport = open_transport(place("/a"), here)
    there = Recorder()
    replier = open_transport(place(), there)
    transport.send(place(), envelope(0))
    peer, _ = there.frames.get(timeout=PATIENCE_S)

    written = replier._replies
    for number in range(count):
        replier.reply(peer, envelope(number, size=2000))
        # Each in a frame of its own: the next one is given when this one has been taken.
        deadline = time.monotonic() + PATIENCE_S
        while written and time.monotonic() < deadline:
            pause.wait(0.0001)
    slow.set()

    assert here.numbers(count)[0] == list(range(count))
    assert there.unsent.empty()


def test_a_receiver_that_fails_does_not_end_the_transport(place, open_transport, here):
    there = Recorder(on=lambda peer, frame: 1 / 0)
    open_transport(place(), there)

    for number in range(3):
        here.transport.send(place(), envelope(number))
        there.numbers(1)


@pytest.mark.parametrize("parts", [[b"one", b"two"], [b""], [b"", b"", b""], [b"\xff" * 1000]])
def test_a_stranger_on_the_socket_is_heard_as_what_it_says_and_harms_nobody(place, open_transport, here, parts):
    there = Recorder()
    open_transport(place(), there)
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.connect(place().endpoint)
        stranger.send_multipart(parts)
        _, frame = there.frames.get(timeout=PATIENCE_S)
        assert frame == (parts[0] if len(parts) == 1 else b"")

    here.transport.send(place(), envelope(7))
    assert there.numbers(1)[0] == [7]


def test_a_node_with_a_long_path_can_send(place, open_transport):
    """Libzmq's identities have 255 bytes at most, paths may have 500."""
    long = "/" + "/".join(["n" * 90] * 5)
    there, here = Recorder(), Recorder()
    open_transport(place(), there)
    transport = ZeromqTransport(f"{long}#1", place("/long").endpoint, here)
    try:
        transport.send(place(), envelope(1))

        assert there.numbers(1)[0] == [1]
    finally:
        transport.close()


def test_an_endpoint_that_cannot_be_used_is_one_clear_error_and_nothing_is_left(tmp_path):
    before = Held.now()

    with pytest.raises(RunDirectoryError, match="cannot listen at ipc://"):
        ZeromqTransport("x", f"ipc://{tmp_path}/{'x' * 120}", Recorder())

    after = Held.now()
    assert (after.threads, after.descriptors) == (before.threads, before.descriptors)


def test_nothing_is_left_after_the_close(place):
    before = Held.now()
    transport = ZeromqTransport("a", place("/a").endpoint, Recorder())
    transport.send(place(), envelope(1))

    transport.close()

    after = Held.now()
    assert (after.threads, after.descriptors) == (before.threads, before.descriptors)


def test_one_frame_holds_any_envelopes():
    frames = [CODEC.encode(TellFrame("/a", "", "", NOTHING)), envelope(1)]

    assert len(CODEC.decode(join(frames))) == 2


def _until_unsent(recorder, send):
    """Send until it is unsent: the other side's end takes a moment to be known."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        send()
        try:
            return recorder.unsent.get(timeout=0.02)
        except queue.Empty:
            continue
    raise AssertionError("the peer is still taken to be there")
