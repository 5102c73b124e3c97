"""Frames come out whole however the stream is cut, and a length over the limit ends it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.errors import ProtocolError
from actors.runtime.wire.framing import LENGTH_BYTES, FrameReader, frame

PAYLOADS = [b"", b"a", b"\x00\x00\x00\x05", b"x" * 300]
STREAM = b"".join(frame(payload) for payload in PAYLOADS)


def read(chunks):
    reader = FrameReader()
    return [payload for chunk in chunks for payload in reader.feed(chunk)], reader


def test_one_byte_at_a_time():
    frames, reader = read([bytes([byte]) for byte in STREAM])

    assert frames == PAYLOADS
    assert reader.is_between_frames


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_cut_at_every_byte(cut):
    frames, reader = read([STREAM[:cut], STREAM[cut:]])

    assert frames == PAYLOADS
    assert reader.is_between_frames


@given(payloads=st.lists(st.binary(max_size=50), max_size=8), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_any_frames_cut_anywhere(payloads, cuts):
    stream = b"".join(frame(payload) for payload in payloads)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]

    frames, _ = read([stream[start:end] for start, end in pairwise(edges)])

    assert frames == payloads


@given(cut=st.integers(0, len(STREAM)))
def test_a_stream_that_ends_inside_a_frame_is_seen_as_cut(cut):
    frames, reader = read([STREAM[:cut]])
    whole = [sum(LENGTH_BYTES + len(payload) for payload in PAYLOADS[:count]) for count in range(len(PAYLOADS) + 1)]

    assert reader.is_between_frames == (cut in whole)
    assert frames == PAYLOADS[: sum(1 for end in whole[1:] if end <= cut)]


def test_a_length_over_the_limit_is_refused_before_anything_of_the_frame_is_there():
    reader = FrameReader(limit=10)

    with pytest.raises(ProtocolError, match="a frame of 11 bytes is over the limit of 10"):
        list(reader.feed(b"\x00\x00\x00\x0b"))


def test_the_frames_before_one_that_is_too_long_are_given():
    frames, given_ = FrameReader(limit=10).feed(frame(b"ok") + b"\xff\xff\xff\xff"), []

    with pytest.raises(ProtocolError):
        for payload in frames:
            given_.append(payload)  # noqa: PERF402  # what was given before the error counts

    assert given_ == [b"ok"]


def test_a_payload_at_the_limit_passes_and_one_over_it_is_not_even_sent():
    assert list(FrameReader(limit=10).feed(frame(b"x" * 10, limit=10))) == [b"x" * 10]
    with pytest.raises(ProtocolError, match="a frame of 11 bytes is over the limit of 10"):
        frame(b"x" * 11, limit=10)
