"""`symphony ask`: send an actor a message, and print its reply."""

import click
import msgspec

from actors.runtime.address import parse_path

from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connected
from .message_text import read_message
from .output import write_json, write_line


@symphony_command("ask", timeout_s=5.0)
@click.argument("path")
@click.argument("message")
@click.option("--type", "tag", default="", metavar="NAME", help="The message's type, for an actor that knows typed messages.")
def command(invocation: Invocation, path: str, message: str, tag: str) -> None:
    """Send an actor a message, and print its reply.

    MESSAGE is JSON, or a text where it is none. The reply is printed as JSON. --timeout is the message's deadline.
    """
    path = str(parse_path(path))
    with connected(invocation) as client:
        reply = client.ask(path, read_message(message), tag=tag, timeout_s=invocation.timeout_s)
    if invocation.as_json:
        write_json("symphony.ask/1", {"path": path, "reply": reply})
    else:
        write_line(msgspec.json.encode(reply).decode())
