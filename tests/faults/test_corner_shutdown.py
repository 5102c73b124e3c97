"""Corner cases of stops: children that do not hear, fail, die or breed meanwhile, and trees with a leaf that is stuck."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from actors.runtime import ActorSystem, ChildSpec, SupervisorSpec
from actors.runtime.errors import DeliveryError, NoSuchActorError
from actors.runtime.events import EventLog
from actors.runtime.node.host import NodeHost
from actors.runtime.node.life import UNKILLABLE_AFTER_S, Life
from actors.runtime.node.words import Boot
from actors.runtime.run_directory import RunDirectory
from actors.runtime.testing import EventProbe, FakeClock
from tests.support.actors_for_tests import Servant
from tests.support.process_ends import gone, wait_until
from tests.support.villains import BreaksAtStop, LateParent, Villain
from tests.support.wardens import are_gone, running_warden

SHUTDOWN_S, SOON_S = 0.3, 2.0
"""A child's time to stop, and what the machine may add to it."""


@pytest.fixture
def villain(system):
    """A node that nothing but its stop ends, however it hangs."""
    return system.spawn(ChildSpec("s", Villain, process=True, shutdown=SHUTDOWN_S, heartbeat_timeout=None))


def removed_in(system, name):
    """Remove a child; gives how long that took."""
    began = time.monotonic()
    system.remove(name)
    return time.monotonic() - began


def test_a_node_that_ignores_sigterm_and_hangs_is_killed_when_its_time_to_stop_is_over(system, events, villain):
    pid = villain.ask(["deafen"])
    os.kill(pid, signal.SIGTERM)
    assert villain.ask(["who"])["pid"] == pid, "the signal has changed nothing"
    villain.tell(["hang"])
    events.expect("servant.hung", "/s")

    took_s = removed_in(system, "s")

    assert SHUTDOWN_S * 0.9 < took_s < SHUTDOWN_S + SOON_S
    gone({pid})
    assert events.expect("node.exited", "/s", pid=pid).fields["signal"] == "SIGKILL"


def test_a_node_that_holds_the_interpreter_in_c_is_killed_when_its_time_to_stop_is_over(system, events, villain, tmp_path):
    """No signal handler of Python runs in it any more."""
    pid = villain.ask(["who"])["pid"]
    mark = tmp_path / "mark"
    villain.tell(["seize", str(mark)])
    wait_until(mark.exists)

    took_s = removed_in(system, "s")

    assert took_s < SHUTDOWN_S + SOON_S
    gone({pid})
    assert events.expect("node.exited", "/s", pid=pid).fields["signal"] == "SIGKILL"


@pytest.mark.parametrize("process", [False, True], ids=["here", "in a node"])
def test_an_on_stop_that_raises_is_reported_restarts_nobody_and_the_rest_is_stopped_in_order(tmp_path, process):
    notes = tmp_path / "notes"
    kwargs = {"notes": str(notes)}
    children = [
        ChildSpec("first", Servant, kwargs=kwargs, process=process),
        ChildSpec("breaks", BreaksAtStop, kwargs=kwargs, process=process),
        ChildSpec("last", Servant, kwargs=kwargs, process=process),
    ]
    system = ActorSystem("t", SupervisorSpec("root", children))
    with system:
        pass

    assert notes.read_text().splitlines()[3:] == ["stopped /last 1", "stopped /breaks 1", "stopped /first 1"]
    happened = system.events.since(0)
    assert "actor.restarted" not in [event.type for event in happened]
    (failed,) = [event for event in happened if event.type == "actor.stop_failed"]
    assert (failed.path, failed.fields["error"]) == ("/breaks", "OSError: cannot stop today")
    assert system.ended.get(SOON_S).reason == "shutdown"


def test_a_node_that_is_killed_while_the_tree_stops_is_not_restarted_and_the_rest_is_stopped(tmp_path):
    notes = tmp_path / "notes"
    children = [
        ChildSpec("first", Servant, kwargs={"notes": str(notes)}, process=True),
        ChildSpec("hangs", Servant, process=True, shutdown=60.0),
    ]
    with ActorSystem("t", SupervisorSpec("root", children)) as system:
        events = EventProbe(system.events)
        hangs = system.ref("/hangs")
        pid = hangs.ask(["who"])["pid"]
        hangs.tell(["hang"])
        events.expect("servant.hung", "/hangs")
        ended = system.begin_stop()
        wait_until(lambda: system.snapshot().root.find("/hangs").state == "stopping")

        os.kill(pid, signal.SIGKILL)

        assert ended.get(SOON_S).reason == "shutdown"
        events.close()
    assert notes.read_text().splitlines() == ["started /first 1", "stopped /first 1"]
    assert [event for event in system.events.since(0) if event.type in ("actor.restarted", "actor.restart_scheduled")] == []


@pytest.mark.parametrize("process", [False, True], ids=["here", "in a node"])
def test_a_child_that_is_asked_for_while_its_supervisor_stops_is_refused(system, events, process):
    system.spawn(SupervisorSpec("sup", [ChildSpec("parent", LateParent)], process=process))

    system.remove("sup")

    assert "stopping" in events.expect("late_parent.refused", "/sup/parent").fields["error"]
    assert [event for event in system.events.since(0) if event.path == "/sup/late"] == []


@pytest.mark.parametrize("killed_first", [True, False], ids=["after it", "before it"])
def test_a_stop_that_crosses_the_natural_end_of_a_node_is_reported_once_and_fails_nobody(system, types_at, killed_first):
    """Who removes a temporary child hears that it is gone, or that there is none; a second report is never due."""
    for number in range(4):
        ref = system.spawn(Servant, name=f"s{number}", process=True, restart="temporary")
        pid = ref.ask(["who"])["pid"]
        killer = threading.Thread(target=_kill, args=(pid,))
        if killed_first:
            _kill(pid)
        else:
            killer.start()
        with contextlib.suppress(NoSuchActorError):
            system.remove(f"s{number}")
        if not killed_first:
            killer.join(5)

        gone({pid})
        wait_until(lambda ref=ref: types_at(system, ref.path, "actor.removed") != [])
        assert types_at(system, ref.path, "actor.exited", "actor.restarted", "actor.removed") == ["actor.exited", "actor.removed"]


def _kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_a_tree_of_three_levels_with_a_stuck_leaf_stops_in_bounded_time_and_leaves_no_grandchild(run_dir):
    with running_warden(run_dir, "deep") as warden:
        family = warden.descendants()
        began = time.monotonic()
        with warden.client() as client:
            client.stop()

        assert warden.read_line() == "ended"
        assert time.monotonic() - began < 2 * SHUTDOWN_S + 2 * SOON_S
        assert are_gone(family, SOON_S)


def test_every_ask_under_way_at_the_stop_resolves():
    system = ActorSystem("t")
    events = EventProbe(system.events)
    ref = system.spawn(Servant, name="s", process=True, shutdown=SHUTDOWN_S)
    asks = [ref.ask(["return", 1], timeout=None, block=False), ref.ask(["hang"], timeout=None, block=False)]
    asks += [ref.ask(["return", number], timeout=None, block=False) for number in range(20)]
    events.expect("servant.hung", "/s")

    system.stop()

    assert asks[0].get(SOON_S) == 1
    for ask in asks[1:]:
        with pytest.raises(DeliveryError):
            ask.get(SOON_S)
    events.close()


class Uninterruptible(Life):
    """Stands for a process that waits for a device: it hears of no signal, SIGKILL included."""

    def send_signal(self, number):
        pass


class Anybody:
    """Hears of the life, and does nothing."""

    def on_ready(self, incarnation): ...
    def on_hung(self, incarnation): ...
    def on_exit(self, incarnation, ended): ...


def test_a_process_that_survives_being_killed_is_reported_and_holds_nobody_up(run_dir):
    clock, boot = FakeClock(), Boot("t", "/s", 1, b"", str(run_dir), "", "ipc://none", {}, {}, None)
    log = EventLog(clock, "kernel")
    events = EventProbe(log)
    host = NodeHost(RunDirectory(run_dir), clock, log, {})
    command = [sys.executable, "-I", "-S", "-c", "import signal; signal.pause()"]
    with subprocess.Popen(command) as process:
        life = Uninterruptible(boot, Anybody(), None, host)
        life.pid, life.pidfd = process.pid, os.pidfd_open(process.pid)
        host._roster.enter(life)
        host.kill("/s")
        clock.advance(UNKILLABLE_AFTER_S)

        host.register("/other")

        assert events.expect("node.unkillable", "/s", timeout=SOON_S).fields["pid"] == process.pid
        began = time.monotonic()
        host.close()
        assert time.monotonic() - began < 2 * SOON_S
        process.kill()
    events.close()
