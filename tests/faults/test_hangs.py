"""Nodes that hang, each way there is: found, dumped, killed and replaced; and what only looks like a hang, left alone."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from actors.runtime import ChildSpec, SupervisorSpec
from actors.runtime.errors import ActorRuntimeError
from tests.support.hanging_actors import AsyncHangingActor, HangingActor, PinnedHangingActor
from tests.support.process_ends import has_ended

ROOT = Path(__file__).parents[2]
HANG_AFTER_S = 0.5
HEARTBEAT_TIMEOUT_S = 1.0
BOUND_S = 20.0
REPLACED_S = 5.0
ANY_DISPATCHER = pytest.mark.parametrize("actor", [HangingActor, PinnedHangingActor, AsyncHangingActor])


def spawned(system, actor=HangingActor, **options):
    options = {"hang_after": HANG_AFTER_S, "heartbeat_timeout": HEARTBEAT_TIMEOUT_S, **options}
    return system.spawn(actor, name="h", process=True, **options)


def who(ref):
    """Ask until a life answers: one that has just been killed does not."""
    deadline = time.monotonic() + BOUND_S
    while True:
        try:
            return ref.ask(["who"], timeout=BOUND_S)
        except ActorRuntimeError:
            assert time.monotonic() < deadline, "nobody answers"


def happened(system, type_):
    return [event for event in system.events.since(0) if event.type == type_]


def replaced(system, events, pid, incarnation=2):
    """Check that the life with this pid was replaced, and give how it ended."""
    events.expect("actor.exited", "/h", timeout=BOUND_S, reason="hung", incarnation=incarnation - 1)
    events.expect("actor.restarted", "/h", timeout=BOUND_S, incarnation=incarnation)
    assert has_ended(pid)
    shown = system.snapshot().root.find("/h")
    assert (shown.state, shown.incarnation) == ("running", incarnation)
    return shown.last_exit


@ANY_DISPATCHER
def test_a_handler_that_loops_without_end(system, events, actor):
    ref = spawned(system, actor)
    pid, _ = who(ref)
    began = time.monotonic()

    ref.tell(["loop"])

    hung = events.expect("node.hung", "/h", timeout=BOUND_S, actor="/h", pid=pid)
    assert "/h has been handling list for 0." in hung.fields["why"]
    ended = replaced(system, events, pid)
    assert time.monotonic() - began < REPLACED_S
    assert (ended.signal, ended.error) == ("SIGKILL", hung.fields["why"])
    assert "in do_loop" in ended.stack
    assert who(ref)[1] == 2


@ANY_DISPATCHER
def test_a_handler_that_is_blocked_on_a_lock(system, events, actor):
    ref = spawned(system, actor)
    pid, _ = who(ref)

    ref.tell(["wait_for_a_lock"])

    assert "in do_wait_for_a_lock" in replaced(system, events, pid).stack


@ANY_DISPATCHER
def test_a_call_into_c_that_holds_the_interpreters_lock(system, events, actor):
    """Nothing of Python runs in that process any more, so it cannot say so itself; its stacks come all the same."""
    ref = spawned(system, actor)
    pid, _ = who(ref)
    began = time.monotonic()

    ref.tell(["hold_the_gil"])

    hung = events.expect("node.hung", "/h", timeout=BOUND_S, actor=None, pid=pid)
    assert "/h has not been heard for 1." in hung.fields["why"]
    ended = replaced(system, events, pid)
    assert time.monotonic() - began < REPLACED_S
    assert "in do_hold_the_gil" in ended.stack


def test_a_process_that_is_stopped_by_sigstop(system, events):
    ref = spawned(system)
    pid, _ = who(ref)

    os.kill(pid, signal.SIGSTOP)

    hung = events.expect("node.hung", "/h", timeout=BOUND_S, actor=None, pid=pid)
    assert "its process is stopped" in hung.fields["why"]
    dumped = events.expect("node.stacks_dumped", "/h", timeout=BOUND_S)
    assert (dumped.fields["stack"], "stopped" in dumped.fields["problem"]) == (None, True)
    ended = replaced(system, events, pid)
    assert ended.stack is None
    assert "no stacks: the process is stopped" in ended.error


def test_an_actor_deep_in_a_nodes_tree_costs_its_node(system, events):
    tree = SupervisorSpec("h", [ChildSpec("a", HangingActor), ChildSpec("b", HangingActor, hang_after=0.3)], process=True)
    system.spawn(tree)
    pid, _ = who(system.ref("/h/a"))

    system.ref("/h/b").tell(["wait_for_a_lock"])

    events.expect("node.hung", "/h", timeout=BOUND_S, actor="/h/b")
    assert "/h/b has been handling list" in replaced(system, events, pid).error
    assert who(system.ref("/h/b"))[0] != pid


def test_actors_that_get_no_turn_because_others_hang(system, events):
    tree = SupervisorSpec(
        "h",
        [ChildSpec("a", HangingActor), ChildSpec("b", HangingActor), ChildSpec("c", HangingActor, hang_after=0.3)],
        process=True,
    )
    system.spawn(tree)
    pid, _ = who(system.ref("/h/c"))
    for name in "ab":
        system.ref(f"/h/{name}").tell(["wait_for_a_lock"])
    system.ref("/h/c").tell(["who"])

    hung = events.expect("node.hung", "/h", timeout=BOUND_S, actor="/h/c")
    assert "although messages wait" in hung.fields["why"]
    assert "in do_wait_for_a_lock" in replaced(system, events, pid).stack


def test_a_hung_child_is_replaced_again_and_again(system, events):
    ref = spawned(system)
    for incarnation in (2, 3):
        pid, _ = who(ref)
        ref.tell(["wait_for_a_lock"])
        replaced(system, events, pid, incarnation)


def test_a_hung_node_shows_as_hung_and_leaves_no_file(system, events):
    ref = spawned(system)
    pid, _ = who(ref)
    states = []
    stop = system.events.listen(lambda event: states.append(state_of(system)) if event.type == "node.stacks_dumped" else None)

    ref.tell(["wait_for_a_lock"])
    replaced(system, events, pid)
    stop()

    assert states == ["hung"]
    folder = Path(system._own_run_dir().path) / "nodes"
    assert [file.name.rpartition(".")[0][-1] for file in folder.glob("*.stacks")] == ["2"]


def state_of(system):
    return system._root.snapshot().find("/h").state


def test_an_actor_that_works_slowly_but_gets_on_is_not_hung(system):
    ref = spawned(system)
    before = who(ref)
    futures = [ref.ask(["work_for", 0.8 * HANG_AFTER_S], timeout=BOUND_S, block=False) for _ in range(4)]

    assert [future.get(BOUND_S) for future in futures] == [0.8 * HANG_AFTER_S] * 4
    assert (who(ref), happened(system, "node.hung")) == (before, [])


def test_an_actor_without_a_bound_may_take_as_long_as_it_likes(system):
    ref = spawned(system, hang_after=None)
    before = who(ref)

    ref.ask(["work_for", 3 * HANG_AFTER_S], timeout=BOUND_S)

    assert (who(ref), happened(system, "node.hung")) == (before, [])


def test_an_actor_that_waits_long_for_an_answer_is_not_hung(system):
    slow = system.spawn(HangingActor, name="slow", process=True)
    ref = spawned(system)
    before = who(ref)

    assert ref.ask(["ask", slow, ["work_for", 4 * HANG_AFTER_S]], timeout=BOUND_S) == 4 * HANG_AFTER_S
    assert (who(ref), happened(system, "node.hung")) == (before, [])


def test_one_under_maintenance_is_reported_with_its_stacks_and_left_alone(system, events):
    system.set_maintenance("/h", on=True)
    ref = spawned(system)
    before = who(ref)

    future = ref.ask(["work_for", 3 * HANG_AFTER_S], timeout=BOUND_S, block=False)

    events.expect("node.hung", "/h", timeout=BOUND_S, maintenance=True)
    assert "in do_work_for" in events.expect("node.stacks_dumped", "/h", timeout=BOUND_S).fields["stack"]
    future.get(BOUND_S)
    assert who(ref) == before

    os.kill(before[0], signal.SIGSTOP)
    events.expect("node.hung", "/h", timeout=BOUND_S, maintenance=True, actor=None)
    os.kill(before[0], signal.SIGCONT)
    assert who(ref) == before
    system.set_maintenance("/h", on=False)
    ref.tell(["wait_for_a_lock"])
    replaced(system, events, before[0])


def test_the_dump_signal_does_no_harm_whenever_it_comes(system):
    """Also before the node is ready for it: what comes by default is nothing."""
    ref = spawned(system)
    before = who(ref)
    for _ in range(3):
        os.kill(before[0], signal.SIGURG)

    assert who(ref) == before
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    with child:
        child.send_signal(signal.SIGURG)
        child.stdin.close()
        assert child.wait(BOUND_S) == 0


KERNEL = """
import sys
from actors.runtime import ActorSystem
from tests.support.hanging_actors import HangingActor

with ActorSystem("paused") as system:
    refs = [system.spawn(HangingActor, name=f"h{n}", process=True, hang_after=1.0, heartbeat_timeout=1.0) for n in range(2)]
    system.events.listen(lambda event: print(event.type, event.fields.get("lost_s"), flush=True))
    print("ready", *[ref.ask(["who"])[0] for ref in refs], flush=True)
    sys.stdin.readline()
    print("pids", *[ref.ask(["who"])[0] for ref in refs], flush=True)
    sys.stdin.readline()
"""


def test_a_kernel_that_is_paused_for_five_seconds_blames_no_node_and_says_how_long_it_was():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", KERNEL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as kernel:
        watchdog = threading.Timer(2 * BOUND_S, kernel.kill)
        watchdog.start()
        try:
            pids = kernel.stdout.readline().split()[1:]
            assert len(pids) == 2

            paused_at = time.monotonic()
            kernel.send_signal(signal.SIGSTOP)
            pace = threading.Event()
            while time.monotonic() < paused_at + 5.0:
                pace.wait(0.1)
            kernel.send_signal(signal.SIGCONT)
            heard = [kernel.stdout.readline().split()]
            # Nodes that were to be blamed would be, a little later.
            while time.monotonic() < paused_at + 5.0 + 2 * HEARTBEAT_TIMEOUT_S:
                pace.wait(0.1)
            kernel.stdin.write("\n")
            kernel.stdin.flush()
            while (line := kernel.stdout.readline().split())[0] != "pids":
                heard.append(line)
            kernel.stdin.close()
            kernel.stdout.read()
        finally:
            watchdog.cancel()

    assert line[1:] == pids
    paused = [float(lost_s) for type_, lost_s in heard if type_ == "supervisor.paused"]
    assert [type_ for type_, _ in heard if type_ != "supervisor.paused"] == []
    assert len(paused) == 1
    assert 3.5 < paused[0] < 6.5
    assert not any(psutil.pid_exists(int(pid)) and not has_ended(int(pid)) for pid in pids)
