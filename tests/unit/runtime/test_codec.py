"""The frame format between nodes: round trips, strangers who speak msgpack, and everything that is no frame."""

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime import ActorRef
from actors.runtime.address import parse_path
from actors.runtime.errors import ProtocolError, UnsendableError
from actors.runtime.messages import PROXY_MESSAGES, ProxyCall
from actors.runtime.ref_wire import ref_codec
from actors.runtime.wire.codec import (
    VERSION,
    AskFrame,
    ErrorFrame,
    ReplyFrame,
    TellFrame,
    Vocabulary,
    join,
    tag_of,
)
from tests.support.actors_for_tests import Deposit, GetTotal, Total
from tests.support.plain_data import PLAIN

DELIVERY = object()
CODEC = ref_codec(lambda path: ActorRef(DELIVERY, parse_path(path)))
RAW = msgspec.Raw(b"\xc0")

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
FRAMES = st.one_of(
    st.builds(TellFrame, TEXT, TEXT, TEXT, st.just(RAW)),
    st.builds(AskFrame, st.integers(0, 2**63), TEXT, TEXT, st.none() | st.floats(0, 1e9), TEXT, st.just(RAW)),
    st.builds(ReplyFrame, st.integers(0, 2**63), st.just(RAW)),
    st.builds(ErrorFrame, st.integers(0, 2**63), TEXT, TEXT, st.booleans()),
)


def as_data(frame):
    fields = {name: getattr(frame, name) for name in frame.__struct_fields__}
    return type(frame), {name: bytes(value) if isinstance(value, msgspec.Raw) else value for name, value in fields.items()}


@given(PLAIN)
def test_plain_data_survives(value):
    assert CODEC.decode_body(CODEC.encode_body(value)) == value


@given(st.lists(FRAMES, max_size=5))
def test_frames_survive(frames):
    decoded = CODEC.decode(join([CODEC.encode(frame) for frame in frames]))

    assert [as_data(frame) for frame in decoded] == [as_data(frame) for frame in frames]


@given(PLAIN)
def test_a_stranger_with_the_msgpack_package_can_read_what_is_sent(value):
    frame = TellFrame("/a", "/b", "", CODEC.encode_body(value))

    assert msgpack.unpackb(join([CODEC.encode(frame)]), strict_map_key=False) == [VERSION, [[1, "/a", "/b", "", value]]]


@given(PLAIN)
def test_what_a_stranger_with_the_msgpack_package_sends_can_be_read(value):
    (frame,) = CODEC.decode(msgpack.packb([VERSION, [[2, 7, "/a", "/b", 1.5, "", value]]]))

    assert (frame.correlation, frame.to, frame.ttl_s) == (7, "/a", 1.5)
    assert CODEC.decode_body(frame.body) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        b"\xc1",
        b"garbage",
        b"\xff" * 100,
        msgpack.packb([VERSION]),
        msgpack.packb([VERSION, None]),
        msgpack.packb([VERSION, [[]]]),
        msgpack.packb([VERSION, [[1]]]),
        msgpack.packb([VERSION, [[9, "/a"]]]),
        msgpack.packb([VERSION, [["tell", "/a", "/b", "", 1]]]),
        msgpack.packb([VERSION, [[1, 5, "/b", "", 1]]]),
        msgpack.packb([VERSION, [[2, "seven", "/a", "/b", None, "", 1]]]),
        msgpack.packb([VERSION, [[2, 2**64 - 1, "/a", "/b", "soon", "", 1]]]),
        msgpack.packb([VERSION, [[4, 1, "k", "t", "yes"]]]),
        msgpack.packb({"version": VERSION}),
        msgpack.packb([VERSION, []]) + b"\x00",
        b"\x92\x01\xdd\xff\xff\xff\xff",
        b"\x92\x01\x91\x95\x01\xdb\xff\xff\xff\xff",
        b"\x91" * 100_000,
        b"\x92\x01\x91\x95\x01\xa1a\xa1b\xa0" + b"\x91" * 100_000,
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_is_no_frame_is_refused(data):
    with pytest.raises(ProtocolError):
        CODEC.decode(data)


def test_a_frame_of_another_version_is_refused_by_name():
    with pytest.raises(ProtocolError, match=r"version 2 of the frame format, not 1"):
        CODEC.decode(msgpack.packb([2, []]))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_frame_or_refused_and_nothing_else(data):
    try:
        CODEC.decode(data)
    except ProtocolError:
        pass


@given(data=st.data())
def test_a_frame_with_a_flipped_byte_is_a_frame_or_refused_and_nothing_else(data):
    frame = bytearray(join([CODEC.encode(AskFrame(1, "/a", "/b", 1.0, "GetTotal", CODEC.encode_body(GetTotal(1))))]))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        for envelope in CODEC.decode(bytes(frame)):
            if isinstance(envelope, AskFrame | TellFrame):
                CODEC.decode_body(envelope.body, GetTotal)
    except ProtocolError:
        pass


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_body_that_is_cut_is_refused(cut):
    body = bytes(CODEC.encode_body(Total(5)))

    with pytest.raises(ProtocolError):
        CODEC.decode_body(msgspec.Raw(body[:-cut]), Total)


@pytest.mark.parametrize("depth", [10_000, 1_000_000])
def test_a_body_that_is_nested_beyond_reason_is_refused(depth):
    with pytest.raises(ProtocolError):
        CODEC.decode_body(msgspec.Raw(b"\x91" * depth + b"\xc0"))


@pytest.mark.parametrize("data", [b"\xc7\x02\x07ab", b"\xd4\x63\x00"])
def test_an_extension_that_nobody_knows_is_refused(data):
    with pytest.raises(ProtocolError, match=r"extension type \d+ is not known"):
        CODEC.decode_body(msgspec.Raw(data))


@pytest.mark.parametrize("path", [b"", b"a", b"/a b", b"\xff\xfe", b"/" + b"a" * 600])
def test_a_ref_to_what_is_no_path_is_refused(path):
    with pytest.raises(ProtocolError, match="is no actor path"):
        CODEC.decode_body(msgspec.Raw(msgpack.packb(msgpack.ExtType(1, path))))


def test_a_ref_crosses_as_its_path_at_any_depth_and_in_typed_messages():
    ref = ActorRef(DELIVERY, parse_path("/a/b"))

    assert CODEC.decode_body(CODEC.encode_body({"to": [ref]})) == {"to": [ref]}
    assert CODEC.decode_body(CODEC.encode_body(Deposit(Total(1), ref)), Deposit) == Deposit(Total(1), ref)


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no")


def _deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [object(), len, {"k": object()}, [Unshowable()], 2**70, "\udc80", {(1, 2): {"k": ...}}, ValueError("x")],
    ids=["object", "function", "inside", "unshowable", "too large a number", "no unicode", "ellipsis", "exception"],
)
def test_what_is_no_plain_data_cannot_be_sent_and_says_so(value):
    with pytest.raises(UnsendableError, match="cannot cross a process"):
        CODEC.encode_body(value)


def test_data_that_is_nested_beyond_reason_cannot_be_sent():
    value = _deep()
    with pytest.raises(UnsendableError):
        CODEC.encode_body(value)
    while value:  # by hand: the interpreter's own way of freeing it may be as deep
        value = value.pop()


def test_a_message_over_the_frame_limit_cannot_be_sent():
    """The receiver's transport would hang up on it, and it would be lost without a word."""
    with pytest.raises(UnsendableError, match="is over the limit"):
        CODEC.encode_body(b"x" * (64 * 1024 * 1024))


@pytest.mark.parametrize(
    ("data", "type_"),
    [
        ({"type": "GetTotal", "extra": "one"}, GetTotal),
        ({"type": "Deposit", "total": 5}, Deposit),
        ({"type": "Deposit"}, Deposit),
        ({"type": "Deposit", "total": {"type": "Total", "amount": 1}, "by": "/a"}, Deposit),
        ({"type": "Other"}, GetTotal),
        ([1], GetTotal),
        ("text", int),
    ],
)
def test_a_body_that_does_not_fit_its_type_is_refused(data, type_):
    with pytest.raises(ProtocolError, match="not a "):
        CODEC.decode_body(msgspec.Raw(msgpack.packb(data)), type_)


class Picky(msgspec.Struct, tag=True):
    """Refuses to be made, in its own way."""

    number: int

    def __post_init__(self):
        raise KeyError("my own way")


class Foreign(msgspec.Struct, tag=True):
    """Has a field that nobody knows how to decode."""

    thing: type


@pytest.mark.parametrize("type_", [Picky, Foreign, list[type], int | set[int] | list[int]])
def test_a_type_that_fails_to_be_made_is_the_messages_fault_and_not_the_transports(type_):
    with pytest.raises(ProtocolError, match="not a "):
        CODEC.decode_body(msgspec.Raw(msgpack.packb({"type": getattr(type_, "__name__", ""), "number": 1, "thing": 1})), type_)


def test_a_vocabulary_knows_its_own_tags_and_plain_data():
    vocabulary = Vocabulary((GetTotal, *PROXY_MESSAGES))

    assert vocabulary.type_of("GetTotal") is GetTotal
    assert vocabulary.type_of("proxy.call") is ProxyCall
    assert vocabulary.type_of("") is not None
    assert vocabulary.type_of("Deposit") is None


@pytest.mark.parametrize(("type_", "tag"), [(GetTotal, "GetTotal"), (ProxyCall, "proxy.call"), (dict, ""), (int, "")])
def test_a_tag_is_the_name_on_the_wire(type_, tag):
    assert tag_of(type_) == tag
