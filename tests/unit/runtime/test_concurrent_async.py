"""An async actor may handle several messages at a time, up to its limit, and is still let go of as one."""

import asyncio
from contextlib import suppress

import pytest

from actors.runtime import Actor, turns
from actors.runtime.errors import ActorFailedError, SpecError, TerminatedError

PATIENCE_S = 10.0


class Handles(Actor):
    """Handlers wait until they are let go, and count how many are at work."""

    dispatcher = "async"
    concurrency = 3

    def __init__(self):
        self.at_work = 0
        self.most = 0
        self.cancelled = 0
        self.order = []

    async def on_start(self):
        self.go = asyncio.Event()

    async def on_receive(self, message):
        if message == "go":
            self.go.set()
            return None
        if message == "fail":
            raise ZeroDivisionError
        self.order.append(message)
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        self.context.publish("handler.began", message=message)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            self.context.publish("handler.cancelled", message=message)
            raise
        finally:
            self.at_work -= 1
        return message

    async def on_stop(self):
        self.context.publish("actor.at_work_at_stop", count=self.at_work)


@pytest.fixture
def handles(system):
    return system.spawn(Handles, name="handles")


def test_as_many_are_handled_at_a_time_as_the_actor_says(system, handles):
    waiting = [handles.ask(number, block=False, timeout=PATIENCE_S) for number in range(2)]
    handles.ask("go")

    assert [one.get(PATIENCE_S) for one in waiting] == [0, 1]
    assert handles.proxy().most.get(PATIENCE_S) == 2


class Works(Handles):
    """Handlers come to an end by themselves."""

    async def on_receive(self, message):
        self.order.append(message)
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        for _ in range(20):
            await asyncio.sleep(0)
        self.at_work -= 1
        return message


def test_no_more_are_handled_at_a_time_than_the_actor_says_and_the_others_wait_their_turn(system):
    ref = system.spawn(Works, name="works")
    asked = [ref.ask(number, block=False) for number in range(100)]

    assert [one.get(PATIENCE_S) for one in asked] == list(range(100))
    assert ref.proxy().most.get(PATIENCE_S) == 3
    assert ref.proxy().order.get(PATIENCE_S) == list(range(100))


def test_on_a_stop_what_is_in_hand_is_finished_before_on_stop(system, events):
    ref = system.spawn(Works, name="works")
    asked = [ref.ask(number, block=False) for number in range(3)]

    system.remove("works")

    events.expect("actor.at_work_at_stop", count=0)
    for number, one in enumerate(asked):
        assert isinstance(one.error(), TerminatedError) or one.get(0) == number


def test_on_a_failure_the_others_in_hand_are_cancelled_and_their_askers_told(system, handles, events):
    waiting = [handles.ask(number, block=False, timeout=PATIENCE_S) for number in range(2)]
    for _ in waiting:
        events.expect("handler.began", "/handles")

    with pytest.raises(ActorFailedError, match="ZeroDivisionError"):
        handles.ask("fail", timeout=PATIENCE_S)

    for one in waiting:
        with pytest.raises((TerminatedError, ActorFailedError)):
            one.get(PATIENCE_S)
    for _ in waiting:
        events.expect("handler.cancelled", "/handles")
    assert handles.proxy().context.get(PATIENCE_S).incarnation == 2


def test_what_waited_is_handled_by_the_next_life(system, handles, events):
    for number in range(3):
        handles.ask(number, block=False, timeout=PATIENCE_S)
        events.expect("handler.began", "/handles", message=number)
    behind = handles.ask("behind", block=False, timeout=PATIENCE_S)
    system._parts.registry.find("/handles").fail(ZeroDivisionError("now"))

    handles.tell("go")

    assert behind.get(PATIENCE_S) == "behind"


def test_a_concurrent_actor_may_wait_for_one_that_asks_it_back(system):
    """Another of its handlers answers meanwhile: that is no cycle."""

    class Asks(Actor):
        dispatcher = "async"
        concurrency = 2

        async def on_receive(self, way):
            return await way[0].ask(way[1:], block=False) if way else self.context.path

    class Plain(Actor):
        def on_receive(self, way):
            return way[0].ask(way[1:])

    asks, plain = system.spawn(Asks, name="asks"), system.spawn(Plain, name="plain")

    assert asks.ask((plain, asks), timeout=PATIENCE_S) == "/asks"


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True])
def test_a_concurrency_that_is_no_count_is_refused(concurrency):
    with pytest.raises(SpecError, match="concurrency"):
        type("Wrong", (Actor,), {"dispatcher": "async", "concurrency": concurrency})


@pytest.mark.parametrize("dispatcher", ["shared", "pinned"])
def test_only_async_actors_are_concurrent(dispatcher):
    with pytest.raises(SpecError, match="more than 1 is for `async`"):
        type("Wrong", (Actor,), {"dispatcher": dispatcher, "concurrency": 2})


def test_handlers_that_do_not_let_themselves_be_cancelled_take_no_hands_of_the_next_life(system, events, monkeypatch):
    monkeypatch.setattr(turns, "CANCEL_S", 0.01)
    go = []

    class Stuck(Actor):
        dispatcher = "async"
        concurrency = 2

        async def on_receive(self, message):
            if message != "stuck":
                return self.context.incarnation
            event = asyncio.Event()
            go.append((asyncio.get_running_loop(), event))
            self.context.publish("handler.began")
            while not event.is_set():
                with suppress(asyncio.CancelledError):
                    await event.wait()
            return None

    ref = system.spawn(Stuck, name="stuck")
    for _ in range(2):
        ref.tell("stuck")
        events.expect("handler.began")

    system._parts.registry.find("/stuck").fail(ZeroDivisionError("now"))

    try:
        assert ref.ask("which", timeout=PATIENCE_S) == 2
    finally:
        for loop, event in go:
            loop.call_soon_threadsafe(event.set)
    assert [ref.ask(number, timeout=PATIENCE_S) for number in range(3)] == [2, 2, 2]
