"""`symphony melody run`: a workflow from its file to its artifacts."""

import re
import uuid

import click

from symphony.console.render import safe
from symphony.domain.ids import RunId
from symphony.orchestration.requests import RunMelody

from ..errors import FailedError
from ..invocation import Invocation
from ..invocation import command as symphony_command
from ..output import note, write_json, write_line
from .following import Progress, follow, submit
from .melody_file import load_melody, read_inputs
from .run_lines import artifacts_of, failure_of

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def run_id_of(text: str) -> RunId:
    """Read a run's id: letters, digits, `.`, `_` and `-`; 64 at most."""
    if _RUN_ID.fullmatch(text) is None:
        raise click.BadParameter(f"{text!r} is no id of a run: use up to 64 letters, digits, `.`, `_` and `-`")
    return RunId(text)


@symphony_command("run", timeout_s=120.0)
@click.argument("file")
@click.option("--input", "inputs", multiple=True, metavar="NAME=VALUE", help="An input of the melody; once for each.")
@click.option("--run", "run_id", type=run_id_of, metavar="ID", help="The run's id; the same id again is the same run.")
@click.option("--detach", is_flag=True, help="Return when the run is accepted; `melody status ID` follows it.")
def command(invocation: Invocation, file: str, inputs: tuple[str, ...], run_id: RunId | None, *, detach: bool) -> None:
    """Check a melody, run it, and wait for its end.

    Prints the ids of the artifacts that were made. Paths among the inputs start at the current folder.
    """
    workflow = load_melody(file)
    request = RunMelody(run_id or RunId(uuid.uuid4().hex[:12]), workflow, read_inputs(workflow, inputs))
    run_dir = invocation.run_directory()
    if detach:
        run = submit(run_dir, request, timeout_s=invocation.timeout_s)
    else:
        run = follow(run_dir, request, timeout_s=invocation.timeout_s, report=_print_progress)
    failure = failure_of(run)
    # An error is printed as one document of its own, so a run that failed is not printed beside it.
    if failure:
        raise FailedError(failure)
    if invocation.as_json:
        write_json("symphony.run/1", run)
    else:
        for line in [run.id] if detach else artifacts_of(run):
            write_line(line)


def _print_progress(progress: Progress) -> None:
    attempts = f" (attempt {progress.attempts})" if progress.attempts > 1 else ""
    match progress.state:
        case "done":
            note(f"✓ {progress.step}{attempts}")
        case "failed":
            note(f"✗ {progress.step}{attempts}: {safe(progress.error)}")
        case _:
            note(f"↻ {progress.step}{attempts}: {safe(progress.error)}")
