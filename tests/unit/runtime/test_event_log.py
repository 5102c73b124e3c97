"""Events are numbered without a gap, kept for a while, and a listener that fails harms nobody."""

import threading

import pytest

from actors.runtime.dead_letters import DeadLetters
from actors.runtime.event import Event
from actors.runtime.events import KEPT, EventLog
from actors.runtime.testing import FakeClock


@pytest.fixture
def log():
    return EventLog(FakeClock(wall=50.0), "kernel")


def test_events_are_numbered_from_one_and_say_when_and_where(log):
    event = log.publish("actor.started", "/a", incarnation=2)

    assert event == Event(1, 50.0, "actor.started", "/a", "kernel", {"incarnation": 2})
    assert log.publish("actor.exited", "/a").seq == 2
    assert log.last_seq == 2


def test_since_gives_the_later_ones_in_order(log):
    for _ in range(4):
        log.publish("x.happened", "/")

    assert [event.seq for event in log.since(2)] == [3, 4]
    assert log.since(4) == ()
    assert log.since(99) == ()


def test_the_oldest_are_forgotten(log):
    for _ in range(KEPT + 3):
        log.publish("x.happened", "/")

    assert log.since(0)[0].seq == 4


def test_an_event_of_another_node_keeps_its_time_and_node_and_gets_a_number_of_this_log(log):
    log.publish("x.happened", "/")

    adopted = log.adopt(Event(900, 7.0, "y.happened", "/n", "/n", {"k": 1}))

    assert adopted == Event(2, 7.0, "y.happened", "/n", "/n", {"k": 1})


def test_listeners_hear_events_in_order_until_they_stop(log):
    heard = []
    stop = log.listen(lambda event: heard.append(event.seq))
    log.publish("x.happened", "/")
    stop()
    stop()
    log.publish("x.happened", "/")

    assert heard == [1]


def test_a_listener_that_fails_stops_neither_the_publisher_nor_other_listeners(log, capsys):
    """The publisher may be a supervisor, or the thread that watches every node."""
    heard = []
    log.listen(lambda _: 1 / 0)
    log.listen(heard.append)

    event = log.publish("x.happened", "/")

    assert heard == [event]
    assert "ZeroDivisionError" in "".join(capsys.readouterr())


def test_a_listener_may_read_the_log(log):
    """Under a bound: it would wait for itself."""
    heard = []
    log.listen(lambda _: heard.append(log.since(0)))
    thread = threading.Thread(target=log.publish, args=("x.happened", "/"), daemon=True)
    thread.start()
    thread.join(5)

    assert not thread.is_alive()
    assert len(heard) == 1


def test_under_threads_numbers_have_no_gap_and_listeners_hear_them_in_order(log):
    heard = []
    log.listen(lambda event: heard.append(event.seq))
    threads = [threading.Thread(target=lambda: [log.publish("x.happened", "/") for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)

    assert heard == list(range(1, 801))


def test_the_document_of_an_event_is_flat_and_versioned(log):
    document = log.publish("actor.exited", "/a", reason="killed").document()

    assert document == {
        "schema": "symphony.event/1",
        "seq": 1,
        "at": "1970-01-01T00:00:50.000000Z",
        "type": "actor.exited",
        "path": "/a",
        "node": "kernel",
        "reason": "killed",
    }


def test_a_dead_letter_is_kept_counted_and_published(log):
    letters = DeadLetters(FakeClock(wall=9.0), log)

    letters.record("/a", sender="/b", type_="dict", message={"n": 1}, reason="the actor has ended")

    (letter,) = letters.snapshot()
    assert (letter.at, letter.path, letter.sender, letter.message) == (9.0, "/a", "/b", "{'n': 1}")
    assert letters.count == 1
    assert log.since(0)[0].fields == {"sender": "/b", "message_type": "dict", "reason": "the actor has ended"}


def test_a_message_that_cannot_be_shown_is_a_dead_letter_all_the_same(log):
    class Broken:
        def __repr__(self):
            raise RuntimeError("no text for this")

    letters = DeadLetters(FakeClock(), log)

    letters.record("/a", sender="", type_="Broken", message=Broken(), reason="r")

    assert letters.snapshot()[0].message == "<Broken that cannot be shown: RuntimeError>"


def test_a_long_message_is_cut(log):
    letters = DeadLetters(FakeClock(), log)

    letters.record("/a", sender="", type_="str", message="x" * 9999, reason="r")

    assert len(letters.snapshot()[0].message) == 500


def test_what_a_listener_publishes_comes_after_what_it_was_told(log):
    heard = []
    log.listen(lambda event: log.publish("y.happened", "/") if event.type == "x.happened" else None)
    log.listen(lambda event: heard.append(event.seq))

    log.publish("x.happened", "/")

    assert heard == [1, 2]
