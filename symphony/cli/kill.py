"""`symphony kill`: end a process at once, to see the tree heal; says first what else it will touch."""

import click

from actors.runtime.address import parse_path
from actors.runtime.control.client import ControlClient
from actors.runtime.errors import NoSuchActorError
from actors.runtime.snapshot import ActorSnapshot

from .actor_lookup import find_actor
from .errors import RefusedError
from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connected
from .output import note, write_json, write_line
from .processes import HeldProcesses


@symphony_command("kill", timeout_s=10.0)
@click.argument("path")
@click.option("--os-process", is_flag=True, help="Kill the process that the actor stands for, such as the editor's for /xi.")
def command(invocation: Invocation, path: str, *, os_process: bool) -> None:
    """Kill the process that an actor runs in, or stands for.

    The process in which the actor at PATH runs is killed by SIGKILL, with every actor in it; their supervisors restart them.
    """
    path = str(parse_path(path))
    with connected(invocation) as client:
        if os_process:
            pid = _kill_os_process(client, path)
            paths = [str(path)]
        else:
            tree = client.tree().tree
            shared = _sharing(find_actor(tree, path), list(tree.root.walk()))
            note(f"this ends {len(shared)} actor{'s' if len(shared) != 1 else ''}: {', '.join(shared)}")
            killed = client.kill(path)
            pid, paths = killed.pid, killed.paths
    if invocation.as_json:
        write_json("symphony.kill/1", {"path": path, "pid": pid, "os_process": os_process, "paths": paths})
    else:
        write_line(f"killed pid {pid}: {'the process that ' + path + ' stands for' if os_process else ', '.join(paths)}")


def _sharing(actor: ActorSnapshot, actors: list[ActorSnapshot]) -> list[str]:
    """Give the paths of the actors in the process of `actor`. Raises `NoSuchActorError` where it runs in none."""
    if actor.pid is None:
        raise NoSuchActorError(f"{actor.path} has no process now: it is {actor.state}")
    return [other.path for other in actors if other.pid == actor.pid]


def _kill_os_process(client: ControlClient, path: str) -> int:
    found = find_actor(client.tree().tree, path).os_process
    if found is None:
        raise NoSuchActorError(f"{path} stands for no process of its own (or has none now): leave out --os-process")
    with HeldProcesses([found.pid]) as held:
        # Held first, then asked again: a pid that is still named now belongs to the process that is held.
        now = find_actor(client.tree().tree, path).os_process
        if now != found or not held.kill(found.pid):
            raise RefusedError(f"the process of {path} has just ended by itself: nothing was killed")
    return found.pid
