"""A node's log lines wait for the channel, never the other way round."""

import threading

from actors.runtime.node.words import LogLines
from actors.runtime.node_process import log_relay
from actors.runtime.node_process.log_relay import LogRelay


def relay_and_wakes():
    wakes = []
    return LogRelay(lambda: wakes.append(1)), wakes


def drain(relay):
    taken = []
    while (lines := relay.take()) is not None:
        taken.append(lines)
    return taken


def test_lines_come_out_in_order_and_once():
    relay, wakes = relay_and_wakes()
    for number in range(10):
        relay.put(b"%d" % number)

    assert [line for lines in drain(relay) for line in lines.lines] == [b"%d" % number for number in range(10)]
    assert relay.take() is None
    assert wakes == [1], "who takes is woken once for all that wait"


def test_they_are_taken_in_portions_and_a_long_one_alone():
    relay, _ = relay_and_wakes()
    for _ in range(3):
        relay.put(b"x" * log_relay.AT_ONCE)
    relay.put(b"y" * 10 * log_relay.AT_ONCE)

    assert [len(lines.lines) for lines in drain(relay)] == [1, 1, 1, 1]


def test_what_has_no_room_is_counted_and_said_with_the_next_lines_that_get_through():
    relay, _ = relay_and_wakes()
    line = b"x" * 1024
    for _ in range(3000):
        relay.put(line)

    taken = drain(relay)

    kept = sum(len(lines.lines) for lines in taken)
    assert kept * len(line) <= log_relay.MAX_WAITING
    assert taken[0].lost == 3000 - kept
    assert sum(lines.lost for lines in taken[1:]) == 0
    relay.put(b"later")
    assert relay.take().lost == 0


def test_lines_that_were_taken_and_could_not_be_sent_are_counted_with_those_lost_before():
    relay, _ = relay_and_wakes()
    relay.put(b"x")
    relay.put(b"y")
    relay.lose(relay.take())
    relay.put(b"z")

    assert relay.take() == LogLines([b"z"], 2)


def test_every_line_of_many_threads_is_taken_or_counted():
    relay, _ = relay_and_wakes()
    line = b"x" * 2000
    threads = [threading.Thread(target=lambda: [relay.put(line) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    taken = []
    while any(thread.is_alive() for thread in threads):
        taken += drain(relay)
    for thread in threads:
        thread.join()
    taken += drain(relay)

    relay.put(b"last")
    taken += drain(relay)
    assert sum(len(lines.lines) + lines.lost for lines in taken) == 2001


def test_each_line_is_recorded_also_where_it_has_no_room():
    relay, _ = relay_and_wakes()
    seen = []
    relay.also = seen.append
    for _ in range(3):
        relay.put(b"x" * log_relay.MAX_WAITING)

    assert len(seen) == 3
