"""`symphony tree`: the supervision tree, once or each time that something happens."""

import click
from msgspec.structs import replace

from actors.runtime.address import parse_path
from actors.runtime.control.client import ControlClient
from actors.runtime.snapshot import ActorSnapshot

from .actor_lookup import find_actor
from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connected, newest_event
from .output import is_terminal, write_json, write_line
from .printing_tree import print_tree
from .time_limit import time_limit

CLEAR = "\x1b[H\x1b[2J"


@symphony_command("tree", timeout_s=10.0)
@click.argument("path", default="/")
@click.option("--depth", type=click.IntRange(min=0), metavar="N", help="Levels below PATH to show; all if not given.")
@click.option("--watch", is_flag=True, help="Print it again whenever something happens, until interrupted or for --timeout.")
def command(invocation: Invocation, path: str, depth: int | None, *, watch: bool) -> None:
    """Print the supervision tree.

    PATH is where it begins; / if not given. With --json, `root` is the actor at PATH; with --watch as well, one document a line.
    """
    path = parse_path(path)
    with connected(invocation) as client:
        _print(client, path, depth, as_json=invocation.as_json)
        if watch:
            _watch(client, invocation, path, depth)


def cut(actor: ActorSnapshot, depth: int | None) -> ActorSnapshot:
    """Give the actor without what is more than `depth` levels below it."""
    if depth is None:
        return actor
    return replace(actor, children=tuple(cut(child, depth - 1) for child in actor.children) if depth else ())


def _print(client: ControlClient, path: str, depth: int | None, *, as_json: bool) -> None:
    tree = client.tree().tree
    root = find_actor(tree, path)
    if as_json:
        write_json(tree.schema_, replace(tree, root=cut(root, depth)))
    else:
        print_tree(tree, root, depth=depth)


def _watch(client: ControlClient, invocation: Invocation, path: str, depth: int | None) -> None:
    """Print the tree after each batch of events. Being interrupted is the ordinary end, or the bound that the user gave."""
    try:
        with time_limit(invocation.given_timeout_s), connected(invocation) as followed:
            for _ in followed.events(since=newest_event(client), follow=True):
                if not invocation.as_json:
                    write_line(CLEAR if is_terminal() else "")
                _print(client, path, depth, as_json=invocation.as_json)
    except (TimeoutError, KeyboardInterrupt):
        return
