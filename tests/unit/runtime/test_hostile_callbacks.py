"""Code of others that the runtime calls may raise anything, also what is no `Exception`: it harms nobody but itself."""

import asyncio
import queue

import pytest

from actors.runtime import Actor, Future
from actors.runtime.clock import SystemClock
from actors.runtime.errors import ActorFailedError, AskTimeoutError
from actors.runtime.terminated import Terminated
from actors.runtime.testing import TestProbe
from actors.runtime.timers import Timers

PATIENCE_S = 10.0
ERRORS = [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError]
of_each_kind = pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)


def raising(error):
    def call(*_):
        raise error

    return call


class Fails(Actor):
    def on_receive(self, message):
        if message == "fail":
            raise ZeroDivisionError
        if message == "put aside":
            self.context.stash()
        return message


@of_each_kind
def test_a_done_callback_keeps_neither_the_resolver_nor_the_other_callbacks_from_going_on(error):
    future, called = Future(), []
    future.add_done_callback(raising(error))
    future.add_done_callback(called.append)

    assert future.set_result(1)

    assert called == [future]


@of_each_kind
def test_a_done_callback_does_not_keep_a_failed_actor_from_its_next_life(system, error):
    """It runs on the actor's own thread, in the midst of its failure."""
    ref = system.spawn(Fails, name="fails")
    failed = ref.ask("fail", timeout=None, block=False)
    failed.add_done_callback(raising(error))

    with pytest.raises(ActorFailedError):
        failed.get(PATIENCE_S)

    assert ref.ask("after", timeout=PATIENCE_S) == "after"


@of_each_kind
def test_a_done_callback_on_the_timers_thread_costs_no_other_ask_its_timeout(system, error):
    ref = system.spawn(Fails, name="fails")
    first, second = (ref.ask("put aside", timeout=timeout, block=False) for timeout in (0.01, 0.02))
    first.add_done_callback(raising(error))

    for asked in (first, second):
        with pytest.raises(AskTimeoutError):
            asked.get(PATIENCE_S)


@of_each_kind
def test_a_timer_costs_no_other_its_time(error):
    timers, called = Timers(SystemClock()), queue.SimpleQueue()
    timers.call_later(0, raising(error))
    timers.call_later(0, lambda: called.put("next"))

    assert called.get(timeout=PATIENCE_S) == "next"
    timers.close()


@of_each_kind
def test_a_timer_that_is_told_of_the_close_costs_no_other_the_news(error):
    timers, called = Timers(SystemClock()), []
    timers.call_later(10, lambda: None, at_close=raising(error))
    timers.call_later(20, lambda: None, at_close=lambda: called.append("told"))

    timers.close()

    assert called == ["told"]


@of_each_kind
def test_what_a_map_function_raises_is_what_the_new_future_resolves_with(error):
    future = Future()
    mapped = future.map(raising(error))

    assert future.set_result(1)

    assert isinstance(mapped.error(), error)


def particular(error):
    """Give an actor that raises where it is told of an end, in the teller's own thread."""

    class Particular(Actor):
        @classmethod
        def priority_of(cls, message):
            if isinstance(message, Terminated):
                raise error
            return 0

    return Particular


@of_each_kind
def test_a_watcher_costs_no_other_the_news_and_its_own_is_a_dead_letter(system, error):
    target = system.spawn(Fails, name="target")
    system.watch(target, system.spawn(particular(error), name="particular"))
    others = [TestProbe(system, f"probe-{number}") for number in range(2)]
    for other in others:
        system.watch(target, other.ref)

    for _ in range(2):
        target.tell("fail")
        for other in others:
            assert other.expect(Terminated).path == "/target"

    assert {letter.path for letter in system.dead_letters.snapshot() if "Terminated" in letter.type} == {"/particular"}


@of_each_kind
def test_a_priority_that_cannot_be_told_of_what_a_timer_tells_costs_no_other_timer_its_time(system, events, error):
    class Broken(Actor):
        @classmethod
        def priority_of(cls, message):
            if message == "tick":
                raise error
            return 0

        def on_receive(self, _):
            self.context.tell_later(0, "tick")

    class Ticks(Actor):
        def on_receive(self, message):
            if message == "begin":
                self.context.tell_later(0.01, "told")
            else:
                self.context.publish("timer.told")

    system.spawn(Broken, name="broken").ask("begin")
    system.spawn(Ticks, name="ticks").tell("begin")

    events.expect("timer.told", "/ticks")
