"""The channel between kernel and node: whole messages, in order, without blocking, and a peer that floods or talks nonsense."""

import socket

import msgspec
import pytest

from actors.runtime.errors import ProtocolError
from actors.runtime.node import channel as channel_module
from actors.runtime.node import words
from actors.runtime.node.channel import Channel
from actors.runtime.wire.framing import frame


@pytest.fixture
def ends():
    left, right = socket.socketpair()
    channels = Channel(left, words.ToNode), Channel(right, words.ToNode)
    yield channels
    for channel in channels:
        channel.close()


@pytest.fixture
def stranger():
    """A channel, and the bare socket at its other end."""
    left, right = socket.socketpair()
    channel = Channel(left, words.ToNode)
    yield channel, right
    channel.close()
    right.close()


def test_messages_arrive_whole_and_in_order(ends):
    for number in range(100):
        assert ends[0].send(words.AskSnapshot(number))
    assert not ends[0].flush()

    assert ends[1].receive() == ([words.AskSnapshot(number) for number in range(100)], True)
    assert ends[1].receive() == ([], True)


def test_a_peer_that_does_not_read_blocks_nobody_and_loses_nothing(ends):
    count = 5000
    for number in range(count):
        ends[0].send(words.Routes(["/" + "n" * 100], []) if number % 2 else words.AskSnapshot(number))
    assert ends[0].flush()

    got = []
    while len(got) < count:
        got += ends[1].receive()[0]
        ends[0].flush()
    assert got[0] == words.AskSnapshot(0)
    assert len(got) == count


def test_what_waits_for_a_peer_has_a_bound(ends):
    sent = 0
    while ends[0].send(words.StopNode()):
        sent += 1

    assert sent == channel_module.MAX_WAITING


def test_the_end_of_the_stream_is_seen_after_what_came_before_it(ends):
    ends[0].send(words.StopNode())
    ends[0].flush()
    ends[0].close()

    assert ends[1].receive() == ([words.StopNode()], False)
    ends[1].send(words.StopNode())
    assert not ends[1].flush()


@pytest.mark.parametrize(
    "data",
    [
        frame(b""),
        frame(b"garbage"),
        frame(b"\x92\x03\xa3abc"),
        frame(b"\x93\x02\x91\xa1\xff\x90"),
        frame(b"\x91" * 50_000),
        frame(msgspec.msgpack.encode(words.Ready())),
        b"\xff\xff\xff\xff",
    ],
    ids=repr,
)
def test_what_is_no_message_is_refused(stranger, data):
    channel, other = stranger
    other.sendall(data)

    with pytest.raises(ProtocolError):
        channel.receive()


class Endless:
    """A socket of a peer that has always more to say."""

    data = frame(msgspec.msgpack.encode(words.AskSnapshot(1))) * 1000

    def __init__(self, sock):
        self._socket = sock

    def recv(self, size):
        return self.data

    def __getattr__(self, name):
        return getattr(self._socket, name)


def test_a_peer_that_floods_is_read_in_portions_so_that_others_get_their_turn(stranger):
    channel, _ = stranger
    channel._socket = Endless(channel._socket)

    messages, goes_on = channel.receive()

    assert goes_on
    assert len(messages) == channel_module.CHUNKS * 1000
