"""`symphony reload`: let a running tree become what its target says now, and leave alone what that does not change."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from msgspec import Struct

from actors.runtime.control import words
from actors.runtime.control.client import ControlClient
from actors.runtime.errors import NodeUnavailableError
from actors.runtime.event import Event
from actors.runtime.flight.reader import read_events
from actors.runtime.kernel.plan import KernelPlan
from actors.runtime.run_directory import RunDirectory
from actors.runtime.snapshot import ActorSnapshot
from actors.runtime.supervision.changes import Change, changes_of, check_reload
from actors.runtime.supervision.lint import warnings_of
from symphony.console.render import safe

from .errors import FailedError, TimedOutError
from .exit_codes import ExitCode
from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connected, newest_event
from .output import note, write_json, write_line
from .own_tree.checking import tree_of, tree_of_plan
from .own_tree.target import from_origin, plan_for, target_of

MARKS = {"added": "+", "removed": "-", "changed": "~", "adjusted": "*"}
EFFECTS = {
    "added": "is started",
    "removed": "is stopped",
    "changed": "is restarted",
    "adjusted": "goes on running",
}
PAUSE_S = 0.1
ENDED = ("parked", "stopped")
FAILING_S = 4.0
"""How long what was added or changed, and fails again and again, may take to run after all."""
LAST_WORD_S = 3.0
"""How long to wait for the record of a kernel that has failed."""
MAX_WHY = 1000


class Outcome(Struct, frozen=True):
    """What has become of a reload: the paths that are not yet what they should be, and those that will not be, with why."""

    waiting: tuple[str, ...] = ()
    failed: Mapping[str, str] = {}


@symphony_command("reload", timeout_s=60.0)
@click.argument("target", required=False)
@click.option("--plan", "plan_only", is_flag=True, help="Only print what would be done.")
@click.option("--config", metavar="FILE", help="The settings, for Symphony's own tree; by default those it was started with.")
@click.option("--app-dir", metavar="DIR", help="Where TARGET's modules are, as for `up`.")
def command(invocation: Invocation, target: str | None, config: str | None, app_dir: str | None, *, plan_only: bool) -> ExitCode:
    """Apply what has changed in a tree's target.

    Loads again what the tree was started with (or TARGET), prints the difference and applies it; whatever that does not change
    goes on running. Returns when what was added or changed is running; the exit code is 5 where some of it is parked or stopped,
    or fails again and again, and 1 where the whole tree has failed by it.
    """
    with connected(invocation) as client:
        running = client.spec()
        plan = _plan(running, target, config, app_dir, invocation)
        old, new = tree_of(running.spec), tree_of_plan(plan)
        check_reload(old, new)
        changes: Sequence[Change] = changes_of(old, new)
        warnings = warnings_of(new)
        for warning in () if invocation.as_json else warnings:
            note(f"symphony: warning: {warning}")
        if not invocation.as_json:
            _print(changes)
        outcome = Outcome()
        if not plan_only:
            before = {actor.path: actor.incarnation for actor in client.tree().tree.root.walk()}
            since = newest_event(client)
            started_at = time.time()
            try:
                changes = client.reload(words.Reload(plan.spec, plan.search_path, plan.origin)).changes
                outcome = _follow(client, changes, before, since, invocation.timeout_s)
            except NodeUnavailableError as error:
                raise FailedError(_why_gone(invocation.run_directory(), changes, started_at)) from error
    if invocation.as_json:
        fields = {
            "applied": not plan_only,
            "changes": changes,
            "warnings": warnings,
            "failed": list(outcome.failed),
            "why": outcome.failed,
        }
        write_json("symphony.reload/1", fields)
    elif not plan_only:
        write_line("reloaded" if not outcome.failed else f"reloaded, but not running: {', '.join(outcome.failed)}")
        for path, why in outcome.failed.items():
            write_line(f"{path}: {safe(why, limit=MAX_WHY)}")
    if outcome.waiting:
        raise TimedOutError(f"not there within {invocation.timeout_s:g} s: {', '.join(outcome.waiting)}; it goes on")
    return ExitCode.DEGRADED if outcome.failed else ExitCode.DONE


def _plan(running: words.Spec, target: str | None, config: str | None, app_dir: str | None, invocation: Invocation) -> KernelPlan:
    wanted, places = from_origin(running.origin, Path(invocation.places().run_dir))
    if target or app_dir or config:
        wanted = target_of(target or wanted.name or None, app_dir or (None if target else wanted.app_dir or None), config)
    return plan_for(wanted, places, timeout_s=invocation.timeout_s)


def _print(changes: Sequence[Change]) -> None:
    for change in changes:
        if change.kind != "unchanged":
            write_line(f"{MARKS[change.kind]} {change.path}  {change.kind}: {EFFECTS[change.kind]}")
    write_line(f"{Counter(change.kind for change in changes)['unchanged']} unchanged")


def _follow(client: ControlClient, changes: Sequence[Change], before: dict[str, int], since: int, timeout_s: float) -> Outcome:
    """Wait until all that was added or changed is running, and what was removed is gone.

    What fails again and again has a few seconds to run after all.
    """
    deadline = time.monotonic() + timeout_s
    pace = threading.Event()
    failing_since: dict[str, float] = {}
    while True:
        # What is added and does not start is gone again, so only events tell of it; asked for first, for what comes between.
        events = [event for batch in client.events(since=since) for event in batch.events]
        actors = {actor.path: actor for actor in client.tree().tree.root.walk()}
        outcome = _outcome(changes, before, actors, events)
        now = time.monotonic()
        late = {}
        for path in outcome.waiting:
            if path in actors and actors[path].state == "restarting":
                failing_since.setdefault(path, now)
            if now - failing_since.get(path, now) > FAILING_S:
                late[path] = f"{_why(path, actors.get(path), events)}; it is tried again"
        waiting = tuple(path for path in outcome.waiting if path not in late)
        if not waiting or now > deadline:
            return Outcome(waiting, {**outcome.failed, **late})
        pace.wait(PAUSE_S)


def _outcome(
    changes: Sequence[Change], before: dict[str, int], now: Mapping[str, ActorSnapshot], events: Sequence[Event]
) -> Outcome:
    waiting, failed = [], {}
    gone = {event.path for event in events if event.type == "actor.removed"}
    for change in changes:
        actor = now.get(change.path)
        if change.kind == "removed":
            waiting += [change.path] if actor is not None else []
        elif change.kind in ("added", "changed"):
            is_new = actor is not None and actor.incarnation > (before.get(change.path, 0) if change.kind == "changed" else 0)
            has_ended = change.path in gone if actor is None else actor.state in ENDED and is_new
            if has_ended:
                failed[change.path] = _why(change.path, actor, events)
            elif actor is None or not is_new or actor.state != "running":
                waiting.append(change.path)
    return Outcome(tuple(waiting), failed)


def _why(path: str, actor: ActorSnapshot | None, events: Sequence[Event]) -> str:
    """Say how the last life at `path` ended."""
    state = "it is gone again" if actor is None else f"it is {actor.state}"
    if actor is not None and (ended := actor.last_exit) is not None:
        return f"{state}: {ended.error or ended.signal or ended.reason}"
    exits = [event.fields for event in events if event.path == path and event.type == "actor.exited"]
    return f"{state}: {exits[-1].get('error') or exits[-1].get('reason')}" if exits else state


def _why_gone(run_dir: RunDirectory, changes: Sequence[Change], since: float) -> str:
    """Say what ended the kernel, from what it has recorded; that may be a moment after its last word to us."""
    pace = threading.Event()
    deadline = time.monotonic() + LAST_WORD_S
    while True:
        events = [event for event in read_events(run_dir) if event.at >= since]
        stopped = [event for event in events if event.type == "kernel.stopped" and event.fields.get("error")]
        if stopped or time.monotonic() > deadline:
            break
        pace.wait(PAUSE_S)
    if stopped:
        return f"the tree has failed while it was reloaded: {stopped[0].fields['error']}"
    paths = {change.path for change in changes if change.kind in ("added", "changed")}
    ends = [_why(path, None, events) for path in sorted(paths) if any(event.path == path for event in events)]
    return f"the kernel ended while the tree was reloaded{': ' if ends else ''}{'; '.join(ends)}; `symphony why /` may say more"
