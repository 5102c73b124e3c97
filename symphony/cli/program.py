"""The program: the table of commands, and the one place where an error becomes words and an exit code."""

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import click

from .command_table import LazyGroup, Row
from .error_report import ErrorReport
from .errors import CommandError
from .exit_codes import ExitCode, is_declared, report_of
from .output import note, write_json

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "up": Row("symphony.cli.up", "Start the tree, and keep it running."),
        "down": Row("symphony.cli.down", "Stop the tree; return when no process is left."),
        "reload": Row("symphony.cli.reload", "Apply what has changed in a tree's target."),
        "status": Row("symphony.cli.status", "Say how the system, or one actor, is."),
        "tree": Row("symphony.cli.tree", "Print the supervision tree."),
        "events": Row("symphony.cli.events", "Print what happened, and what happens."),
        "why": Row("symphony.cli.why", "Say what happened to an actor, from evidence."),
        "ask": Row("symphony.cli.ask", "Send an actor a message, and print its reply."),
        "tell": Row("symphony.cli.tell", "Send an actor a message, and wait for no reply."),
        "kill": Row("symphony.cli.kill", "Kill the process that an actor runs in, or stands for."),
        "chaos": Row("symphony.cli.chaos", "Harm a tree on purpose, and check that it heals."),
        "restart": Row("symphony.cli.restart", "Start a part again that is parked or stopped."),
        "cat": Row("symphony.cli.cat", "Print a file as the editor has it."),
        "edit": Row("symphony.cli.edit", "Edit a file through the editor."),
        "melody": Row("symphony.cli.melody.group", "Check and run workflows."),
        "schema": Row("symphony.cli.schema", "Print the JSON Schema of a kind of file."),
        "doctor": Row("symphony.cli.doctor", "Check the environment, and say what to do about it."),
        "demo": Row("symphony.cli.demo", "Do the main job on a sample text, with faults injected and healed."),
    }
)
NOT_BUILT = frozenset(
    (
        "ps",
        "top",
        "stop",
        "start",
        "suspend",
        "resume",
        "dead-letters",
        "trace",
        "stacks",
        "logs",
        "console",
        "shell",
        "ext",
        "pit",
    )
)


def build_program() -> click.Group:
    """Give the command `symphony`."""

    def print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value:
            from importlib.metadata import PackageNotFoundError, version

            try:
                click.echo(f"symphony {version('symphony-aide')}")
            except PackageNotFoundError:
                raise CommandError("symphony is not installed, so it has no version: `pip install -e .`") from None
            ctx.exit()

    version_option = click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=print_version,
        help="Print the version and leave.",
    )
    return LazyGroup(
        name="symphony",
        rows=ROWS,
        not_built=NOT_BUILT,
        params=[version_option],
        help="The backend of an AI-first development environment.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not running, 4 not found, 5 degraded, 6 refused, 7 timed out.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; says every error itself, and raises none."""
    as_json = "--json" in arguments
    # A name or text in the system may hold what the terminal's encoding does not.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        result = build_program().main(list(arguments), prog_name="symphony", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return _leave_without_a_reader()
    except Exception as error:  # the last place that can say what went wrong
        try:
            return _say(error, as_json=as_json)
        except BrokenPipeError:
            return _leave_without_a_reader()
    return int(result) if isinstance(result, int) else ExitCode.DONE


def _leave_without_a_reader() -> ExitCode:
    """End quietly: whoever read the output has left, and the interpreter must not fail over it again while it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return ExitCode.FAILED


def _say(error: Exception, *, as_json: bool) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        note(error.format_message())
        return ExitCode.WRONG_USAGE
    report = _report(error)
    if as_json:
        write_json(report.schema_, report)
    else:
        for problem in report.problems:
            note(f"symphony: {problem}")
    if isinstance(error, click.UsageError) and error.ctx is not None and not as_json:
        note(f"Try `{error.ctx.command_path} --help`.")
    if _is_bug(error):
        note("This is a bug in Symphony, sorry: please report it with what follows.")
        note("".join(traceback.format_exception(error)).rstrip())
    return report.exit_code


def _report(error: Exception) -> ErrorReport:
    match error:
        case click.exceptions.Abort():
            return ErrorReport("Interrupted", ("interrupted",), ExitCode.FAILED)
        case click.UsageError():
            return ErrorReport("UsageError", (error.format_message(),), ExitCode.WRONG_USAGE)
        case click.ClickException():
            return ErrorReport(type(error).__name__, (error.format_message(),), ExitCode.FAILED)
        case _ if _is_bug(error):
            return ErrorReport(type(error).__name__, (f"{type(error).__name__}: {error}",), ExitCode.FAILED)
        case _:
            return report_of(error)


def _is_bug(error: Exception) -> bool:
    # An OSError that got here is the world's: a full disk, a descriptor limit.
    return not isinstance(error, click.ClickException | click.exceptions.Abort | OSError) and not is_declared(error)
