"""The anchor of restarts: the least that a supervisor in Python can do with the standard library.

It notices that a bare process of a preloaded fork server has died, starts another, and has it answer: no tree, no channel, no
names.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path


def bare_restart_ms() -> float:
    """Give the milliseconds from the SIGKILL of a bare process to the first answer of its replacement."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-P", "-m", "benchmarks.restart_anchor"]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout)


def main() -> None:
    """Measure once, after a start that warms the fork server up."""
    _restart_ms()
    print(_restart_ms())


def _restart_ms() -> float:
    context = multiprocessing.get_context("forkserver")
    first, first_pipe = _start(context)
    assert first.pid is not None
    killed_at = time.monotonic()
    os.kill(first.pid, signal.SIGKILL)
    multiprocessing.connection.wait([first.sentinel])
    second, pipe = _start(context)
    answered_ms = (time.monotonic() - killed_at) * 1000
    pipe.send_bytes(b"stop")
    for process, end in ((first, first_pipe), (second, pipe)):
        process.join()
        process.close()
        end.close()
    return answered_ms


def _start(context: ForkServerContext) -> tuple[BaseProcess, Connection]:
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(theirs,))
    process.start()
    theirs.close()
    ours.send_bytes(b"ping")
    ours.recv_bytes()
    return process, ours


def _answer(pipe: Connection) -> None:
    while pipe.recv_bytes() != b"stop":
        pipe.send_bytes(b"pong")


if __name__ == "__main__":
    main()
