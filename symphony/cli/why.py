"""`symphony why`: what happened to an actor, from evidence: the tree if it runs, and the files that its processes have left."""

import time

import click
import msgspec

from actors.runtime.address import ActorPath, closest, parse_path
from actors.runtime.clock import timestamp
from actors.runtime.errors import NodeUnavailableError, NoSuchActorError
from actors.runtime.flight.evidence import KERNEL, Evidence, RecordedLife
from actors.runtime.flight.reader import read_events, read_log, recorded_nodes, recordings
from actors.runtime.flight.ring import Note
from actors.runtime.flight.story import Story, tell
from actors.runtime.run_directory import RunDirectory
from actors.runtime.snapshot import TreeSnapshot
from symphony.console.render import safe
from symphony.domain.errors import UnavailableError

from .errors import NotRunningError
from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connected
from .output import write_json, write_line

MAX_SENTENCE = 1000
TEXT_LINES = 60


@symphony_command("why", timeout_s=10.0)
@click.argument("path")
def command(invocation: Invocation, path: str) -> None:
    """Say what happened to an actor, from evidence.

    Works on a tree that runs, and on the files of one that is dead. What is not known for certain is marked `perhaps`.
    """
    story = tell(_evidence(invocation, parse_path(path)))
    if invocation.as_json:
        write_json("symphony.why/1", _document(story))
    else:
        _print(story)


def _evidence(invocation: Invocation, path: ActorPath) -> Evidence:
    run_dir = invocation.run_directory()
    tree = _tree(invocation)
    node = _node_of(path, tree, run_dir)
    lives = [RecordedLife(life.recording, life.crash) for life in recordings(run_dir, node)]
    log = read_log(run_dir.log_of(node), path)
    evidence = Evidence(path, node, time.time(), tree, read_events(run_dir), lives, log)
    if not evidence.is_any:
        raise _nothing_known(run_dir, path, tree)
    return evidence


def _tree(invocation: Invocation) -> TreeSnapshot | None:
    """Give the tree, or None where no kernel answers: then the files have to do."""
    try:
        with connected(invocation) as client:
            return client.tree().tree
    except (NotRunningError, UnavailableError, NodeUnavailableError):
        return None


def _node_of(path: ActorPath, tree: TreeSnapshot | None, run_dir: RunDirectory) -> str:
    found = None if tree is None else tree.root.find(path)
    if found is not None:
        return found.node
    return closest(path, frozenset(ActorPath(node) for node in recorded_nodes(run_dir))) or KERNEL


def _nothing_known(run_dir: RunDirectory, path: str, tree: TreeSnapshot | None) -> Exception:
    if tree is not None:
        return NoSuchActorError(f"nobody lives at {path}, and nothing is recorded of it; `symphony tree` lists who does")
    if not run_dir.path.exists():
        return NotRunningError(f"nothing runs, and nothing is recorded: there is no {run_dir.path}")
    return NoSuchActorError(f"nothing is recorded of {path} in {run_dir.path}, and no kernel runs there")


def _document(story: Story) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(story)
    fields["at"] = None if story.at is None else timestamp(story.at)
    fields["records"] = [{**msgspec.to_builtins(note), "at": timestamp(note.at)} for note in story.records]
    fields["earlier"] = [{**msgspec.to_builtins(end), "at": timestamp(end.at)} for end in story.earlier]
    return fields


def _print(story: Story) -> None:
    for statement in story.statements:
        text = safe(statement.text, limit=MAX_SENTENCE)
        write_line(text if statement.certainty == "known" else f"perhaps: {text}")
    if story.records:
        write_line("what its process noted last:")
        for note in story.records:
            write_line(f"  {_note_line(note)}")
    for title, told in (("the error", story.traceback), ("where its threads were", story.stack)):
        if told:
            write_line(f"{title}:")
            for line in _shown(told):
                write_line(f"  {line}")


def _note_line(note: Note) -> str:
    fields = " ".join(f"{name}={safe(str(value))}" for name, value in note.fields.items() if value is not None)
    return f"{timestamp(note.at)[11:23]}  {note.kind}  {safe(note.type)}  {safe(note.path)}  {fields}".rstrip()


def _shown(text: str) -> list[str]:
    lines = [safe(line) for line in text.splitlines()]
    if len(lines) <= TEXT_LINES:
        return lines
    return [*lines[: TEXT_LINES // 2], f"… {len(lines) - TEXT_LINES} more lines …", *lines[-TEXT_LINES // 2 :]]
