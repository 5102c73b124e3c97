"""`symphony up`: start the tree. This process becomes the warden, so nothing that starts threads is imported before that."""

import os
import signal
import sys

import click
from msgspec import structs, to_builtins

from actors.runtime.errors import ActorRuntimeError, RunDirectoryBusyError
from actors.runtime.kernel.plan import KernelPlan
from actors.runtime.run_directory import RunDirectory
from symphony.domain.errors import SymphonyError
from symphony.settings import KEYS

from .detached import start_detached
from .error_report import ErrorReport
from .errors import CommandError, FailedError
from .exit_codes import ExitCode, report_of
from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connection
from .output import note, write_json, write_line
from .own_tree.checking import check_plan, warnings_of_plan
from .own_tree.target import Target, plan_for, target_of
from .places import Places
from .printing_tree import print_tree
from .readiness import Listener, PipeListener

CONTROL_WAIT_S = 5.0


@symphony_command("up", timeout_s=60.0)
@click.argument("target", required=False)
@click.option("--detach", is_flag=True, help="Return when the tree is up (or --timeout is over), and leave it running.")
@click.option("--config", metavar="FILE", help="The settings; by default symphony.toml of the workspace, if there is one.")
@click.option("--workspace", metavar="DIR", help="The folder to work for; by default the nearest one that has a symphony.toml.")
@click.option("--app-dir", metavar="DIR", help="Where TARGET's modules are; by default the current folder, or the file's.")
@click.option("--no-restart", is_flag=True, help="Do not start the kernel again when it dies or hangs.")
@click.option("--allow-fault-injection", is_flag=True, help="Let `symphony chaos` do harm from inside of processes.")
@click.option("--check", is_flag=True, help="Only load the tree and say what is odd about it: exit code 0 for nothing, else 1.")
@click.option("--print-unit", is_flag=True, help="Print a unit file by which systemd runs the tree, and leave.")
@click.option("--help-config", is_flag=True, help="Print every key of the settings, and leave.")
@click.option("--report-fd", type=click.IntRange(min=3), hidden=True)
def command(
    invocation: Invocation,
    target: str | None,
    config: str | None,
    workspace: str | None,
    app_dir: str | None,
    report_fd: int | None,
    *,
    detach: bool,
    no_restart: bool,
    allow_fault_injection: bool,
    check: bool,
    print_unit: bool,
    help_config: bool,
) -> ExitCode:
    """Start the tree, and keep it running.

    Prints the tree when it is up, then `ready`. Without TARGET the tree is Symphony's own. TARGET runs one of yours: a .toml
    file, or `module:attr`, a SupervisorSpec or a function that gives one.

    SIGTERM or SIGINT stops it in order, a second one hurries, a third kills; SIGHUP reloads it. The exit code is 0 where it has
    stopped in order, hurried or not; 1 where it could not start, was stopped before it was up, gave up, or was killed by a third
    signal; 2 where the tree is wrong as written; 6 where the run directory is in use.
    """
    if help_config:
        _print_keys(as_json=invocation.as_json)
        return ExitCode.DONE
    wanted = target_of(target, app_dir, config)
    places = invocation.places(workspace)
    if check:
        return check_plan(plan_for(wanted, places, timeout_s=invocation.timeout_s), as_json=invocation.as_json)
    run_dir = RunDirectory(places.run_dir)
    arguments = _arguments(wanted, places, given_run_dir=invocation.given_run_dir is not None)
    if print_unit:
        _print_unit(wanted, places, arguments, invocation)
        return ExitCode.DONE
    run_dir.prepare()
    _refuse_where_busy(run_dir)
    arguments += ["--no-restart"] if no_restart else []
    arguments += ["--allow-fault-injection"] if allow_fault_injection else []
    if detach:
        ready_ms = start_detached(arguments, run_dir, timeout_s=invocation.timeout_s)
        _print_ready(run_dir, ready_ms, as_json=invocation.as_json)
        return ExitCode.DONE
    listener: Listener = TerminalListener(run_dir, as_json=invocation.as_json) if report_fd is None else PipeListener(report_fd)
    # Until the warden takes it over, SIGTERM ends it as SIGINT does: what a loader has started must not stay behind.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        plan = plan_for(wanted, places, timeout_s=invocation.timeout_s)
        if allow_fault_injection:
            plan = structs.replace(plan, allow_fault_injection=True)
        listener.on_warnings(tuple(map(str, warnings_of_plan(plan))))
        _run(plan, listener, restarts=not no_restart, timeout_s=invocation.timeout_s)
    except Exception as error:  # told to whoever waits, then raised again
        listener.on_problem(report_of(error))
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    return ExitCode.DONE


class TerminalListener:
    """Prints the tree for whoever started it in the foreground."""

    def __init__(self, run_dir: RunDirectory, *, as_json: bool) -> None:
        self._run_dir = run_dir
        self._as_json = as_json

    def on_warnings(self, warnings: tuple[str, ...]) -> None:
        """Print them."""
        for warning in warnings:
            note(f"symphony: warning: {warning}")

    def on_ready(self, seconds: float) -> None:
        """Print the tree; what prevents that must not end the tree."""
        try:
            _print_ready(self._run_dir, seconds * 1000, as_json=self._as_json)
        except (ActorRuntimeError, SymphonyError, CommandError, OSError) as error:
            note(f"symphony: the tree is up, but cannot be printed: {error}")

    def on_problem(self, problem: ErrorReport) -> None:
        """Print nothing: the command's own end says it."""


def _run(plan: KernelPlan, listener: Listener, *, restarts: bool, timeout_s: float) -> None:
    """Be the warden until the tree has ended. Raises what prevented it from starting, or ended it."""
    from actors.runtime.warden.service_manager import ServiceManager
    from actors.runtime.warden.warden import Surroundings, run_warden

    reload = [*_program(), "reload", "--run-dir", plan.run_dir]
    around = Surroundings(_say, ServiceManager.from_environment(os.environ), reload)
    end = run_warden(plan, restarts=restarts, on_ready=listener.on_ready, start_timeout_s=timeout_s, around=around)
    if not end.ok:
        raise FailedError(end.problem)


def _say(line: str) -> None:
    note(f"symphony: {line}")


def _program() -> list[str]:
    return [sys.executable, "-P", "-m", "symphony"]


def _arguments(wanted: Target, places: Places, *, given_run_dir: bool) -> list[str]:
    """Give the arguments after `up` by which another process starts the same, wherever it is started."""
    arguments = ["--run-dir", str(places.run_dir)] if given_run_dir else []
    arguments += ["--workspace", str(places.workspace)] if places.workspace else []
    arguments += ["--config", wanted.config] if wanted.config else []
    return [*arguments, "--app-dir", wanted.app_dir, wanted.name] if wanted.is_own else arguments


def _print_unit(wanted: Target, places: Places, arguments: list[str], invocation: Invocation) -> None:
    from actors.runtime.supervision.shutdown_plan import shutdown_plan

    from .own_tree.checking import tree_of_plan
    from .unit_file import unit_file

    tree = tree_of_plan(plan_for(wanted, places, timeout_s=invocation.timeout_s))
    # Always by its run directory: the unit's environment is not that of whoever prints it.
    place = [] if invocation.given_run_dir else ["--run-dir", str(places.run_dir)]
    unit = unit_file(
        tree.id,
        start=[*_program(), "up", *place, *arguments],
        reload=[*_program(), "reload", "--run-dir", str(places.run_dir)],
        stop=shutdown_plan(tree),
        start_timeout_s=invocation.timeout_s,
        folder=str(places.workspace or wanted.app_dir or ""),
    )
    if invocation.as_json:
        write_json("symphony.unit/1", {"unit": unit})
    else:
        write_line(unit.rstrip())


def _refuse_where_busy(run_dir: RunDirectory) -> None:
    """Say so before anything is read or started; the warden's own claim decides where two start at once."""
    if run_dir.is_held():
        holder = run_dir.holder()
        pid = holder.kernel or holder.warden
        text = f"{run_dir.path} is in use by kernel pid {pid or 'unknown'}: stop it with `symphony down`"
        raise RunDirectoryBusyError(text, holder=pid or None)


def _print_ready(run_dir: RunDirectory, ready_ms: float, *, as_json: bool) -> None:
    with connection(run_dir, CONTROL_WAIT_S) as client:
        tree = client.tree().tree
    if as_json:
        document = {"ready_ms": round(ready_ms, 3), "run_dir": str(run_dir.path), "tree": to_builtins(tree)}
        write_json("symphony.up/1", document)
    else:
        print_tree(tree, tree.root)
        write_line(f"ready in {ready_ms:.0f} ms")


def _print_keys(*, as_json: bool) -> None:
    if as_json:
        keys = [{"key": key.name, "type": key.type, "default": key.default, "summary": key.summary} for key in KEYS]
        write_json("symphony.settings_keys/1", {"keys": keys})
        return
    for key in KEYS:
        write_line(f"{key.name}  ({key.type}; default: {key.default})")
        write_line(f"    {key.summary}")
