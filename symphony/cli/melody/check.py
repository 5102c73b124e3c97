"""`symphony melody check`: everything that is wrong with a melody, before anything runs."""

import click

from symphony.domain.errors import InvalidRequestError

from ..errors import ProblemsFoundError
from ..invocation import Invocation
from ..invocation import command as symphony_command
from ..output import write_json, write_line
from .melody_file import load_melody


@symphony_command("check", timeout_s=10.0)
@click.argument("file")
def command(invocation: Invocation, file: str) -> None:
    """Check a melody, and run nothing.

    Prints what FILE is, or every problem with its line and key; then the exit code is 1. No kernel is needed.
    """
    try:
        workflow = load_melody(file)
    except InvalidRequestError as error:
        raise ProblemsFoundError(*error.problems) from error
    if invocation.as_json:
        write_json("symphony.melody/1", workflow)
    else:
        inputs = ", ".join(f"{given.name} ({given.type})" for given in workflow.inputs)
        write_line(f"{file}: {workflow.name} is right: {len(workflow.steps)} steps; inputs: {inputs or 'none'}")
