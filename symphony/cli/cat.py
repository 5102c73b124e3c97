"""`symphony cat`: a file as the editor has it, edits that are not saved included."""

import click

from symphony.orchestration.requests import ReadText, Text

from .file_paths import absolute
from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import ask_core, connected
from .output import write_json


@symphony_command("cat", timeout_s=10.0)
@click.argument("file")
def command(invocation: Invocation, file: str) -> None:
    """Print a file as the editor has it.

    That is the text of FILE with edits that are not saved, and not a byte more.
    """
    path = absolute(file)
    with connected(invocation) as client:
        text = ask_core(client, ReadText(path), Text, timeout_s=invocation.timeout_s)
    if invocation.as_json:
        write_json("symphony.text/1", text)
    else:
        click.echo(text.text.encode(), nl=False)
