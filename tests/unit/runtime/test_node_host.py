"""The parent's side of its nodes, as far as it goes without any node."""

import os
import subprocess
import sys
import threading

import pytest

from actors.runtime.events import EventLog
from actors.runtime.node import words
from actors.runtime.node.host import NodeHost
from actors.runtime.node.life import UNKILLABLE_AFTER_S, Life
from actors.runtime.run_directory import RunDirectory
from actors.runtime.snapshot import ExitSnapshot
from actors.runtime.supervision.shell import KILL_WAIT_S
from actors.runtime.testing import EventProbe, FakeClock
from tests.support.leaks import Held


@pytest.fixture
def host(tmp_path):
    clock = FakeClock()
    host = NodeHost(RunDirectory(tmp_path), clock, EventLog(clock, "kernel"), {}, ())
    yield host
    host.close()


def test_lists_of_nodes_are_published_in_the_order_in_which_they_were_made(host, gate):
    """An older list that overtook a newer one would cut a node off for the rest of its life."""
    published = []

    def publish(nodes, addresses):
        if nodes == ["/a"]:
            gate.wait()
        published.append(nodes)

    host.on_routes = publish
    first = threading.Thread(target=host.register, args=("/a",))
    second = threading.Thread(target=host.register, args=("/b",))
    first.start()
    assert gate.reached.wait(5)
    second.start()
    second.join(0.05)
    gate.open()
    first.join(5)
    second.join(5)

    assert published == [["/a"], ["/a", "/b"]]


def test_a_closed_host_wakes_nobody_and_touches_no_descriptor_that_is_no_longer_its_own(tmp_path):
    before = Held.now()
    clock = FakeClock()
    host = NodeHost(RunDirectory(tmp_path), clock, EventLog(clock, "kernel"), {}, ())
    host.close()

    host.register("/late")
    host.kill("/late")
    host.refresh(0.01)

    after = Held.now()
    assert (after.threads, after.descriptors) == (before.threads, before.descriptors)


class Unkillable(Life):
    """A life whose process no signal reaches, as one that waits for a disk."""

    def send_signal(self, number):
        pass


class Listener:
    def on_ready(self, incarnation):
        pass

    def on_hung(self, incarnation):
        pass

    def on_exit(self, incarnation, ended):
        pass


def boot_of(incarnation):
    return words.Boot("t", "/n", incarnation, b"", "", "", f"ipc:///nowhere/{incarnation}", {}, {}, None)


@pytest.mark.parametrize("how", ["kill", "condemn", "refuse", "hang_up"])
def test_a_process_that_survives_its_kill_is_reported_even_if_another_has_taken_its_place(tmp_path, how):
    clock = FakeClock()
    events = EventLog(clock, "kernel")
    host = NodeHost(RunDirectory(tmp_path), clock, events, {}, ())
    probe = EventProbe(events)
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import signal; signal.pause()"])
    try:
        life = Unkillable(boot_of(1), Listener(), None, host)
        life.pid, life.pidfd = process.pid, os.pidfd_open(process.pid)
        host._roster.enter(life)
        argument = {"condemn": [ExitSnapshot("hung")], "refuse": ["nonsense"]}.get(how, [])
        getattr(life, how)(*argument)
        host._roster.enter(Life(boot_of(2), Listener(), None, host))

        clock.advance(1.0)
        host._watcher.wake()

        assert probe.expect("node.unkillable", "/n").fields["pid"] == process.pid
        assert process.pid in host._own_processes()
    finally:
        process.kill()
        process.wait()
        host.close()
        probe.close()


def test_a_supervisor_gives_up_a_killed_child_only_after_it_was_told_that_it_cannot_be_killed():
    assert UNKILLABLE_AFTER_S < KILL_WAIT_S
