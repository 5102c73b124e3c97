"""`symphony melody list`: the runs."""

from msgspec import to_builtins

from symphony.orchestration.requests import ListRuns, Runs

from ..invocation import Invocation
from ..invocation import command as symphony_command
from ..kernel import ask_core, connected
from ..output import note, write_json, write_line
from .run_lines import summary_line


@symphony_command("list", timeout_s=10.0)
def command(invocation: Invocation) -> None:
    """List the runs, oldest first."""
    with connected(invocation) as client:
        runs = ask_core(client, ListRuns(), Runs, timeout_s=invocation.timeout_s).runs
    if invocation.as_json:
        write_json("symphony.runs/1", {"runs": [to_builtins(run) for run in runs]})
        return
    if not runs:
        note("there are no runs yet")
    for run in runs:
        write_line(summary_line(run))
