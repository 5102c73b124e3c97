"""`symphony melody status`: how far a run has come."""

import click

from symphony.domain.ids import RunId
from symphony.domain.workflow import Run
from symphony.orchestration.requests import GetRun

from ..invocation import Invocation
from ..invocation import command as symphony_command
from ..kernel import ask_core, connected
from ..output import write_json, write_line
from .run import run_id_of
from .run_lines import run_lines


@symphony_command("status", timeout_s=10.0)
@click.argument("run_id", metavar="ID", type=run_id_of)
def command(invocation: Invocation, run_id: RunId) -> None:
    """Say how far a run has come."""
    with connected(invocation) as client:
        run = ask_core(client, GetRun(run_id), Run, timeout_s=invocation.timeout_s)
    if invocation.as_json:
        write_json("symphony.run/1", run)
    else:
        for line in run_lines(run):
            write_line(line)
