"""A thread waits no longer than it must, is never left asleep, and finds out when it would wait for itself."""

import asyncio
import math
import os
import threading

import pytest

from actors.runtime.clock import SystemClock
from actors.runtime.current import Activity, Wait
from actors.runtime.errors import AskCycleError, UsageError
from actors.runtime.timers import Timers
from actors.runtime.waiting import (
    EventfdWaiter,
    SemaphoreWaiter,
    refuse_cycle,
    refuse_on_event_loop,
    use_waiter,
    waiter_of_this_thread,
    waiting_for,
)

PATIENCE_S = 10.0
WAITERS = [
    pytest.param(EventfdWaiter, marks=pytest.mark.skipif(not hasattr(os, "eventfd"), reason="no eventfd")),
    SemaphoreWaiter,
]
in_both_ways = pytest.mark.parametrize("waiter_class", WAITERS)


class Looks:
    """Something to wait for, which is over at the `last` look."""

    def __init__(self, last=math.inf):
        self.last = last
        self.count = 0
        self.looked = threading.Semaphore(0)

    def __call__(self):
        self.count += 1
        self.looked.release()
        return self.count >= self.last


@pytest.fixture
def timers():
    timers = Timers(SystemClock())
    yield timers
    timers.close()


@in_both_ways
def test_what_is_over_already_is_not_waited_for(waiter_class, timers):
    assert waiter_class().wait(lambda: True, None)
    assert waiter_class().wait(lambda: True, 0)
    assert waiter_class().wait_until(lambda: True, -math.inf, timers)


@in_both_ways
@pytest.mark.parametrize("timeout", [0.01, 0, -1, math.nan])
def test_a_wait_ends_with_its_time(waiter_class, timeout):
    assert not waiter_class().wait(lambda: False, timeout)


@in_both_ways
def test_a_wait_ends_when_the_timers_have_come_to_its_deadline(waiter_class, timers):
    waiter = waiter_class()

    assert not waiter.wait_until(lambda: False, timers.now() + 0.01, timers)
    assert not waiter.wait_until(lambda: False, timers.now() + 0.01, timers)
    assert not waiter.wait_until(lambda: False, timers.now() - 1, timers)


@in_both_ways
def test_a_deadline_that_is_sooner_than_the_one_before_is_kept(waiter_class, timers):
    waiter = waiter_class()
    assert waiter.wait_until(lambda: True, timers.now() + 600, timers)

    assert not waiter.wait_until(lambda: False, timers.now() + 0.01, timers)


@in_both_ways
@pytest.mark.parametrize("timeout", [None, PATIENCE_S, 1e12])
def test_who_waits_is_woken_and_looks_again(waiter_class, timeout):
    waiter, looks, answers = waiter_class(), Looks(last=3), []
    thread = threading.Thread(target=lambda: answers.append(waiter.wait(looks, timeout)))
    thread.start()

    for _ in range(2):
        assert looks.looked.acquire(timeout=PATIENCE_S)
        waiter.wake()
    thread.join(PATIENCE_S)

    assert answers == [True]


@in_both_ways
def test_a_wake_before_the_wait_is_not_lost(waiter_class):
    waiter, looks = waiter_class(), Looks(last=2)
    waiter.wake()

    assert waiter.wait(looks, None)


@in_both_ways
def test_a_wake_that_was_meant_for_an_earlier_wait_ends_no_later_one(waiter_class):
    waiter = waiter_class()
    for _ in range(3):
        waiter.wake()

    assert not waiter.wait(lambda: False, 0.01)


def test_timers_that_are_closed_end_a_wait(timers):
    """The system has ended: nobody else will answer."""
    waiter, looks, answers = waiter_of_this_thread().__class__(), Looks(), []
    thread = threading.Thread(target=lambda: answers.append(waiter.wait_until(looks, timers.now() + PATIENCE_S, timers)))
    thread.start()
    assert looks.looked.acquire(timeout=PATIENCE_S)

    timers.close()
    thread.join(PATIENCE_S)

    assert answers == [False]


def test_each_thread_waits_with_its_own():
    waiters = []
    threads = [threading.Thread(target=lambda: waiters.append(waiter_of_this_thread())) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join(PATIENCE_S)

    assert waiters[0] is not waiters[1]
    assert waiter_of_this_thread() is waiter_of_this_thread()


def test_a_thread_may_be_given_another_waiter_and_gets_its_own_back():
    other = SemaphoreWaiter()

    before = use_waiter(other)

    assert waiter_of_this_thread() is other
    assert use_waiter(before) is other
    assert waiter_of_this_thread() is before


def test_a_thread_that_runs_an_event_loop_is_refused_and_others_are_not():
    async def wait():
        refuse_on_event_loop()

    refuse_on_event_loop()
    with pytest.raises(UsageError, match="await "):
        asyncio.run(wait())


class Cell:
    def __init__(self, path, *waits_for):
        self.path = path
        self.waits_for = tuple(Wait(target, lambda: False) for target in waits_for)


def test_an_actor_may_not_wait_for_itself():
    cell = Cell("/a")

    with pytest.raises(AskCycleError, match=r"^/a asks /a$"):
        refuse_cycle(cell, cell)


def test_a_cycle_is_found_through_others_and_named_in_order():
    asker = Cell("/a")
    far = Cell("/d", asker)
    target = Cell("/b", Cell("/x"), Cell("/c", far))

    with pytest.raises(AskCycleError, match=r"^/a asks /b asks /c asks /d asks /a$"):
        refuse_cycle(asker, target)


def test_a_cycle_of_others_is_not_this_ones_and_ends_the_search():
    first = Cell("/b")
    first.waits_for = (Wait(Cell("/c", first), lambda: False),)

    refuse_cycle(Cell("/a"), first)


def test_an_edge_is_there_for_as_long_as_the_block_lasts():
    cell, target = Cell("/a"), Cell("/b")
    current = Activity(cell, "/a", 1)

    wait = Wait(target, lambda: False)
    with waiting_for(current, (wait,)):
        assert current.waits_for == (wait,)

    assert current.waits_for == ()


def test_an_edge_that_would_close_a_cycle_is_taken_back():
    cell = Cell("/a")
    current = Activity(cell, "/a", 1)

    with pytest.raises(AskCycleError), waiting_for(current, (Wait(Cell("/b", cell), lambda: False),)):
        pytest.fail("the wait was not refused")

    assert current.waits_for == ()


def test_a_wait_that_has_its_answer_and_has_not_woken_yet_closes_no_cycle():
    """Its actor goes on in a moment, so to wait for that is no deadlock."""
    cell = Cell("/a")
    other = Cell("/b")
    other.waits_for = (Wait(cell, lambda: True),)

    refuse_cycle(cell, other)
