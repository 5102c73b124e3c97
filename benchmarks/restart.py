"""How long is a killed node away? From SIGKILL to its detection, and to the first answer of its replacement.

The node is Symphony's engine, killed from outside, in the tree that `symphony up` runs. Its anchor is the least a supervisor in
Python can do: notice that a bare process of a preloaded fork server has died, start another, and have it answer.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from actors.runtime.control.client import ControlClient, KernelRefusedError
from symphony.orchestration.requests import ListRuns, Runs

from .report import Report, at_most, percentile, row_of
from .running_tree import running_tree

DEFAULT_ROUNDS = 30
DETECTED_MS, ANSWERED_MS, ANSWERED_P99_MS, WORST_MS = 10.0, 300.0, 2000.0, 5000.0


def measure(rounds: int) -> Report:
    """Kill the engine `rounds` times, each time beside one kill of the anchor."""
    detected: list[float] = []
    answered: list[float] = []
    anchor: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, running_tree(Path(folder) / "run") as client:
        for _ in range(rounds):
            anchor.append(_bare_restart())
            seen, came_back = _kill_engine(client)
            detected.append(seen)
            answered.append(came_back)
    return Report(
        "restart",
        rounds,
        (
            row_of("symphony engine", "SIGKILL to detected", "ms", detected),
            row_of("symphony engine", "SIGKILL to first answer", "ms", answered, ("bare process", anchor)),
            row_of("bare process", "SIGKILL to first answer", "ms", anchor),
        ),
        (
            at_most("SIGKILL to detected, p99", DETECTED_MS, "ms", percentile(detected, 99)),
            at_most("SIGKILL to first answer, p50", ANSWERED_MS, "ms", percentile(answered, 50)),
            at_most("SIGKILL to first answer, p99", ANSWERED_P99_MS, "ms", percentile(answered, 99)),
            at_most("SIGKILL to first answer, worst", WORST_MS, "ms", max(answered)),
        ),
    )


def _kill_engine(client: ControlClient) -> tuple[float, float]:
    engine = client.tree().tree.root.find("/engine")
    assert engine is not None
    assert engine.pid is not None
    before = max((event.seq for batch in client.events() for event in batch.events), default=0)
    killed_wall, killed_at = time.time(), time.monotonic()
    os.kill(engine.pid, signal.SIGKILL)
    while not _answers(client):
        pass
    answered_ms = (time.monotonic() - killed_at) * 1000
    news = [event for batch in client.events(since=before) for event in batch.events]
    death = next(event for event in news if event.type == "node.exited" and event.path == "/engine")
    return (death.at - killed_wall) * 1000, answered_ms


def _answers(client: ControlClient) -> bool:
    try:
        client.ask("/engine/core", ListRuns(), Runs, timeout_s=5.0)
    except KernelRefusedError:
        return False
    return True


def _bare_restart() -> float:
    context = multiprocessing.get_context("forkserver")
    first, _ = _start(context)
    assert first.pid is not None
    killed_at = time.monotonic()
    os.kill(first.pid, signal.SIGKILL)
    multiprocessing.connection.wait([first.sentinel])
    second, pipe = _start(context)
    answered_ms = (time.monotonic() - killed_at) * 1000
    pipe.send_bytes(b"stop")
    for process in (first, second):
        process.join()
    return answered_ms


def _start(context: "multiprocessing.context.ForkServerContext") -> "tuple[multiprocessing.process.BaseProcess, Connection]":
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(theirs,))
    process.start()
    ours.send_bytes(b"ping")
    ours.recv_bytes()
    return process, ours


def _answer(pipe: Connection) -> None:
    while pipe.recv_bytes() != b"stop":
        pipe.send_bytes(b"pong")
