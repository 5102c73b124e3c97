"""`symphony status`: how the system is, or one actor, in words and in the exit code."""

from collections import Counter

import click
from msgspec import to_builtins

from actors.runtime.address import parse_path
from actors.runtime.clock import seconds_of, timestamp
from actors.runtime.control.client import ControlClient
from actors.runtime.control.words import Pong
from actors.runtime.snapshot import ActorSnapshot, TreeSnapshot
from symphony.console.render import GLYPHS, duration, exit_text, log_line, safe, status_lines

from .actor_lookup import find_actor
from .exit_codes import ExitCode
from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connected
from .log_tail import last_log_records
from .output import write_json, write_line

LOG_LINES = 5


@symphony_command("status", timeout_s=10.0)
@click.argument("path", required=False)
def command(invocation: Invocation, path: str | None) -> ExitCode:
    """Say how the system, or one actor, is.

    The exit code is 0 where everything asked about is running, 5 where something is not.
    """
    with connected(invocation) as client:
        if path is None:
            return _system(client, invocation)
        return _actor(client.tree().tree, parse_path(path), invocation)


def _system(client: ControlClient, invocation: Invocation) -> ExitCode:
    pong = client.ping()
    tree = client.tree().tree
    actors = list(tree.root.walk())
    ill = [actor for actor in actors if actor.state != "running"]
    state = "starting" if not pong.ready else "degraded" if ill else "running"
    if invocation.as_json:
        document = {
            "state": state,
            "system": tree.system,
            "run_dir": str(invocation.places().run_dir),
            "kernel": pong.kernel,
            "warden": pong.warden,
            "uptime_s": tree.root.uptime_s,
            "actors": dict(Counter(actor.state for actor in actors)),
            "not_running": [actor.path for actor in ill],
        }
        write_json("symphony.status/1", document)
    else:
        _print_system(tree, pong, state, actors, str(invocation.places().run_dir))
    return ExitCode.DONE if state == "running" else ExitCode.DEGRADED


def _print_system(tree: TreeSnapshot, pong: Pong, state: str, actors: list[ActorSnapshot], run_dir: str) -> None:
    up = "" if tree.root.uptime_s is None else f" for {duration(tree.root.uptime_s)}"
    counted = Counter(actor.state for actor in actors)
    write_line(f"{safe(tree.system)} is {state}{up}: kernel pid {pong.kernel}, warden pid {pong.warden}, in {safe(run_dir)}")
    write_line(f"{len(actors)} actors: {', '.join(f'{count} {state}' for state, count in counted.most_common())}")
    for actor in actors:
        if actor.state != "running":
            why = f"  last exit {exit_text(actor.last_exit)}" if actor.last_exit else ""
            write_line(f"{GLYPHS[actor.state]} {safe(actor.path)}  {actor.state}{why}")


def _actor(tree: TreeSnapshot, path: str, invocation: Invocation) -> ExitCode:
    actor = find_actor(tree, path)
    records = last_log_records(invocation.run_directory().log_of(actor.node), path, count=LOG_LINES)
    if invocation.as_json:
        fields = to_builtins(actor)
        fields["children"] = [child.path for child in actor.children]
        since = None if actor.uptime_s is None else timestamp(seconds_of(tree.at) - actor.uptime_s)
        write_json("symphony.actor/1", {**fields, "since": since, "log": records})
    else:
        for line in status_lines(actor, log=[log_line(record) for record in records]):
            write_line(line)
    is_well = all(below.state == "running" for below in actor.walk())
    return ExitCode.DONE if is_well else ExitCode.DEGRADED
