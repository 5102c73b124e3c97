"""`symphony demo`: the whole main job on a sample text, with two processes killed in the middle and healed.

It is its own acceptance test: it says what went wrong and exits 1, and it stops everything that it started, whatever happens.
"""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from msgspec import Struct, to_builtins

from actors.runtime.errors import ActorRuntimeError
from actors.runtime.run_directory import RunDirectory
from actors.runtime.snapshot import TreeSnapshot
from symphony.domain.errors import SymphonyError
from symphony.domain.ids import RunId
from symphony.domain.workflow import Run
from symphony.orchestration.requests import RunMelody

from .actor_lookup import find_actor
from .demonstration.healing import Fault, Healed, Victim
from .demonstration.sample import MELODY, repository, sample_text, tidied
from .demonstration.survivors import VARIABLE, survivors
from .detached import start_detached
from .down import end_silent_tree, stop_tree
from .errors import CommandError, FailedError
from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connection
from .melody.following import Progress, follow
from .melody.melody_file import load_melody
from .melody.run_lines import artifacts_of, failure_of
from .output import note, write_json, write_line
from .printing_tree import print_tree

STEP = "tidy"
"""The step that is under way when the processes are killed: the second of five, so that some are done and some are left."""
STOP_S = 20.0
LEAVE_S = 2.0


class Outcome(Struct, frozen=True):
    """What the demo did, for `--json`."""

    ready_ms: float
    run: Run
    healed: list[Healed]
    artifact: str


@symphony_command("demo", timeout_s=60.0)
def command(invocation: Invocation) -> None:
    """Do the main job on a sample text, with faults injected and healed.

    Copies the README into a fresh folder, with untidy lines added; starts a tree; runs the tidy melody on it; kills the editor
    and the engine in the middle; lets the run finish; checks every byte; and stops everything.
    """
    root = repository()
    mark = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="symphony-") as folder, _marked(mark):
        outcome = _play(root, Path(folder), invocation)
        if left := survivors(mark, timeout_s=LEAVE_S):
            raise FailedError(f"these processes are left: {', '.join(left)}")
    if invocation.as_json:
        write_json("symphony.demo/1", {**to_builtins(outcome), "run": to_builtins(outcome.run)})
    else:
        write_line("✓ stopped, and no process is left")


def _play(root: Path, folder: Path, invocation: Invocation) -> Outcome:
    before = sample_text(root)
    file = folder / "workspace" / "README.md"
    file.parent.mkdir()
    file.write_text(before, encoding="utf-8", newline="")
    run_dir = RunDirectory(folder / "run")
    run_dir.prepare()
    say = note if invocation.as_json else write_line
    say(f"a text of {before.count(chr(10))} lines in {file}")
    with _tree(run_dir, invocation) as (tree, ready_ms):
        request = RunMelody(RunId("demo"), load_melody(str(root / MELODY)), {"file": str(file)})
        with Fault(run_dir, _victims(tree), step=STEP, report=say) as fault:
            run = follow(run_dir, request, timeout_s=invocation.timeout_s, report=lambda moved: say(_moved(moved)))
        healed = fault.outcome()
        artifact = _check(run, file, run_dir, tidied(before))
        say(f"✓ {file.name} has the bytes that it must have, and so has {artifact}")
    return Outcome(ready_ms, run, healed, artifact)


@contextmanager
def _tree(run_dir: RunDirectory, invocation: Invocation) -> Iterator[tuple[TreeSnapshot, float]]:
    """Start a tree and print it; stop it afterwards, by force if need be."""
    ready_ms = start_detached(["--run-dir", str(run_dir.path)], run_dir, timeout_s=invocation.timeout_s)
    try:
        with connection(run_dir, STOP_S) as client:
            tree = client.tree().tree
        if not invocation.as_json:
            print_tree(tree, tree.root)
            write_line(f"ready in {ready_ms:.0f} ms")
        yield tree, ready_ms
    except BaseException:  # an interrupt included; the first error is the one to tell
        _stop(run_dir, is_quiet=True)
        raise
    _stop(run_dir, is_quiet=False)


def _stop(run_dir: RunDirectory, *, is_quiet: bool) -> None:
    try:
        stop_tree(run_dir, STOP_S, now=is_quiet)
    except (ActorRuntimeError, SymphonyError, CommandError):
        if run_dir.is_held():
            end_silent_tree(run_dir, STOP_S)
        if not is_quiet:
            raise


def _victims(tree: TreeSnapshot) -> list[Victim]:
    xi, engine = find_actor(tree, "/xi"), find_actor(tree, "/engine")
    if xi.os_process is None or engine.pid is None or engine.pid == tree.root.pid:
        raise FailedError("the editor and the engine do not run in processes of their own, so they cannot be killed alone")
    return [Victim("/xi", xi.os_process.pid, "the editor"), Victim("/engine", engine.pid, "the engine")]


def _check(run: Run, file: Path, run_dir: RunDirectory, expected: str) -> str:
    """Hold the run, the file and the artifact against what must have come out; gives the artifact's id. Raises `FailedError`."""
    if failure := failure_of(run):
        raise FailedError(failure)
    content = expected.encode()
    if file.read_bytes() != content:
        raise FailedError(f"{file} has other bytes than it must have after tidying")
    digest = sha256(content).hexdigest()
    if artifacts_of(run) != [f"sha256:{digest}"]:
        raise FailedError(f"the run gave {', '.join(artifacts_of(run)) or 'no artifact'}, and sha256:{digest} is right")
    stored = [path for path in (run_dir.path / "state").rglob("*") if path.is_file() and path.read_bytes() == content]
    if len(stored) != 1:
        raise FailedError(f"the artifact is stored {len(stored)} times below {run_dir.path / 'state'}, and once is right")
    return f"sha256:{digest}"


def _moved(progress: Progress) -> str:
    glyph = {"done": "✓", "failed": "✗"}.get(progress.state, "↻")
    return f"{glyph} {progress.step}, attempt {progress.attempts}{f': {progress.error}' if progress.error else ''}"


@contextmanager
def _marked(mark: str) -> Iterator[None]:
    """Let every process that is started meanwhile inherit the mark."""
    os.environ[VARIABLE] = mark
    try:
        yield
    finally:
        del os.environ[VARIABLE]
