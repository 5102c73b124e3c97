"""The worker channel, without a socket."""

import datetime as dt
from struct import pack

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.sdk.channel import Channel, MalformedFrameError, UnsendableError
from symphony.sdk.message import Failed, FromHost, FromWorker, Hello, Invoke, Log, Refused, Result, Stop

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)
PAYLOAD = st.dictionaries(st.text(max_size=5), PLAIN, max_size=4)
CORRELATION = st.integers(0, 2**63)

FROM_WORKER: list[FromWorker] = [
    Hello(1, "tidy:Tidy", {"tidy": ("text",)}, 4711, {"symphony.sdk": "/opt/symphony/sdk/__init__.py"}),
    Log("begun", {"level": "info"}),
    Result(1, {"text": "é\n", "changes": 3, "raw": b"\xff\x00", "list": [1, [2.5, None, True]]}),
    Refused(2, "text: must not be empty"),
    Failed(3, "ValueError", "boom", "Traceback …"),
]


def host_end(**limits) -> Channel[FromWorker]:
    return Channel(FromWorker, **limits)


def worker_end(**limits) -> Channel[FromHost]:
    return Channel(FromHost, **limits)


def drain(channel):
    messages = []
    while (message := channel.next_message()) is not None:
        messages.append(message)
    return messages


def frame(body: bytes) -> bytes:
    return pack(">I", len(body)) + body


@given(st.lists(st.builds(Invoke, CORRELATION, st.text(max_size=9), PAYLOAD) | st.just(Stop()), max_size=5), st.data())
def test_messages_arrive_whole_and_in_order_however_the_stream_is_cut(messages, data):
    sender, receiver = host_end(), worker_end()
    stream = b"".join(sender.encode(message) for message in messages)
    arrived = []

    while stream:
        size = data.draw(st.integers(1, len(stream)))
        receiver.feed(stream[:size])
        arrived += drain(receiver)
        stream = stream[size:]

    assert arrived == messages


def test_every_message_of_a_worker_arrives_byte_by_byte():
    sender, receiver = worker_end(), host_end()
    arrived = []

    for byte in b"".join(sender.encode(message) for message in FROM_WORKER):
        receiver.feed(bytes([byte]))
        arrived += drain(receiver)

    assert arrived == FROM_WORKER


@pytest.mark.parametrize("message", FROM_WORKER, ids=lambda message: type(message).__name__)
def test_a_stream_cut_at_any_byte_gives_no_message_and_the_rest_completes_it(message):
    whole = worker_end().encode(message)

    for cut in range(len(whole)):
        receiver = host_end()
        receiver.feed(whole[:cut])
        assert drain(receiver) == []
        receiver.feed(whole[cut:])
        assert drain(receiver) == [message]


def test_an_oversized_length_is_refused_before_its_body_arrives():
    receiver = worker_end(max_size=100)
    receiver.feed(pack(">I", 101))

    with pytest.raises(MalformedFrameError, match="claims 101 bytes; 100 is the most"):
        receiver.next_message()


def test_the_largest_length_there_is_is_refused_by_default():
    receiver = worker_end()
    receiver.feed(b"\xff\xff\xff\xff")

    with pytest.raises(MalformedFrameError, match="claims 4294967295 bytes"):
        receiver.next_message()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x00",
        b"\x91" * 1_000_000,
        msgspec.msgpack.encode(["invoke", 1, "tidy", {"a": 1}])[:-1] + b"\x91" * 1_000_000 + b"\x01",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        msgspec.msgpack.encode(["stop"]) + b"\x00",
        msgspec.msgpack.encode(["stop", 1]),
        msgspec.msgpack.encode(["hello", 1, "m:C", {}, 1, {}]),
        msgspec.msgpack.encode(["invoke", 1, "tidy"]),
        msgspec.msgpack.encode(["invoke", "1", "tidy", {}]),
        msgspec.msgpack.encode(["invoke", 1, "tidy", []]),
        msgspec.msgpack.encode(["invoke", 1, "tidy", {"a": {1: 2}}]),
        msgspec.msgpack.encode(["invoke", 1, "tidy", {"a": msgspec.msgpack.Ext(5, b"x")}]),
        msgspec.msgpack.encode(["invoke", 1, "tidy", {"a": dt.datetime.now(dt.UTC)}]),
        msgspec.msgpack.encode(["invoke", 1, "tidy", {}]).replace(b"tidy", b"\xff\xff\xff\xff"),
    ],
)
def test_a_frame_that_is_no_message_of_the_other_end_is_malformed(body):
    receiver = worker_end()
    receiver.feed(frame(body))

    with pytest.raises(MalformedFrameError):
        receiver.next_message()


def test_values_nested_deeper_than_the_limit_are_malformed():
    deep: object = 1
    for _ in range(20):
        deep = [deep]
    generous, strict = host_end(max_depth=30), worker_end(max_depth=10)
    strict.feed(generous.encode(Invoke(1, "tidy", {"text": deep})))

    with pytest.raises(MalformedFrameError, match="nested more than 10 deep"):
        strict.next_message()


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_malformed_or_incomplete_and_never_anything_else(garbage):
    receiver = worker_end(max_size=1000)
    receiver.feed(garbage)

    try:
        drain(receiver)
    except MalformedFrameError:
        with pytest.raises(MalformedFrameError):
            receiver.next_message()


def test_messages_before_a_malformed_frame_are_given_and_none_after_it():
    sender, receiver = host_end(), worker_end()
    receiver.feed(sender.encode(Stop()) + frame(b"\xc1") + sender.encode(Stop()))

    assert receiver.next_message() == Stop()
    for _ in range(3):
        with pytest.raises(MalformedFrameError):
            receiver.next_message()


def cyclic() -> dict[str, object]:
    value: dict[str, object] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (
            {"when": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]},
            r"\['when'\]\[0\] is a datetime, which is not plain data",
        ),
        ({"tags": {"a"}}, r"\['tags'\] is a set"),
        ({"a": {1: 2}}, r"\['a'\] a key is an int; keys are text"),
        ({"n": 2**64}, "int"),
        ({"t": "\ud800"}, "surrogates"),
        (cyclic(), "nested more than 64 deep"),
        ({"t": "x" * 2000}, "bytes long; 1000 is the most"),
    ],
)
def test_what_cannot_cross_is_refused_with_its_place_and_the_channel_goes_on(payload, problem):
    sender, receiver = worker_end(max_size=1000), host_end()

    with pytest.raises(UnsendableError, match=problem):
        sender.encode(Result(1, payload))

    receiver.feed(sender.encode(Result(2, {"pair": (1, 2)})))
    assert receiver.next_message() == Result(2, {"pair": [1, 2]})
