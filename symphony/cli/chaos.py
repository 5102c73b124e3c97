"""`symphony chaos`: harm a running tree on purpose, by a plan from a seed, and hold how it heals against what is promised."""

import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from msgspec import to_builtins

from actors.runtime.chaos.faults import KINDS, FaultKind
from actors.runtime.chaos.ledger import rows_of
from actors.runtime.chaos.plan import Pace, PlanError, PlannedFault, plan_faults
from actors.runtime.chaos.targets import Target, targets_of, what_is_missing
from actors.runtime.control.client import ControlClient
from actors.runtime.errors import ActorRuntimeError, NoSuchActorError
from actors.runtime.globs import compile_glob
from actors.runtime.run_directory import RunDirectory
from actors.runtime.supervision.spec import SupervisorSpec, decode_spec
from symphony.domain.errors import SymphonyError

from .chaos_run.carrying_out import Outcome, carry_out
from .chaos_run.printing import ledger_lines, radius_lines
from .detached import start_detached
from .down import end_silent_tree, stop_tree
from .errors import CommandError, RefusedError
from .exit_codes import ExitCode
from .invocation import Invocation, seconds
from .invocation import command as symphony_command
from .kernel import connection
from .output import note, write_json, write_line

STOP_S = 20.0
ANSWER_S = 5.0
SYMPHONY = "symphony"
"""What `--up` is given for Symphony's own tree."""


def _kinds(text: str) -> tuple[FaultKind, ...]:
    named = [part.strip() for part in text.split(",")]
    unknown = [name for name in named if name not in KINDS]
    if unknown:
        raise click.BadParameter(f"{', '.join(map(repr, unknown))}: there is {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in named)


@symphony_command("chaos", timeout_s=60.0)
@click.option("--kill", "pattern", metavar="GLOB", default="/**", help="Which nodes and actors to hit; all if not given.")
@click.option("--every", "every_s", type=seconds, metavar="S", default="3", help="Seconds from one fault to the next; 3.")
@click.option("--for", "for_s", type=seconds, metavar="S", default="60", help="Seconds that it goes on for; 60.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Which plan of faults; another each time if not given.")
@click.option("--faults", "kinds", type=_kinds, metavar="KIND,…", help=f"Only these kinds, of {', '.join(KINDS)}.")
@click.option("--kernel", is_flag=True, help="Also kill the kernel, which restarts everything.")
@click.option("--up", "target", metavar="TARGET", help="Start a tree just for this: `symphony`, or one of yours.")
@click.option("--yes", is_flag=True, help="Do not ask before.")
def command(
    invocation: Invocation,
    pattern: str,
    every_s: float,
    for_s: float,
    seed: int | None,
    kinds: tuple[FaultKind, ...] | None,
    target: str | None,
    *,
    kernel: bool,
    yes: bool,
) -> ExitCode:
    """Harm a tree on purpose, and check that it heals.

    Injects faults by a plan that --seed gives again, waits for each to heal, and prints the ledger; the exit code is 1 where
    anything is not as promised: a fault that did not heal within 5 s, slow restarts, too few faults of a kind, an ask that never
    ended, a process, descriptor or memory that was left behind. SIGINT ends it early, and prints the ledger so far.
    """
    fits = compile_glob(pattern)
    wanted = kinds or tuple(kind for kind in KINDS if kind != "kernel")
    if kernel and "kernel" not in wanted:
        wanted = (*wanted, "kernel")
    pace = Pace(every_s, for_s, secrets.randbelow(1_000_000) if seed is None else seed, wanted)
    with _tree(invocation, target) as run_dir:
        targets, left_out, plan = _plan(run_dir, fits, pace, pattern)
        for line in radius_lines(plan, pace, targets, left_out):
            note(line)
        _confirm(yes=yes)
        outcome = carry_out(run_dir, plan, [target.path for target in targets])
    _print(outcome, plan, pace, pattern, as_json=invocation.as_json)
    return ExitCode.FAILED if outcome.problems else ExitCode.DONE


def _plan(
    run_dir: RunDirectory, fits: Callable[[str], bool], pace: Pace, pattern: str
) -> tuple[tuple[Target, ...], dict[str, str], tuple[PlannedFault, ...]]:
    with connection(run_dir, ANSWER_S) as client:
        found, root = client.spec(), client.tree().tree.root
    spec = decode_spec(found.spec)
    assert isinstance(spec, SupervisorSpec)  # noqa: S101  # the root of a tree is one, or no kernel would run it
    targets = targets_of(root, spec, fits, inside_allowed=found.allow_fault_injection)
    if not targets:
        raise NoSuchActorError(f"nothing that fits {pattern} can be hit and heal: `symphony tree` lists the nodes and actors")
    missing = what_is_missing(pace.kinds, targets, inside_allowed=found.allow_fault_injection)
    try:
        return targets, {str(kind): why for kind, why in missing.items()}, plan_faults(targets, pace)
    except PlanError as error:
        raise RefusedError(str(error)) from error


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise RefusedError("this harms a running tree, and nobody is there to be asked: say --yes")
    if not click.confirm("go ahead?", err=True):
        raise RefusedError("nothing was done")


def _print(outcome: Outcome, plan: Sequence[PlannedFault], pace: Pace, pattern: str, *, as_json: bool) -> None:
    rows = rows_of(plan, outcome.entries)
    if as_json:
        head = {"seed": pace.seed, "every_s": pace.every_s, "for_s": pace.for_s, "glob": pattern, "ok": not outcome.problems}
        write_json("symphony.chaos/1", {**head, "plan": plan, "kinds": rows, **to_builtins(outcome)})
        return
    for line in ledger_lines(outcome.entries, rows, outcome.asks, outcome.before, outcome.after):
        write_line(line)
    if outcome.was_cut_short:
        write_line(f"cut short after {len(outcome.entries)} of {len(plan)} faults")
    for problem in outcome.problems:
        write_line(f"✗ {problem}")
    if not outcome.problems:
        write_line(f"✓ {len(outcome.entries)} faults, and every one healed as promised; again with --seed {pace.seed}")


@contextmanager
def _tree(invocation: Invocation, target: str | None) -> Iterator[RunDirectory]:
    """Give the run directory of the tree that runs, or of one that is started for this and stopped afterwards."""
    if target is None:
        run_dir = invocation.run_directory()
        with connection(run_dir, ANSWER_S) as client:
            _check_is_up(client)
        yield run_dir
        return
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        run_dir = RunDirectory(Path(folder) / "run")
        run_dir.prepare()
        arguments = ["--run-dir", str(run_dir.path), "--allow-fault-injection", *([] if target == SYMPHONY else [target])]
        start_detached(arguments, run_dir, timeout_s=invocation.timeout_s)
        try:
            yield run_dir
        finally:
            _stop(run_dir)


def _check_is_up(client: ControlClient) -> None:
    if not client.ping().ready:
        raise RefusedError("the tree is still starting: wait until it is up")


def _stop(run_dir: RunDirectory) -> None:
    try:
        stop_tree(run_dir, STOP_S, now=False)
    except (ActorRuntimeError, SymphonyError, CommandError):
        if run_dir.is_held():
            end_silent_tree(run_dir, STOP_S)
