"""Every reader gets every event in order, or is told that it does not."""

import asyncio
import gc

import pytest

from adapters.event_stream import CAPACITY, EventStream
from symphony.domain.errors import UnavailableError


async def read(subscription, count):
    return [await anext(subscription) for _ in range(count)]


def test_every_reader_gets_every_event_in_order():
    async def claim():
        stream = EventStream()
        readers = [stream.subscribe(), stream.subscribe()]
        for event in range(5):
            stream.publish(event)
        assert [await read(reader, 5) for reader in readers] == [[0, 1, 2, 3, 4]] * 2

    asyncio.run(claim())


def test_a_reader_gets_what_happens_after_it_subscribed():
    async def claim():
        stream = EventStream()
        stream.publish("before")
        reader = stream.subscribe()
        stream.publish("after")
        assert await anext(reader) == "after"

    asyncio.run(claim())


def test_a_reader_that_waits_is_woken():
    async def claim():
        stream = EventStream()
        reader = stream.subscribe()
        waiting = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        assert not waiting.done()
        stream.publish("x")
        assert await waiting == "x"

    asyncio.run(claim())


def test_a_reader_may_fall_behind_by_the_capacity():
    async def claim():
        stream = EventStream()
        reader = stream.subscribe()
        for event in range(CAPACITY):
            stream.publish(event)
        assert await read(reader, CAPACITY) == list(range(CAPACITY))

    asyncio.run(claim())


def test_a_reader_that_overflows_is_told_once_and_harms_nobody():
    async def claim():
        stream = EventStream()
        slow, quick = stream.subscribe(), stream.subscribe()
        for event in range(CAPACITY + 1):
            stream.publish(event)
            assert await anext(quick) == event
        with pytest.raises(UnavailableError, match="fell behind by 1000 events"):
            await anext(slow)
        with pytest.raises(StopAsyncIteration):
            await anext(slow)
        stream.publish("next")
        assert await anext(quick) == "next"

    asyncio.run(claim())


def test_a_closed_iterator_ends_also_for_who_waits_on_it():
    async def claim():
        stream = EventStream()
        reader = stream.subscribe()
        waiting = asyncio.ensure_future(anext(reader, "end"))
        await asyncio.sleep(0)
        await reader.aclose()
        await reader.aclose()
        stream.publish("x")
        assert await waiting == "end"
        assert await anext(reader, "end") == "end"

    asyncio.run(claim())


def test_a_closed_stream_ends_every_iterator_after_what_it_holds():
    async def claim():
        stream = EventStream()
        reader = stream.subscribe()
        stream.publish("last")
        stream.close()
        stream.publish("never")
        assert [event async for event in reader] == ["last"]
        assert [event async for event in stream.subscribe()] == []

    asyncio.run(claim())


def test_a_reader_that_was_dropped_without_closing_is_forgotten():
    async def claim():
        stream = EventStream()
        stream.subscribe()
        gc.collect()
        assert len(stream._subscriptions) == 0

    asyncio.run(claim())
