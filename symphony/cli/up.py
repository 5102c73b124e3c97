"""`symphony up`: start the tree. This process becomes the warden, so nothing that starts threads is imported before that."""

import click
from msgspec import to_builtins

from actors.runtime.errors import ActorRuntimeError, RunDirectoryBusyError
from actors.runtime.run_directory import RunDirectory
from symphony.domain.errors import NotBuiltError, SymphonyError
from symphony.settings import KEYS, Settings

from .detached import start_detached
from .error_report import ErrorReport
from .errors import CommandError, FailedError
from .exit_codes import report_of
from .file_paths import absolute
from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connection
from .output import note, write_json, write_line
from .printing_tree import print_tree
from .readiness import Listener, PipeListener
from .settings_file import load_settings

CONTROL_WAIT_S = 5.0


@symphony_command("up", timeout_s=60.0)
@click.argument("target", required=False)
@click.option("--detach", is_flag=True, help="Return when the tree is up (or --timeout is over), and leave it running.")
@click.option("--config", metavar="FILE", help="The settings; by default symphony.toml of the workspace, if there is one.")
@click.option("--workspace", metavar="DIR", help="The folder to work for; by default the nearest one that has a symphony.toml.")
@click.option("--no-restart", is_flag=True, help="Do not start the kernel again when it dies.")
@click.option("--help-config", is_flag=True, help="Print every key of the settings, and leave.")
@click.option("--report-fd", type=click.IntRange(min=3), hidden=True)
def command(
    invocation: Invocation,
    target: str | None,
    config: str | None,
    workspace: str | None,
    report_fd: int | None,
    *,
    detach: bool,
    no_restart: bool,
    help_config: bool,
) -> None:
    """Start the tree, and keep it running.

    Prints the tree when it is up, then `ready`. TARGET, for a tree of your own, is not built yet.
    """
    if help_config:
        _print_keys(as_json=invocation.as_json)
        return
    if target is not None:
        raise NotBuiltError(f"`symphony up {target}`: to run a tree of your own is not built yet; leave out TARGET")
    places = invocation.places(workspace)
    settings = load_settings(places, config)
    run_dir = RunDirectory(places.run_dir)
    run_dir.prepare()
    _refuse_where_busy(run_dir)
    if detach:
        arguments = ["--run-dir", str(run_dir.path)] if invocation.given_run_dir else []
        arguments += ["--config", absolute(config)] if config else []
        arguments += ["--workspace", settings.workspace] if settings.workspace else []
        arguments += ["--no-restart"] if no_restart else []
        ready_ms = start_detached(arguments, run_dir, timeout_s=invocation.timeout_s)
        _print_ready(run_dir, ready_ms, as_json=invocation.as_json)
        return
    listener: Listener = TerminalListener(run_dir, as_json=invocation.as_json) if report_fd is None else PipeListener(report_fd)
    _run(settings, listener, restarts=not no_restart, timeout_s=invocation.timeout_s)


class TerminalListener:
    """Prints the tree for whoever started it in the foreground."""

    def __init__(self, run_dir: RunDirectory, *, as_json: bool) -> None:
        self._run_dir = run_dir
        self._as_json = as_json

    def on_ready(self, seconds: float) -> None:
        """Print the tree; what prevents that must not end the tree."""
        try:
            _print_ready(self._run_dir, seconds * 1000, as_json=self._as_json)
        except (ActorRuntimeError, SymphonyError, CommandError, OSError) as error:
            note(f"symphony: the tree is up, but cannot be printed: {error}")

    def on_problem(self, problem: ErrorReport) -> None:
        """Print nothing: the command's own end says it."""


def _run(settings: Settings, listener: Listener, *, restarts: bool, timeout_s: float) -> None:
    """Be the warden until the tree has ended. Raises what prevented it from starting, or ended it."""
    from actors.runtime.warden import run_warden
    from symphony.bootstrap import kernel_plan

    try:
        plan = kernel_plan(settings)
        end = run_warden(plan, restarts=restarts, on_ready=listener.on_ready, start_timeout_s=timeout_s)
    except Exception as error:  # told to whoever waits, then raised again
        listener.on_problem(report_of(error))
        raise
    if not end.ok:
        failure = FailedError(end.problem)
        listener.on_problem(report_of(failure))
        raise failure


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
