"""`symphony restart`: give a part that was parked, because it failed again and again, another chance."""

import click

from actors.runtime.address import parse_path

from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connected
from .output import write_json, write_line


@symphony_command("restart", timeout_s=60.0)
@click.argument("path")
def command(invocation: Invocation, path: str) -> None:
    """Start a part again that is parked or stopped.

    The actor at PATH is started at once, with a clean record; returns when it is running.
    """
    path = str(parse_path(path))
    with connected(invocation) as client:
        started = client.start_again(path)
    if invocation.as_json:
        write_json("symphony.restart/1", started)
    else:
        write_line(f"{started.path} is running")
