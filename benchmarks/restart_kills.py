"""How long a killed node is away: from SIGKILL to detected, and to the first answer of its replacement.

Method. The node is Symphony's engine, nine actors with SQLite below it, in the tree that `symphony up` runs; it is killed from
outside, and asked for its runs again and again until one ask is answered. Every failure counts as a first one (no back-off).
Detected is when the kernel publishes the death, by the wall clock that both processes share. The same with a warm spare, which
is waited for before each kill; and, for detection alone, a node whose child process has copies of all its descriptors, among
them those whose end a supervisor might wait for.
"""

import os
import signal
import time

from actors.runtime.control.client import ControlClient, KernelRefusedError
from symphony.orchestration.requests import ListRuns, Runs

from .report import NotMeasuredError, at_most, below, percentile, row_of
from .restart_anchor import bare_restart_ms
from .restart_part import Part, events_since, newest, wait_until
from .running_tree import running_tree

DETECTED_MS, ANSWERED_MS, ANSWERED_P99_MS, WORST_MS, SPARE_MS = 10.0, 300.0, 2000.0, 5000.0, 50.0
ANCHORS = 30
ASK_S = 5.0


def kills(rounds: int) -> Part:
    """Kill the engine `rounds` times, and the anchor beside it now and then: 30 times at most, it says the same each time."""
    detected, answered, anchor = [], [], []
    every = max(1, rounds // ANCHORS)
    with running_tree("symphony") as client:
        for number in range(rounds):
            if number % every == 0:
                anchor.append(bare_restart_ms())
            seen, back = _kill_engine(client)
            detected.append(seen)
            answered.append(back)
    return Part(
        (
            row_of("symphony engine", "SIGKILL to detected", "ms", detected),
            row_of("symphony engine", "SIGKILL to first answer", "ms", answered, ("bare process", anchor)),
            row_of("bare process", "SIGKILL to first answer", "ms", anchor),
        ),
        (
            at_most("SIGKILL to detected, p99", DETECTED_MS, "ms", percentile(detected, 99)),
            below("SIGKILL to first answer, p50", ANSWERED_MS, "ms", percentile(answered, 50)),
            below("SIGKILL to first answer, p99", ANSWERED_P99_MS, "ms", percentile(answered, 99)),
            below("SIGKILL to first answer, worst", WORST_MS, "ms", max(answered)),
        ),
    )


def kills_with_a_spare(rounds: int) -> Part:
    """Kill the engine `rounds` times, each time with a warm spare standing by."""
    answered = []
    with running_tree("symphony_spare") as client:
        used = 0
        for _ in range(rounds):
            _wait_for_spare(client, used)
            used = newest(client)
            answered.append(_kill_engine(client)[1])
    return Part(
        (row_of("engine, warm spare", "SIGKILL to first answer", "ms", answered),),
        (below("SIGKILL to first answer with a warm spare, p50", SPARE_MS, "ms", percentile(answered, 50)),),
    )


def kills_of_a_parent(rounds: int) -> Part:
    """Kill a node `rounds` times whose child process has copies of its descriptors."""
    detected = []
    with running_tree("parent") as client:
        for _ in range(rounds):
            pid = _pid_of(client, "/one")
            since = newest(client)
            killed_at = time.time()
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda seq=since: _is_restarted(client, seq), "a node with a child process was not restarted")  # type: ignore[misc]
            detected.append(_detected_ms(client, since, killed_at, "/one"))
    return Part(
        (row_of("node that had forked", "SIGKILL to detected", "ms", detected),),
        (at_most("SIGKILL to detected, with a grandchild, p99", DETECTED_MS, "ms", percentile(detected, 99)),),
    )


def _kill_engine(client: ControlClient) -> tuple[float, float]:
    pid = _pid_of(client, "/engine")
    since = newest(client)
    killed_wall, killed_at = time.time(), time.monotonic()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: _answers(client), "the engine did not answer again", pause_s=0.001)
    answered_ms = (time.monotonic() - killed_at) * 1000
    return _detected_ms(client, since, killed_wall, "/engine"), answered_ms


def _detected_ms(client: ControlClient, since: int, killed_at: float, path: str) -> float:
    deaths = [event for event in events_since(client, since) if event.type == "node.exited" and event.path == path]
    if not deaths:
        raise NotMeasuredError(f"the kernel did not tell of the death of {path}")
    return (deaths[0].at - killed_at) * 1000


def _answers(client: ControlClient) -> bool:
    try:
        client.ask("/engine/core", ListRuns(), Runs, timeout_s=ASK_S)
    except KernelRefusedError:
        return False
    return True


def _is_restarted(client: ControlClient, since: int) -> bool:
    return any(event.type == "actor.restarted" and event.path == "/one" for event in events_since(client, since))


def _pid_of(client: ControlClient, path: str) -> int:
    found = client.tree().tree.root.find(path)
    if found is None or found.pid is None:
        raise NotMeasuredError(f"{path} has no process")
    return found.pid


def _wait_for_spare(client: ControlClient, since: int) -> None:
    def is_there() -> bool:
        return any(event.type == "node.spare_started" for event in events_since(client, since))

    wait_until(is_there, "no spare was started")
