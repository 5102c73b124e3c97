"""Stepper: turns and appointments in an order of its own, in fake time, with waits that always end."""

import asyncio
import random
import threading

import pytest

from actors.runtime.errors import NotBuiltError, UsageError
from actors.runtime.testing import FakeClock
from actors.runtime.testing.stepper import DeadWaitError, Stepper, StillBusyError
from tests.support.leaks import Held


class Job:
    """A runnable; `act` is its turn, plain or a coroutine function."""

    def __init__(self, act):
        self._act = act

    def turn(self):
        self._act()

    async def turn_async(self):
        await self._act()


async def pass_time(seconds):
    """Await `seconds` of the loop's own time, which is fake here."""
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, passed.set)
    await passed.wait()


@pytest.fixture
def stepper():
    stepper = Stepper(FakeClock(monotonic=100.0))
    yield stepper
    stepper.close()


@pytest.fixture
def shared(stepper):
    return stepper.dispatchers.of_kind("shared", "/a")


@pytest.fixture
def asynchronous(stepper):
    return stepper.dispatchers.of_kind("async", "/b")


def test_nothing_runs_before_a_step(stepper, shared):
    ran = []
    shared.schedule(Job(lambda: ran.append(1)))
    shared.schedule(Job(lambda: ran.append(2)))
    assert ran == []

    assert [stepper.step(), list(ran), stepper.step(), stepper.step()] == [True, [1], True, False]
    assert ran == [1, 2]


@pytest.mark.parametrize("kind", ["shared", "pinned", "supervising"])
def test_dispatchers_of_every_kind_run_on_the_thread_that_steps(stepper, kind):
    ran = []
    stepper.dispatchers.of_kind(kind, "/a").schedule(Job(lambda: ran.append(threading.current_thread())))

    stepper.run_until_idle()

    assert ran == [threading.current_thread()]


def order_of(seed):
    stepper, ran = Stepper(FakeClock(), random.Random(seed)), []  # noqa: S311  # schedules, not secrets
    shared = stepper.dispatchers.of_kind("shared", "/a")
    for number in range(20):
        shared.schedule(Job(lambda number=number: ran.append(number)))
    stepper.run_until_idle()
    stepper.close()
    return ran


def test_a_seed_is_a_schedule():
    assert order_of(1) == order_of(1)
    assert order_of(1) != order_of(2)
    assert sorted(order_of(1)) == list(range(20))


def test_run_until_idle_counts_its_steps_and_gives_up_on_what_never_ends(stepper, shared):
    shared.schedule(Job(lambda: None))
    assert stepper.run_until_idle() == 1

    def again():
        shared.schedule(Job(again))

    again()
    with pytest.raises(StillBusyError, match="still busy after 50 steps"):
        stepper.run_until_idle(50)


def test_as_many_steps_as_are_allowed_are_enough(stepper, shared):
    for _ in range(3):
        shared.schedule(Job(lambda: None))

    assert stepper.run_until_idle(3) == 3


def test_appointments_are_kept_in_the_order_of_their_times_each_at_its_own(stepper):
    kept = []
    for delay in (3.0, 1.0, 2.0, 9.0):
        stepper.timers.call_later(delay, lambda delay=delay: kept.append((delay, stepper.clock.monotonic())))

    stepper.advance(5.0)

    assert kept == [(1.0, 101.0), (2.0, 102.0), (3.0, 103.0)]
    assert stepper.clock.monotonic() == 105.0


def test_what_an_appointment_sets_off_runs_before_the_time_goes_on(stepper, shared):
    seen = []
    stepper.timers.call_later(1.0, lambda: shared.schedule(Job(lambda: seen.append(stepper.clock.monotonic()))))
    stepper.timers.call_later(2.0, lambda: seen.append("second"))

    stepper.advance(2.0)

    assert seen == [101.0, "second"]


def test_an_appointment_made_on_the_way_is_kept_on_the_way(stepper):
    kept = []

    def tick():
        kept.append(stepper.clock.monotonic())
        stepper.timers.call_later(0.1, tick)

    tick()
    stepper.advance(1.05)

    assert kept == pytest.approx([100 + 0.1 * number for number in range(11)])


def test_a_cancelled_appointment_is_not_kept_and_what_breaks_does_not_cost_the_next(stepper):
    kept = []
    stepper.timers.call_later(1, lambda: kept.append("cancelled")).cancel()
    stepper.timers.call_later(1, lambda: 1 / 0)
    stepper.timers.call_later(1, lambda: kept.append("kept"))

    stepper.advance(1)

    assert kept == ["kept"]


def test_closed_timers_forget_and_say_so(stepper):
    forgotten = []
    stepper.timers.call_later(2, lambda: None, at_close=lambda: forgotten.append(2))
    stepper.timers.call_later(1, lambda: None, at_close=lambda: forgotten.append(1))

    stepper.timers.close()
    stepper.timers.call_later(3, lambda: None, at_close=lambda: forgotten.append(3))

    assert forgotten == [1, 2, 3]
    assert stepper.timers.next_due() is None


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_time_does_not_go_back(stepper, seconds):
    with pytest.raises(ValueError, match="the time does not go by"):
        stepper.advance(seconds)


def test_a_wait_runs_what_ends_it_and_no_more(stepper, shared):
    ran = []
    for number in range(3):
        shared.schedule(Job(lambda number=number: ran.append(number)))

    assert stepper.wait(lambda: 1 in ran, timeout=5)

    assert (ran, stepper.clock.monotonic()) == ([0, 1], 100.0)


def test_a_wait_goes_to_the_appointment_that_ends_it(stepper):
    kept = []
    stepper.timers.call_later(3, lambda: kept.append(1))

    assert stepper.wait(lambda: bool(kept), timeout=None)

    assert stepper.clock.monotonic() == 103.0


def test_a_wait_that_nothing_ends_lasts_as_long_as_it_may(stepper):
    stepper.timers.call_later(9, lambda: None)

    assert not stepper.wait(lambda: False, timeout=5)

    assert stepper.clock.monotonic() == 105.0


def test_a_wait_without_a_timeout_that_nothing_can_end_is_an_error(stepper):
    with pytest.raises(DeadWaitError, match="would never end"):
        stepper.wait(lambda: False, timeout=None)


def test_a_turn_that_waits_runs_the_others(stepper, shared):
    order = []

    def waits():
        order.append("asks")
        assert stepper.wait(lambda: "answers" in order, timeout=5)
        order.append("goes on")

    shared.schedule(Job(waits))
    shared.schedule(Job(lambda: order.append("answers")))
    stepper.run_until_idle()

    assert order == ["asks", "answers", "goes on"]


def test_coroutines_await_in_fake_time(stepper, asynchronous):
    seen = []

    async def handler():
        seen.append(("begins", stepper.clock.monotonic()))
        await pass_time(60)
        seen.append(("goes on", stepper.clock.monotonic()))

    asynchronous.schedule(Job(handler))
    stepper.run_until_idle()
    assert seen == [("begins", 100.0)]
    stepper.advance(59)
    assert len(seen) == 1
    stepper.advance(1)

    assert seen == [("begins", 100.0), ("goes on", 160.0)]


def test_a_coroutine_goes_on_when_another_turn_resolves_what_it_awaits(stepper, shared, asynchronous):
    seen, made = [], []

    async def handler():
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        made.append(lambda: loop.call_soon_threadsafe(future.set_result, 7))
        seen.append(await future)

    asynchronous.schedule(Job(handler))
    stepper.run_until_idle()
    assert seen == []
    shared.schedule(Job(made[0]))
    stepper.run_until_idle()

    assert seen == [7]


def test_asyncio_timeouts_are_in_fake_time(stepper, asynchronous):
    seen = []

    async def handler():
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 3600)
        except TimeoutError:
            seen.append(stepper.clock.monotonic())

    asynchronous.schedule(Job(handler))
    stepper.advance(3600)

    assert seen == [3700.0]


def test_a_handler_that_wants_a_thread_is_refused_clearly(stepper, asynchronous):
    refused = []

    async def handler():
        try:
            await asyncio.to_thread(print)
        except NotBuiltError as error:
            refused.append(str(error))

    asynchronous.schedule(Job(handler))
    stepper.run_until_idle()

    assert len(refused) == 1
    assert "a stepping system has none" in refused[0]


def test_an_async_turn_within_an_event_loop_is_refused_clearly(stepper, asynchronous):
    async def handler():
        pass

    asynchronous.schedule(Job(handler))
    stepper.step()

    async def main():
        with pytest.raises(UsageError, match="cannot be stepped from within an event loop"):
            stepper.run_until_idle()

    asyncio.run(main())


def test_the_close_cancels_what_still_awaits_and_leaves_nothing():
    before, cancelled = Held.now(), []
    stepper = Stepper(FakeClock())

    async def handler():
        try:
            await pass_time(1)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    stepper.dispatchers.of_kind("async", "/b").schedule(Job(handler))
    stepper.run_until_idle()
    stepper.close()

    assert cancelled == [True]
    assert Held.now() == before


def test_a_closed_stepper_that_never_ran_a_coroutine_has_nothing_to_close():
    stepper = Stepper(FakeClock())
    stepper.dispatchers.of_kind("shared", "/a").schedule(Job(lambda: None))

    stepper.close()

    assert not stepper.step()
