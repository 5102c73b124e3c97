"""`symphony tell`: send an actor a message, and wait for no reply."""

import click

from actors.runtime.address import parse_path

from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connected
from .message_text import read_message
from .output import write_json, write_line


@symphony_command("tell", timeout_s=5.0)
@click.argument("path")
@click.argument("message")
def command(invocation: Invocation, path: str, message: str) -> None:
    """Send an actor a message, and wait for no reply.

    MESSAGE is JSON, or a text where it is none.
    """
    path = str(parse_path(path))
    with connected(invocation) as client:
        client.tell(path, read_message(message))
    if invocation.as_json:
        write_json("symphony.tell/1", {"path": path})
    else:
        write_line(f"sent to {path}")
