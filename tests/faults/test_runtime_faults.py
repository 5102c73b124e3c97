"""What the runtime promises when processes die, hang, flood or talk nonsense. Each test makes sure that its fault happened."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest
import zmq

from actors.runtime import ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.errors import ActorFailedError, NodeUnavailableError, TerminatedError
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Counter, Servant
from tests.support.process_ends import gone, wait_until

ROOT = Path(__file__).parents[2]
AT_ONCE_S = 1.0
RESTARTED_S = 5.0
"""The promise: from a process's death to its replacement's readiness, for a first failure."""


@pytest.fixture
def node(system):
    return system.spawn(Servant, name="s", process=True)


def pid_of(ref):
    return ref.ask(["who"])["pid"]


def test_a_node_that_is_killed_resolves_its_asks_at_once_and_is_back_in_time(system, events, node):
    pid = pid_of(node)
    pending = node.ask(["hang"], timeout=None, block=False)
    events.expect("servant.hung", "/s")
    killed_at = time.monotonic()

    os.kill(pid, signal.SIGKILL)

    with pytest.raises(TerminatedError, match="/s ended before it answered for /s"):
        pending.get(AT_ONCE_S)
    with pytest.raises((NodeUnavailableError, TerminatedError)):
        node.ask(["who"])
    events.expect("actor.exited", "/s", incarnation=1, reason="killed", signal="SIGKILL")
    events.expect("actor.restarted", "/s", incarnation=2)
    assert time.monotonic() - killed_at < RESTARTED_S
    assert node.ask(["who"])["incarnation"] == 2
    shown = system.snapshot().root.find("/s")
    assert (shown.last_exit.reason, shown.last_exit.signal) == ("killed", "SIGKILL")
    assert 0 < shown.last_exit.ready_ms < RESTARTED_S * 1000
    assert (shown.incarnation, shown.restarts) == (2, 1)


def test_while_a_node_is_down_asks_and_tells_say_so_at_once(system, events):
    """It waits for its second restart, so it is down as long as the test likes."""
    backoff = Backoff(min=60, max=60, jitter=0)
    node = system.spawn(ChildSpec("s", Servant, kwargs={"lives": ["ok", "raise", "ok"]}, process=True, backoff=backoff))
    os.kill(pid_of(node), signal.SIGKILL)
    events.expect("actor.restart_scheduled", "/s", delay_s=60.0)
    began = time.monotonic()

    with pytest.raises(NodeUnavailableError, match="/s, where /s lives, is not up"):
        node.ask(["who"])
    with pytest.raises(NodeUnavailableError):
        node.tell(["who"])
    assert time.monotonic() - began < AT_ONCE_S
    shown = system.snapshot().root.find("/s")
    assert (shown.state, shown.pid) == ("restarting", None)

    system.restart("s")
    assert node.ask(["who"])["incarnation"] == 3


@pytest.mark.parametrize(
    ("order", "ended"),
    [
        (["exit", 0], ("normal", None, 0)),
        (["exit", 3], ("failed", None, 3)),
        (["signal", "SIGKILL"], ("killed", "SIGKILL", None)),
        (["signal", "SIGSEGV"], ("killed", "SIGSEGV", None)),
        (["signal", "SIGABRT"], ("killed", "SIGABRT", None)),
        (["raise", "SystemExit", "from a handler"], ("failed", None, None)),
        (["raise", "ValueError", "told to"], ("failed", None, None)),
        (["stop"], ("shutdown", None, None)),
    ],
    ids=str,
)
def test_each_way_to_end_is_told_apart_and_a_permanent_child_is_back(system, events, node, order, ended):
    before = pid_of(node)

    node.tell(order)

    events.expect("actor.restarted", "/s", incarnation=2)
    shown = system.snapshot().root.find("/s").last_exit
    assert (shown.reason, shown.signal, shown.exit_code) == ended
    assert pid_of(node) != before


def test_a_node_that_the_system_kills_is_back_and_the_time_to_detect_it_is_known(system, events, node):
    system.kill_node("/s")

    events.expect("actor.restarted", "/s", incarnation=2)
    ended = system.snapshot().root.find("/s").last_exit
    assert (ended.reason, ended.signal) == ("killed", "SIGKILL")
    assert 0 <= ended.detected_ms < AT_ONCE_S * 1000


def test_a_node_that_keeps_dying_is_parked_and_its_sibling_is_not_touched(system, events):
    good = system.spawn(Servant, name="good", process=True)
    bad = system.spawn(Servant, name="bad", process=True, backoff=Backoff(min=0, max=0))
    before = pid_of(good)
    for incarnation in (2, 3, 4):
        bad.tell(["exit", 3])
        events.expect("actor.restarted", "/bad", incarnation=incarnation)
    bad.tell(["exit", 3])

    events.expect("actor.parked", "/bad", restarts=4)
    assert pid_of(good) == before
    os.kill(before, signal.SIGKILL)
    events.expect("actor.restarted", "/good", incarnation=2)
    system.restart("bad")
    assert bad.ask(["who"])["incarnation"] == 5


def test_two_nodes_that_die_in_the_same_moment_are_both_back_once(system, events):
    refs = [system.spawn(Servant, name=name, process=True) for name in ("a", "b")]
    for pid in [pid_of(ref) for ref in refs]:
        os.kill(pid, signal.SIGKILL)

    deadline = time.monotonic() + RESTARTED_S
    for name in ("/a", "/b"):
        follower = EventProbe(system.events)
        if system.snapshot().root.find(name).state != "running" or system.snapshot().root.find(name).incarnation == 1:
            follower.expect("actor.restarted", name, timeout=deadline - time.monotonic())
        follower.close()
    assert [ref.ask(["who"])["incarnation"] for ref in refs] == [2, 2]


def test_a_node_that_dies_while_it_starts_counts_as_a_failed_start(system):
    with pytest.raises(Exception, match="did not start") as raised:
        system.spawn(ChildSpec("s", "tests.support.actors_for_tests:DiesAtStart", process=True))

    assert "SIGKILL" in str(raised.value) or "killed" in str(raised.value)
    assert system.snapshot().root.find("/s") is None


def test_a_stopped_process_is_killed_when_its_time_to_stop_is_over(system, events):
    node = system.spawn(Servant, name="s", process=True, shutdown=0.3)
    process = psutil.Process(pid_of(node))
    process.suspend()
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED)

    system.remove("s")

    gone({process.pid})


def test_a_process_that_is_stopped_delays_neither_the_tree_nor_its_siblings(system):
    node = system.spawn(Servant, name="s", process=True)
    other = system.spawn(Servant, name="other", process=True)
    process = psutil.Process(pid_of(node))
    process.suspend()
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED)
    began = time.monotonic()

    assert system.snapshot().root.find("/s").state == "running"
    assert other.ask(["who"])["path"] == "/other"
    assert time.monotonic() - began < AT_ONCE_S
    process.resume()
    assert pid_of(node) == process.pid


def test_a_whole_tree_of_nodes_with_hanging_actors_stops_in_bounded_time():
    system = ActorSystem("t")
    events = EventProbe(system.events)
    refs = [system.spawn(Servant, name=f"s{number}", process=True, shutdown=0.3) for number in range(2)]
    pids = {pid_of(ref) for ref in refs}
    for ref in refs:
        ref.tell(["hang"])
        events.expect("servant.hung", ref.path)
    began = time.monotonic()

    system.stop()

    assert time.monotonic() - began < 2 * 0.3 + 2 * AT_ONCE_S
    events.close()
    gone(pids)


def test_a_supervisors_node_dies_with_all_below_it_and_comes_back_with_all_below_it(system, events):
    system.spawn(SupervisorSpec("team", [ChildSpec("a", Servant), ChildSpec("b", Counter)], process=True))
    ref = system.ref("/team/a")

    os.kill(pid_of(ref), signal.SIGKILL)

    events.expect("actor.restarted", "/team", incarnation=2)
    assert ref.ask(["who"])["incarnation"] == 2
    assert system.ref("/team/b").ask(1) == 1
    shown = system.snapshot().root.find("/team/a")
    assert (shown.last_exit.reason, shown.last_exit.signal) == ("killed", "SIGKILL")


def test_a_child_in_a_node_that_fails_later_shows_its_own_end_and_not_its_nodes(system, events):
    system.spawn(SupervisorSpec("team", [SupervisorSpec("in", [ChildSpec("a", Servant)], intensity=0)], process=True))
    ref = system.ref("/team/in/a")
    os.kill(pid_of(ref), signal.SIGKILL)
    events.expect("actor.restarted", "/team", incarnation=2)

    ref.tell(["raise", "ValueError", "told to"])

    ready = events.expect("actor.restarted", "/team/in")
    assert ready.fields["ready_ms"] < RESTARTED_S * 1000
    assert ref.ask(["who"])["incarnation"] == 3
    last_exit = system.snapshot().root.find("/team/in/a").last_exit
    assert last_exit is None or last_exit.signal != "SIGKILL"


def test_garbage_on_a_nodes_socket_is_rejected_counted_and_heard_of(system, events, node):
    pid = pid_of(node)
    endpoint = next(line.split()[-1] for line in _unix_sockets() if "/nodes/s-" in line)
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.set(zmq.LINGER, 1000)
        stranger.connect(f"ipc://{endpoint}")
        for garbage in (b"garbage", b"\x92\x01\x91\x95\x01\xa1\xff\xa1b\xa0\xc0", b"\x91" * 50_000):
            stranger.send(garbage)
            assert events.expect("frame.rejected", "/s").node == "/s"

    assert pid_of(node) == pid


def test_tells_while_a_node_dies_reach_the_next_life_in_order_and_none_twice(system, events, node):
    pid = pid_of(node)
    for number in range(2000):
        if number == 1000:
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(NodeUnavailableError, TerminatedError):
            node.tell(["note", number])
    events.expect("actor.restarted", "/s", incarnation=2)

    heard = node.ask(["note", "last"])

    assert heard == [*sorted(set(heard) - {"last"}), "last"]


def test_every_ask_resolves_while_its_node_is_killed_again_and_again(system, events):
    node = system.spawn(Servant, name="s", process=True, backoff=Backoff(min=0, max=0))
    futures, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            futures.append(node.ask(["return", len(futures)], block=False))
            stop.wait(0.0005)

    asker = threading.Thread(target=ask)
    asker.start()
    for incarnation in (2, 3):
        answered_before = node.ask(["return", "up"])
        assert answered_before == "up"
        known = len(futures)
        wait_until(lambda known=known: len(futures) > known + 5)
        system.kill_node("/s")
        events.expect("actor.restarted", "/s", incarnation=incarnation)
    stop.set()
    asker.join(5)

    outcomes = [_outcome(future) for future in futures]
    answered = sum(1 for outcome in outcomes if isinstance(outcome, int))
    assert answered > 0
    assert answered < len(outcomes), "the kills have been felt"
    allowed = (int, TerminatedError, NodeUnavailableError)
    assert [outcome for outcome in outcomes if not isinstance(outcome, allowed)] == []


def test_a_failure_in_a_node_answers_its_asker_before_the_process_ends(system, node):
    for _ in range(2):
        with pytest.raises(ActorFailedError, match="ValueError: told to"):
            _retried(lambda: node.ask(["raise", "ValueError", "told to"]))


def _unix_sockets():
    return Path("/proc/net/unix").read_text().splitlines()


def _outcome(future):
    try:
        return future.get(RESTARTED_S + 5)
    except Exception as error:  # handed back to be looked at
        return error


def _retried(call):
    deadline, pause = time.monotonic() + RESTARTED_S, threading.Event()
    while True:
        try:
            return call()
        except (NodeUnavailableError, TerminatedError):
            if time.monotonic() > deadline:
                raise
            pause.wait(0.01)
