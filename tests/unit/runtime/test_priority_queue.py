"""A priority queue gives what is most urgent, keeps the order of what is equally so, and can be used by many threads."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.envelope import Envelope
from actors.runtime.priority_queue import PriorityQueue


@pytest.fixture
def queue():
    return PriorityQueue(len)


def messages(queue):
    return [envelope.message for envelope in queue]


def taken(queue):
    return [queue.popleft().message for _ in range(len(queue))]


def test_what_has_a_higher_priority_comes_first_and_equals_as_they_came(queue):
    for message in ["a", "bb", "c", "dd"]:
        queue.append(Envelope(message))

    assert messages(queue) == ["bb", "dd", "a", "c"]
    assert taken(queue) == ["bb", "dd", "a", "c"]


def test_what_is_put_back_comes_before_its_equals_and_after_the_more_urgent(queue):
    for message in ["a", "bb"]:
        queue.append(Envelope(message))

    for message in ["y", "x", "zz"]:
        queue.appendleft(Envelope(message, priority=len(message)))

    assert taken(queue) == ["zz", "bb", "x", "y", "a"]


def test_an_empty_queue_raises_as_a_deque_does(queue):
    with pytest.raises(IndexError):
        queue.popleft()
    with pytest.raises(IndexError):
        queue[0]
    with pytest.raises(ValueError, match="does not wait here"):
        queue.remove(Envelope("a"))
    assert not queue


def test_one_is_removed_and_the_others_keep_their_order(queue):
    envelopes = [Envelope(message) for message in ["a", "bb", "a"]]
    for envelope in envelopes:
        queue.append(envelope)

    queue.remove(envelopes[0])

    assert list(queue) == [envelopes[1], envelopes[2]]
    with pytest.raises(ValueError, match="does not wait here"):
        queue.remove(envelopes[0])


def test_the_one_that_has_waited_longest_is_seen_whatever_its_priority(queue):
    for sent_at, message in [(3.0, "ccc"), (1.0, "a"), (2.0, "bb")]:
        queue.append(Envelope(message, sent_at=sent_at))

    assert queue[0].message == "a"


def test_a_priority_that_cannot_be_told_is_the_senders_error_and_adds_nothing(queue):
    with pytest.raises(TypeError):
        queue.append(Envelope(1))

    assert len(queue) == 0


def test_messages_that_cannot_be_compared_are_never_compared():
    queue = PriorityQueue(lambda _: 0)
    for _ in range(3):
        queue.append(Envelope(object()))

    assert len(taken(queue)) == 3


@given(st.lists(st.one_of(st.tuples(st.sampled_from(["append", "appendleft"]), st.integers(-3, 3)), st.just("popleft"))))
def test_it_gives_what_a_sorted_list_would(steps):
    queue, model, number = PriorityQueue(lambda message: message[0]), [], 0
    for step in steps:
        if step == "popleft":
            if model:
                model.sort(key=lambda entry: entry[:2])
                assert queue.popleft().message == model.pop(0)[2]
        else:
            number += 1
            side, priority = step
            message = (priority, number)
            model.append((-priority, number if side == "append" else -number, message))
            getattr(queue, side)(Envelope(message, priority=priority))
        assert len(queue) == len(model)
    assert messages(queue) == [entry[2] for entry in sorted(model, key=lambda entry: entry[:2])]


def test_under_threads_nothing_is_lost_or_given_twice():
    queue, senders, each, got = PriorityQueue(lambda message: message % 3), 3, 300, []
    started = threading.Barrier(senders + 1)

    def send(first):
        started.wait(5)
        for number in range(each):
            queue.append(Envelope(first + number))

    def take():
        started.wait(5)
        while len(got) < senders * each:
            try:
                got.append(queue.popleft().message)
            except IndexError:
                pass

    threads = [threading.Thread(target=send, args=(sender * each,)) for sender in range(senders)]
    threads.append(threading.Thread(target=take))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(got) == list(range(senders * each))
