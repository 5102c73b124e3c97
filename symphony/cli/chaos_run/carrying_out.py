"""Carrying out a plan: one fault after the other at its time, with asks and a watch beside it, until the end or an interrupt.

SIGINT and SIGTERM end the injecting and not the run: what was injected is still waited for and told.
"""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil
from msgspec import Struct, structs

from actors.runtime.chaos.faults import RULES
from actors.runtime.chaos.ledger import Asks, Entry, problems_of, problems_of_asks
from actors.runtime.chaos.plan import PlannedFault
from actors.runtime.control.client import ControlClient
from actors.runtime.errors import ActorRuntimeError
from actors.runtime.run_directory import RunDirectory

from ..errors import FailedError
from .asking import Asking
from .footprint import Footprint, growth, settled_footprint, take_footprint
from .injecting import Injector
from .watching import Watch

LAST_HEAL_S = 10.0
ANSWER_S = 5.0


class Outcome(Struct, frozen=True):
    """What a run did, and what is not as promised."""

    entries: tuple[Entry, ...]
    asks: Asks
    before: Footprint
    after: Footprint | None
    was_cut_short: bool
    problems: tuple[str, ...]


def carry_out(run_dir: RunDirectory, plan: Sequence[PlannedFault], asked: Sequence[str]) -> Outcome:
    """Inject every fault of the plan, ask the actors at `asked` throughout, and give what came of it. Main thread only."""
    before = _footprint(run_dir)
    with _interrupts() as leaving, Watch(run_dir) as watch:
        with Asking(run_dir, asked) as asking:
            failed, before = _inject_all(Injector(run_dir, watch, leaving), watch, plan, leaving, run_dir, before)
            watch.wait_healed(LAST_HEAL_S)
            silent = () if asking.wait_answered(LAST_HEAL_S) else ("no ask is answered after the last fault",)
        was_cut_short = leaving.is_set()
        entries = tuple(sorted((*watch.entries(), *failed), key=lambda entry: entry.number))
    after, left = _footprint_after(run_dir, before)
    problems = (*problems_of(plan, entries, was_cut_short=was_cut_short), *problems_of_asks(asking.counts), *silent, *left)
    return Outcome(entries, asking.counts, before, after, was_cut_short, problems)


def _inject_all(
    injector: Injector,
    watch: Watch,
    plan: Sequence[PlannedFault],
    leaving: threading.Event,
    run_dir: RunDirectory,
    before: Footprint,
) -> tuple[list[Entry], Footprint]:
    """Inject the faults; give those that could not be, and the footprint to compare with: another kernel is another process."""
    failed: list[Entry] = []
    started = time.monotonic()
    for planned in plan:
        if leaving.wait(max(0.0, started + planned.at_s - time.monotonic())):
            break
        try:
            injector.inject(planned)
        except FailedError as error:
            failed.append(Entry(planned.number, planned.kind, planned.paths, planned.at_s, problem=str(error), happened=False))
        # All later ones come later by as much: faults that made up for lost time would pass the limits that the plan keeps.
        started += max(0.0, time.monotonic() - started - planned.at_s)
        if RULES[planned.kind].aims_at == "tree" and watch.wait_healed(LAST_HEAL_S):
            before = structs.replace(before, kernel=_footprint(run_dir).kernel)
    return failed, before


def _footprint(run_dir: RunDirectory) -> Footprint:
    with ControlClient(run_dir.control_socket, timeout_s=ANSWER_S) as client:
        pong = client.ping()
    try:
        return take_footprint(pong.kernel, pong.warden)
    except psutil.Error as error:
        raise FailedError(f"what the tree holds cannot be seen: {error}") from error


def _footprint_after(run_dir: RunDirectory, before: Footprint) -> tuple[Footprint | None, Sequence[str]]:
    try:
        with ControlClient(run_dir.control_socket, timeout_s=ANSWER_S) as client:
            pong = client.ping()
        after = settled_footprint(pong.kernel, pong.warden, before)
    except (ActorRuntimeError, psutil.Error) as error:
        return None, [f"the tree is gone: {error}"]
    return after, growth(before, after)


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set while the block lasts."""
    leaving = threading.Event()
    before = {number: signal.signal(number, lambda *_: leaving.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield leaving
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
