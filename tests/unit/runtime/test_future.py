"""A future is resolved once, tells everybody who waits, and never stops an event loop."""

import asyncio
import gc
import threading

import pytest

from actors.runtime.errors import AskCancelledError, AskTimeoutError, UsageError
from actors.runtime.future import Future, resolved_with


class Target:
    """An actor that was asked, as far as a future needs it."""

    path = "/target"

    def __init__(self):
        self.waiting = []
        self.unobserved = []
        self.waits_for = ()

    def withdraw(self, reply):
        if reply not in self.waiting:
            return False
        self.waiting.remove(reply)
        return True

    def report_unobserved(self, error):
        self.unobserved.append(error)


@pytest.fixture
def target():
    return Target()


def test_the_first_answer_counts_and_later_ones_change_nothing():
    future = Future()

    assert future.set_result(1)
    assert not future.set_result(2)
    assert not future.set_error(ValueError("late"))

    assert future.get(0) == 1
    assert future.error() is None


def test_an_error_for_an_answer_is_raised_and_stays():
    future = resolved_with(KeyError("k"))

    assert not future.set_result(1)
    assert isinstance(future.error(), KeyError)
    for _ in range(2):
        with pytest.raises(KeyError, match="k"):
            future.get(0)


def test_none_is_an_answer_like_any_other():
    future = Future()
    future.set_result(None)

    assert future.is_resolved()
    assert future.get(0) is None


def test_of_many_threads_exactly_one_resolves():
    for _ in range(50):
        future, calls, started, won = Future(), [], threading.Barrier(4), []
        future.add_done_callback(calls.append)

        def resolve(number, future=future, started=started, won=won):
            started.wait(5)
            if future.set_result(number):
                won.append(number)

        threads = [threading.Thread(target=resolve, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)

        assert won == [future.get(0)]
        assert calls == [future]


def test_a_callback_is_called_at_once_where_the_answer_is_there():
    calls, future = [], Future()
    future.set_result(1)

    future.add_done_callback(calls.append)

    assert calls == [future]


def test_a_callback_that_fails_stops_neither_the_others_nor_the_one_who_resolves(capsys):
    """It runs on the thread that resolves: the actor's, the transport's, or the watcher's."""
    calls, future = [], Future()
    future.add_done_callback(lambda _: 1 / 0)
    future.add_done_callback(calls.append)

    assert future.set_result(1)

    assert calls == [future]
    assert "ZeroDivisionError" in "".join(capsys.readouterr())


def test_a_callback_may_look_at_the_future():
    values, future = [], Future()
    future.add_done_callback(lambda done: values.append(done.get(0)))

    future.set_result("v")

    assert values == ["v"]


def test_get_stops_waiting_and_the_ask_goes_on():
    future = Future()

    with pytest.raises(AskTimeoutError, match=r"no answer within 0\.01 s"):
        future.get(0.01)

    assert not future.is_resolved()
    assert future.set_result(1)


def test_get_wakes_up_when_another_thread_answers():
    future = Future()
    thread = threading.Thread(target=lambda: future.set_result("v"))
    thread.start()

    assert future.get(5) == "v"
    thread.join(5)


def test_get_on_the_thread_of_an_event_loop_is_refused_and_says_what_to_write():
    async def block():
        Future().get(0.01)

    with pytest.raises(UsageError, match="await "):
        asyncio.run(block())


def test_get_on_the_thread_of_an_event_loop_is_fine_where_the_answer_is_there():
    async def look(future):
        return future.get(0)

    future = Future()
    future.set_result(1)

    assert asyncio.run(look(future)) == 1


@pytest.mark.parametrize("early", [True, False], ids=["answered before", "answered by another thread"])
def test_await_gives_the_answer(early):
    async def wait():
        future = Future()
        answer = threading.Thread(target=lambda: future.set_result("v"))
        answer.start()
        if early:
            answer.join(5)
        try:
            return await asyncio.wait_for(_awaited(future), 5)
        finally:
            answer.join(5)

    assert asyncio.run(wait()) == "v"


def test_await_raises_the_error():
    async def wait():
        await resolved_with(KeyError("k"))

    with pytest.raises(KeyError):
        asyncio.run(wait())


def test_two_tasks_may_await_one_future():
    async def both():
        future = Future()
        waiting = asyncio.gather(_awaited(future), _awaited(future))
        await asyncio.sleep(0)
        future.set_result(7)
        return await waiting

    assert asyncio.run(both()) == [7, 7]


def test_a_cancelled_await_leaves_the_future_to_others():
    async def cancel_one():
        future = Future()
        waiting = asyncio.create_task(_awaited(future))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        future.set_result(1)
        return await future

    assert asyncio.run(cancel_one()) == 1


def test_an_answer_after_the_loop_has_closed_harms_nobody():
    future = Future()

    async def give_up():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_awaited(future), 0.001)

    asyncio.run(give_up())

    assert future.set_result(1)


async def _awaited(future):
    return await future


def test_an_ask_that_waits_is_taken_back(target):
    future = Future(target)
    target.waiting.append(future)

    assert future.cancel()

    assert target.waiting == []
    assert isinstance(future.error(), AskCancelledError)
    with pytest.raises(AskCancelledError, match="/target was cancelled"):
        future.get(0)


def test_an_ask_that_the_actor_has_in_hand_is_not_taken_back(target):
    future = Future(target)

    assert not future.cancel()

    assert not future.is_resolved()
    assert future.set_result(1)
    assert not future.cancel()


def test_an_ask_is_taken_back_once(target):
    future = Future(target)
    target.waiting.append(future)
    future.cancel()

    assert not future.cancel()


def test_a_future_of_no_actor_of_this_process_cannot_be_taken_back():
    assert not Future().cancel()


def test_who_took_an_ask_back_has_seen_to_its_error(target):
    future = Future(target)
    target.waiting.append(future)
    future.cancel()

    del future
    gc.collect()

    assert target.unobserved == []


def test_an_error_that_nobody_looked_at_is_reported_when_the_future_is_let_go_of(target):
    error = ValueError("unseen")
    future = Future(target)
    future.set_error(error)
    assert target.unobserved == []

    del future
    gc.collect()

    assert target.unobserved == [error]


def got(future):
    with pytest.raises(ValueError, match="seen"):
        future.get(0)


@pytest.mark.parametrize("look", [Future.error, got], ids=["error", "get"])
def test_an_error_that_somebody_looked_at_is_not_reported(target, look):
    future = Future(target)
    future.set_error(ValueError("seen"))

    look(future)
    del future
    gc.collect()

    assert target.unobserved == []


def test_an_error_that_came_too_late_is_not_reported(target):
    future = Future(target)
    future.set_result(1)
    future.set_error(ValueError("late"))

    del future
    gc.collect()

    assert target.unobserved == []


def test_pykkas_own_names_resolve_a_future_and_refuse_to_do_it_twice():
    value, error = Future(), Future()
    value.set(1)
    try:
        {}["k"]
    except KeyError:
        error.set_exception()

    assert value.get(0) == 1
    with pytest.raises(KeyError):
        error.get(0)
    with pytest.raises(UsageError, match="already"):
        value.set(2)
    with pytest.raises(UsageError, match="already"):
        error.set_exception((KeyError, KeyError("k"), None))
    with pytest.raises(UsageError, match="outside of an `except` block"):
        Future().set_exception()


def test_of_many_threads_that_wait_every_one_wakes_up():
    future, values = Future(), []
    threads = [threading.Thread(target=lambda: values.append(future.get(5))) for _ in range(8)]
    for thread in threads:
        thread.start()

    future.set_result("v")
    for thread in threads:
        thread.join(5)

    assert values == ["v"] * 8


def test_a_wait_that_was_given_up_does_not_end_the_threads_next_one():
    """All waits of one thread share one file descriptor, which the late answer to an earlier ask writes to."""
    late, never = Future(), Future()
    with pytest.raises(AskTimeoutError):
        late.get(0.001)
    late.set_result(1)

    with pytest.raises(AskTimeoutError):
        never.get(0.01)


def test_await_works_from_two_loops_at_once():
    future, values = Future(), []

    def run():
        values.append(asyncio.run(asyncio.wait_for(_awaited(future), 5)))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    future.set_result("v")
    for thread in threads:
        thread.join(5)

    assert values == ["v", "v"]


def test_polls_leave_nothing_behind_in_a_future():
    future = Future()

    for timeout in [0] * 100 + [0.0001] * 10:
        with pytest.raises(AskTimeoutError):
            future.get(timeout)

    assert future._callbacks == []
