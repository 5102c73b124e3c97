"""Following a run to its end, over restarts of the engine and of the kernel.

Whoever submits a run chooses its id, and submitting it again is the same run. So whenever an answer stays out, the run is
submitted again: either it had never arrived, or it goes on from its checkpoint.
"""

import threading
import time
from collections.abc import Callable

from msgspec import Struct

from actors.runtime.control.client import ControlClient
from actors.runtime.errors import (
    ActorFailedError,
    AskTimeoutError,
    NodeUnavailableError,
    NoSuchActorError,
    RejectedError,
    TerminatedError,
)
from actors.runtime.run_directory import RunDirectory
from symphony.domain.errors import NotFoundError, UnavailableError
from symphony.domain.workflow import Run
from symphony.orchestration.requests import GetRun, RunMelody

from ..errors import NotRunningError, TimedOutError
from ..kernel import ask_core, connection

# What a restart looks like from outside. The engine may be gone, not there yet, or have died with the question in its hands.
PASSING = (
    UnavailableError,
    NodeUnavailableError,
    TerminatedError,
    NoSuchActorError,
    RejectedError,
    ActorFailedError,
    AskTimeoutError,
)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.25
ANSWER_S = 2.0
"""How long one answer may take, so that a restart is noticed before the user's own bound is over."""


class Progress(Struct, frozen=True):
    """A step that has moved: `state` as the run has it, or `retried`."""

    step: str
    state: str
    attempts: int
    error: str


def submit(run_dir: RunDirectory, request: RunMelody, *, timeout_s: float) -> Run:
    """Submit a run and do not wait for its end. Raises what `follow` raises."""
    return follow(run_dir, request, timeout_s=timeout_s, report=_silent, until_ended=False)


def follow(
    run_dir: RunDirectory, request: RunMelody, *, timeout_s: float, report: Callable[[Progress], None], until_ended: bool = True
) -> Run:
    """Submit a run and give it as it ended; `report` is told of each step that moves.

    Raises `NotRunningError` where there was no kernel to begin with, `TimedOutError`, and what the core declares.
    """
    deadline = time.monotonic() + timeout_s
    pacing = threading.Event()
    pause_s = FIRST_PAUSE_S
    question: RunMelody | GetRun = request
    last: Run | None = None
    while True:
        try:
            with connection(run_dir, ANSWER_S) as client:
                while True:
                    run = _ask(client, question, deadline)
                    question = GetRun(request.run)
                    if _report_moves(last, run, report):
                        pause_s = FIRST_PAUSE_S
                    last = run
                    if run.state != "running" or not until_ended:
                        return run
                    _pause(pacing, pause_s, deadline, request)
                    pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)
        except NotRunningError:
            if last is None:
                raise
            problem = "the kernel is gone"
        except (*PASSING, NotFoundError) as error:
            if isinstance(error, NotFoundError) and isinstance(question, RunMelody):
                raise
            problem = str(error)
        question = request
        _pause(pacing, LONGEST_PAUSE_S, deadline, request, problem)


def _ask(client: ControlClient, question: RunMelody | GetRun, deadline: float) -> Run:
    return ask_core(client, question, Run, timeout_s=max(0.1, min(ANSWER_S, deadline - time.monotonic())))


def _pause(pacing: threading.Event, seconds: float, deadline: float, request: RunMelody, problem: str = "") -> None:
    """Wait a little. Raises `TimedOutError` where the time is over."""
    left = deadline - time.monotonic()
    if left <= 0:
        why = f" (last: {problem})" if problem else ""
        more = f"it goes on, and `symphony melody status {request.run}` says how far it is"
        raise TimedOutError(f"run {request.run} has not ended in time{why}: {more}")
    pacing.wait(min(seconds, left))


def _report_moves(before: Run | None, now: Run, report: Callable[[Progress], None]) -> bool:
    old = {} if before is None else {status.id: status for status in before.steps}
    moved = False
    for status in now.steps:
        known = old.get(status.id)
        if known == status:
            continue
        is_ended = status.state in {"done", "failed"}
        if is_ended or (status.error and (known is None or status.error != known.error)):
            report(Progress(status.id, status.state if is_ended else "retried", status.attempts, status.error))
        moved = True
    return moved


def _silent(_progress: Progress) -> None:
    """Tell nobody."""
