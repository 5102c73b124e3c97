"""The peer: the same events however the bytes are cut, and no bytes that it cannot survive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xi.protocol.errors import RequestError
from xi.protocol.jsonrpc import Malformed, Notification, Peer, Request, Response

LINES = (
    b'{"method":"client_started","params":{"config_dir":"/\xc3\xa9"}}\n'
    b'{"id":0,"method":"new_view","params":{}}\r\n'
    b"garbage\n"
    b'{"id":0,"result":"view-id-1"}\n'
    b'{"method":"edit","params":{"method":"insert","params":{"chars":"\xe2\x82\xac"}}}\n'
)


def told(events):
    """Return events as values that compare: Raw compares by identity."""
    return [
        tuple(bytes(v) if hasattr(v, "copy") else v for v in map(lambda f, e=e: getattr(e, f), e.__struct_fields__))
        for e in events
    ]


def heard(*parts):
    peer = Peer()
    peer.request("new_view", {})
    return told([event for part in parts for event in peer.receive(part)] + peer.receive_end())


def test_messages_arrive_whole_when_fed_byte_by_byte():
    assert heard(*(LINES[i : i + 1] for i in range(len(LINES)))) == heard(LINES)


@pytest.mark.parametrize("cut", range(len(LINES) + 1))
def test_messages_arrive_whole_when_cut_anywhere(cut):
    assert heard(LINES[:cut], LINES[cut:]) == heard(LINES)


def test_two_peers_understand_each_other():
    client, server = Peer(), Peer()
    number, data = client.request("new_view", {"file_path": "a"})
    (request,) = server.receive(data)
    assert isinstance(request, Request)
    assert (request.id, request.method, bytes(request.params)) == (number, "new_view", b'{"file_path":"a"}')

    (response,) = client.receive(server.result(request.id, "view-id-1"))
    assert isinstance(response, Response)
    assert (response.method, bytes(response.result), response.error) == ("new_view", b'"view-id-1"', None)
    assert client.pending == ()


def test_an_error_arrives_with_code_and_message():
    client, server = Peer(), Peer()
    number, _ = client.request("get_config", {})
    (response,) = client.receive(server.error(number, RequestError("no such view", 404)))

    assert isinstance(response, Response)
    assert response.error is not None
    assert (response.error.code, response.error.message) == (404, "no such view")


def test_ids_of_the_two_directions_may_collide():
    one, other = Peer(), Peer()
    number, question = one.request("a", {})
    same, _ = other.request("b", {})

    assert number == same
    assert isinstance(other.receive(question)[0], Request)
    assert isinstance(other.receive(one.result(same, 1))[0], Response)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "an empty line"),
        (b"{", "not JSON"),
        (b"[1]", "Expected `object`"),
        (b"7", "Expected `object`"),
        (b'{"id":0,method:"new_view"}', "not JSON"),
        (b'{"method":"a"} trailing', "not JSON"),
        (b'{"method":"\\ud800"}', "not JSON"),
        (b'{"method":"a","params":{"x":"\xff"}}', "not JSON"),
        (b'{"method":"a","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not JSON"),
        (b'{"method":7}', "Expected `str`"),
        (b'{"id":"x","method":"a"}', "Expected `int`"),
        (b'{"id":-1,"method":"a"}', "0 to 2**64-1"),
        (b'{"id":18446744073709551616,"method":"a"}', "0 to 2**64-1"),
        (b"{}", "neither method nor id"),
        (b'{"id":0}', "exactly one of result and error"),
        (b'{"id":0,"result":1,"error":{"code":1,"message":""}}', "exactly one of result and error"),
        (b'{"id":0,"error":7}', "malformed error"),
        (b'{"id":9,"result":1}', "not open"),
    ],
    ids=lambda value: value[:24].decode(errors="replace") if isinstance(value, bytes) else None,
)
def test_a_bad_line_is_one_event_and_the_next_line_is_heard(line, reason):
    peer = Peer()
    peer.request("a", {})
    bad, good = peer.receive(line + b'\n{"method":"good"}\n')

    assert isinstance(bad, Malformed)
    assert reason in bad.reason
    assert bad.id is None
    assert isinstance(good, Notification)


def test_a_malformed_request_is_known_by_its_id():
    (event,) = Peer().receive(b'{"id":5,"method":["new_view"]}\n')

    assert isinstance(event, Malformed)
    assert event.id == 5


def test_a_huge_line_is_dropped_up_to_its_end_and_reported_once():
    peer = Peer(max_line=100)
    events = [event for _ in range(50) for event in peer.receive(b"x" * 10)]
    events += peer.receive(b'x"}\n{"method":"good"}\n')

    assert [type(event) for event in events] == [Malformed, Notification]
    assert "longer than 100 bytes" in told(events)[0][0]


def test_a_huge_line_in_one_piece_is_reported_once():
    events = Peer(max_line=100).receive(b"x" * 500 + b'\n{"method":"good"}\n')

    assert [type(event) for event in events] == [Malformed, Notification]


def test_a_forgotten_request_is_no_longer_awaited():
    peer = Peer()
    number, _ = peer.request("a", {})
    peer.forget(number)

    assert isinstance(peer.receive(b'{"id":0,"result":1}\n')[0], Malformed)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_raise(parts):
    peer = Peer(max_line=60)
    for part in parts:
        peer.receive(part)
    peer.receive_end()
