"""What the host of nodes does about one that hangs, and how it gets its stacks, without any node."""

import os
import subprocess
import sys
import threading

import pytest

from actors.runtime.events import EventLog
from actors.runtime.node import stacks
from actors.runtime.node.hangs import Hangs
from actors.runtime.run_directory import RunDirectory
from actors.runtime.supervision.hung_actor import HungActor
from actors.runtime.supervision.liveness import TICK_S
from actors.runtime.testing import EventProbe, FakeClock

HUNG = HungActor("/n/a", 1, "handler", "str", 3.2)


class Process:
    """A node that does not answer signals, and remembers what was done to it."""

    def __init__(self, pid):
        self.pid = pid
        self.signals = []
        self.shows_hung = False
        self.ended = []
        self.is_condemned = threading.Event()

    def send_signal(self, number):
        self.signals.append(number)

    def on_hung(self):
        self.shows_hung = True

    def condemn(self, ended):
        self.ended.append(ended)
        self.is_condemned.set()


@pytest.fixture
def events(clock):
    log = EventLog(clock, "kernel")
    probe = EventProbe(log)
    probe.log = log
    yield probe
    probe.close()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def hangs(tmp_path, clock, events):
    hangs = Hangs(RunDirectory(tmp_path), clock, events.log)
    yield hangs
    hangs.close()


@pytest.fixture
def process(hangs):
    process = Process(os.getpid())
    hangs.watch("/n", 1, process, 1.0)
    return process


def test_an_actor_that_hangs_is_reported_and_its_node_condemned_as_hung_although_it_writes_no_stacks(hangs, process, events):
    hangs.on_beat("/n", 1, [HUNG])

    hung = events.expect("node.hung", "/n", actor="/n/a", pid=process.pid, maintenance=False)
    assert hung.fields["why"] == "/n/a has been handling str for 3.2 s"
    dumped = events.expect("node.stacks_dumped", "/n", stack=None)
    assert process.is_condemned.wait(5)
    (ended,) = process.ended
    assert (ended.reason, ended.stack, process.shows_hung) == ("hung", None, True)
    assert ended.error == f"{hung.fields['why']} (no stacks: {dumped.fields['problem']})"
    assert process.signals == [stacks.DUMP_SIGNAL]


def test_a_hang_is_acted_upon_once_however_often_it_is_told(hangs, process, events):
    for _ in range(5):
        hangs.on_beat("/n", 1, [HUNG])
    assert process.is_condemned.wait(5)

    assert [event.type for event in events.log.since(0)] == ["node.hung", "node.stacks_dumped"]


def test_a_thousand_actors_that_hang_at_once_are_told_and_dumped_once_for_all_of_their_life(hangs, process, events):
    crowd = [HungActor(f"/n/{number}", 1, "handler", "str", 3.2) for number in range(1000)]
    hangs.on_beat("/n", 1, crowd[:999])
    hangs.on_beat("/n", 1, crowd)

    assert process.is_condemned.wait(5)
    assert process.ended[0].error.startswith("/n/0 has been handling str for 3.2 s (as do 998 more of its actors)")
    assert [event.type for event in events.log.since(0)] == ["node.hung", "node.stacks_dumped"]
    assert process.signals == [stacks.DUMP_SIGNAL]


def test_a_node_that_hangs_when_no_thread_can_be_started_is_condemned(hangs, process, monkeypatch):
    def start(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)

    hangs.on_beat("/n", 1, [HUNG])

    assert process.is_condemned.wait(5)


def test_a_node_whose_stacks_cannot_be_taken_is_condemned_and_so_is_the_next_one(hangs, process):
    def broken(_):
        raise ValueError("not a signal")

    process.send_signal = broken
    other = Process(os.getpid())
    hangs.watch("/m", 1, other, None)

    hangs.on_beat("/n", 1, [HUNG])
    hangs.on_beat("/m", 1, [HungActor("/m/a", 1, "handler", "str", 3.2)])

    assert process.is_condemned.wait(5)
    assert "(no stacks: to take them failed" in process.ended[0].error
    assert other.is_condemned.wait(5)


def test_one_that_is_silent_is_condemned_when_its_time_is_over(hangs, process, clock):
    for _ in range(6):
        clock.advance(TICK_S)
        hangs.look(clock.monotonic())

    assert process.is_condemned.wait(5)
    assert "/n has not been heard for 1.2 s" in process.ended[0].error


def test_one_that_has_no_timeout_may_be_silent_but_is_believed_what_it_says_of_its_actors(hangs, clock):
    process = Process(os.getpid())
    hangs.watch("/n", 1, process, None)
    clock.advance(3600)
    assert hangs.look(clock.monotonic()) is None

    hangs.on_beat("/n", 1, [HUNG])

    assert process.is_condemned.wait(5)


def test_one_that_leaves_is_not_missed_and_what_an_earlier_life_says_means_nothing(hangs, process, clock, events):
    hangs.forget("/n", 1)
    clock.advance(60)

    hangs.look(clock.monotonic())
    hangs.on_beat("/n", 1, [HUNG])

    assert events.log.since(0) == ()


@pytest.mark.parametrize("path", ["/n", "/n/a", "/"])
def test_what_is_under_maintenance_is_reported_and_not_killed(hangs, process, events, path):
    hangs.maintenance.set(path, on=True)

    hangs.on_beat("/n", 1, [HUNG])

    events.expect("node.hung", "/n", maintenance=True)
    events.expect("node.stacks_dumped", "/n")
    assert (process.ended, process.shows_hung) == ([], False)


def test_what_still_hangs_when_the_maintenance_ends_is_killed_at_once(hangs, process):
    hangs.maintenance.set("/n", on=True)
    hangs.on_beat("/n", 1, [HUNG])
    hangs.maintenance.set("/n", on=False)

    hangs.on_beat("/n", 1, [HUNG])

    assert process.is_condemned.wait(5)


def test_one_that_is_still_silent_when_the_maintenance_ends_is_killed(hangs, process, clock):
    hangs.maintenance.set("/n", on=True)
    for _ in range(8):
        clock.advance(TICK_S)
        hangs.look(clock.monotonic())
    assert process.ended == []
    hangs.maintenance.set("/n", on=False)

    clock.advance(TICK_S)
    hangs.look(clock.monotonic())

    assert process.is_condemned.wait(5)


def test_a_pause_of_the_watcher_is_an_event_that_says_how_long(hangs, process, clock, events):
    clock.advance(10.0)

    hangs.look(clock.monotonic())

    assert events.expect("supervisor.paused", "/").fields["lost_s"] == pytest.approx(10.0, abs=1.0)


def test_a_process_that_has_been_reaped_has_no_stacks(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()

    assert stacks.state_of(child.pid) == ""
    assert "has written none" in stacks.dump(child.pid, tmp_path / "none", lambda _: None).problem


def test_only_what_is_written_after_the_signal_is_read(tmp_path):
    file = tmp_path / "stacks"
    file.write_text("an earlier dump\n")

    def answer(_):
        with file.open("a") as stream:
            stream.write("Thread 1\n")

    assert stacks.dump(os.getpid(), file, answer) == stacks.Dump("Thread 1", None)
