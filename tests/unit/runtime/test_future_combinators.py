"""Futures are made of others: of one's value, of several at once, of the quickest; what goes wrong in one goes wrong in all."""

import gc
import threading
import weakref

import pytest

from actors.runtime import Actor
from actors.runtime.errors import AskTimeoutError
from actors.runtime.future import Future, first, gather, get_all, resolved_with


class Target:
    """An actor that was asked, as far as a future needs it."""

    path = "/target"
    waits_for = ()

    def __init__(self):
        self.unobserved = []

    def report_unobserved(self, error):
        self.unobserved.append(error)


@pytest.fixture
def target():
    return Target()


def test_a_mapped_future_has_the_functions_value():
    future = Future()
    mapped = future.map(lambda value: value + 1)
    assert not mapped.is_resolved()

    future.set_result(1)

    assert mapped.get(0) == 2
    assert future.map(str).get(0) == "1"


def test_a_mapped_future_fails_with_the_first_error_and_with_the_functions_own(target):
    assert isinstance(resolved_with(KeyError("k")).map(str).error(), KeyError)

    future = Future()
    mapped = future.map(lambda value: 1 / value)
    future.set_result(0)

    assert isinstance(mapped.error(), ZeroDivisionError)


def test_an_error_that_went_into_a_mapped_future_is_reported_once(target):
    future = Future(target)
    mapped = future.map(str)
    future.set_error(ValueError("unseen"))

    del future, mapped
    gc.collect()

    assert [str(error) for error in target.unobserved] == ["unseen"]


def test_items_are_filtered_and_folded():
    future = Future()
    even, total, from_ten = future.filter(lambda n: n % 2 == 0), future.reduce(int.__add__), future.reduce(int.__add__, 10)

    future.set_result(range(5))

    assert even.get(0) == [0, 2, 4]
    assert total.get(0) == 10
    assert from_ten.get(0) == 20


def test_folding_nothing_without_a_first_value_is_an_error_of_the_new_future():
    future = Future()
    folded = future.reduce(int.__add__)

    future.set_result([])

    assert isinstance(folded.error(), TypeError)


def test_joined_futures_give_their_values_in_the_order_they_were_joined():
    futures = [Future() for _ in range(3)]
    joined = futures[0].join(*futures[1:])

    for number in (2, 0, 1):
        assert not joined.is_resolved()
        futures[number].set_result(number)

    assert joined.get(0) == [0, 1, 2]


def test_gathering_fails_with_the_first_error_and_waits_for_nobody_else():
    futures = [Future() for _ in range(3)]
    gathered = gather(*futures)

    futures[1].set_error(KeyError("k"))
    futures[0].set_error(ValueError("later"))

    assert isinstance(gathered.error(), KeyError)


def test_gathering_nothing_gives_nothing_and_one_twice_gives_it_twice():
    future = Future()
    twice = gather(future, future)
    future.set_result(1)

    assert gather().get(0) == []
    assert twice.get(0) == [1, 1]


def test_a_gathered_future_resolves_once_whichever_thread_is_last():
    for _ in range(50):
        futures, calls, started = [Future() for _ in range(4)], [], threading.Barrier(4)
        gathered = gather(*futures)
        gathered.add_done_callback(calls.append)

        def resolve(number, futures=futures, started=started):
            started.wait(5)
            futures[number].set_result(number)

        threads = [threading.Thread(target=resolve, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)

        assert gathered.get(0) == [0, 1, 2, 3]
        assert calls == [gathered]


@pytest.mark.parametrize("outcome", ["value", "error"])
def test_the_first_outcome_is_taken_be_it_a_value_or_an_error(outcome):
    futures = [Future() for _ in range(3)]
    quickest = first(*futures)

    if outcome == "value":
        futures[1].set_result("v")
    else:
        futures[1].set_error(KeyError("k"))
    futures[0].set_result("later")

    assert isinstance(quickest.error(), KeyError) if outcome == "error" else quickest.get(0) == "v"


def test_the_first_of_no_futures_is_refused():
    with pytest.raises(ValueError, match="would never resolve"):
        first()


def test_all_values_are_waited_for_in_order():
    futures = [Future(), Future()]
    thread = threading.Thread(target=lambda: [future.set_result(number) for number, future in enumerate(futures)])
    thread.start()

    assert get_all(futures, timeout=5) == [0, 1]
    thread.join(5)


@pytest.mark.parametrize("derive", [lambda one: one.map(str), gather, first, lambda one: one.join()])
def test_what_comes_of_a_future_keeps_it_until_it_is_resolved(derive):
    """The deadline of an ask does not: one that everybody has let go of would never be resolved."""
    source = Future()
    kept = weakref.ref(source)
    derived = derive(source)

    del source
    gc.collect()

    assert kept() is not None
    kept().set_result(1)
    assert derived.get(0) in ("1", [1], 1)


def test_an_ask_of_which_only_what_comes_of_it_is_kept_times_out(system):
    class Never(Actor):
        def on_receive(self, _):
            return Future()

    ref = system.spawn(Never, name="never")
    asked = [derive(ref.ask("x", timeout=0.05, block=False)) for derive in (lambda one: one.map(str), gather, first)]
    ref.ask("y", block=False, timeout=0.01)
    gc.collect()

    for one in asked:
        with pytest.raises(AskTimeoutError):
            one.get(10)
