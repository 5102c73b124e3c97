"""Story: what happened to an actor, in sentences; each says whether it is known or guessed. Pure.

What is known has a record. What is not is said to be unknown, or guessed and called so: a wrong certainty costs an operator more
than an honest gap.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct, structs

from ..address import ROOT
from ..snapshot import ExitSnapshot
from .crash_signals import CRASHES
from .evidence import (
    HOOKS,
    End,
    Evidence,
    Handling,
    RecordedLife,
    began_at,
    cut,
    dumped_stack,
    end_and_later,
    ended_process,
    ends_of,
    first_event,
    handling_at,
    last_event,
    life_that_ended,
    message_of_failure,
    shut_down_by,
    traceback_of,
    turn_now,
)
from .ring import Note

EARLIER_S = 60.0
BUSY_S = 1.0
"""A handler that runs for longer is worth a word."""
MOST_HANDLING = 3
MOST_EARLIER = 5
MOST_RECORDS = 8

Cause = Literal["none", "killed", "crashed", "hung", "failed", "start_failed", "start_timeout", "stopped", "unknown"]
_STOPPED = ("normal", "shutdown")
_MAY_START_AGAIN = ("parked", "stopped", "restarting")


class Statement(Struct, frozen=True):
    """One sentence. Several of them follow one another."""

    text: str
    certainty: Literal["known", "guessed"] = "known"


class Earlier(Struct, frozen=True):
    """An end before the last one."""

    at: float
    path: str
    how: str


class Story(Struct, frozen=True):
    """What happened to the actor at `path`. `state` is None where no kernel says; `stack` is of threads, `traceback` of an error.

    `ended` is who ended (the actor, or what it lived in) and `exit` how. `records` are the last that a process which has ended
    noted itself, some of which may be in no log and no event.
    """

    path: str
    node: str
    state: str | None
    cause: Cause
    statements: tuple[Statement, ...]
    ended: str | None = None
    at: float | None = None
    exit: ExitSnapshot | None = None
    handling: tuple[Handling, ...] = ()
    stack: str | None = None
    traceback: str | None = None
    earlier: tuple[Earlier, ...] = ()
    records: tuple[Note, ...] = ()


def tell(evidence: Evidence) -> Story:
    """Say what happened to the actor that the evidence is about."""
    began = began_at(evidence)
    if began is None:
        return _told(evidence, ())
    before, evidence = cut(evidence, began)
    older = ends_of(before)
    start = f"the kernel's start at {clock(began, evidence.now)}"
    if older and not ends_of(evidence) and not evidence.is_any:
        other = Statement(f"All of this is from before {start}: what ran there then may have been another tree.")
        return _told(structs.replace(before, tree=evidence.tree), (other,))
    left_out = [Statement(f"What is older than {start} is left out: it may have been another tree.")] if older else []
    return _told(evidence, left_out)


def _told(evidence: Evidence, caution: Sequence[Statement]) -> Story:
    ends = ends_of(evidence)
    actor = evidence.actor
    state = None if actor is None else actor.state
    now = _present(evidence)
    if not ends:
        return Story(evidence.path, evidence.node, state, "none", (*now, *_nothing(evidence), *caution))
    number, later = end_and_later(evidence, ends)
    ends = ends[: number + 1]
    end = ends[-1]
    life = life_that_ended(evidence, end)
    took_process = ended_process(evidence, end)
    handling = tuple(handling_at(life.recording, end.at, evidence.path)) if life is not None and took_process else ()
    stack = end.exit.stack or dumped_stack(evidence, end) or (life.crash if life is not None and took_process else None) or None
    statements = [
        *now,
        *_how(evidence, end),
        *_handling(handling, end, known=life is not None and took_process),
        *(_afterwards(evidence, end) if later is None else _later(evidence, end, later)),
        *_before(ends, evidence.now),
        *caution,
    ]
    return Story(
        path=evidence.path,
        node=evidence.node,
        state=state,
        cause=_cause(end.exit),
        statements=tuple(statements),
        ended=end.path,
        at=end.at,
        exit=end.exit,
        handling=handling[:MOST_HANDLING],
        stack=stack,
        traceback=traceback_of(evidence, end),
        records=_records(life, end.at) if life is not None and took_process else (),
        earlier=tuple(Earlier(other.at, other.path, how(other.exit)) for other in ends[:-1][-MOST_EARLIER:]),
    )


def how(ended: ExitSnapshot) -> str:
    """Say how a life ended, after `it`."""
    text = {
        "normal": "ended by itself",
        "shutdown": "was stopped",
        "failed": "failed",
        "killed": "was killed",
        "start_failed": "did not start",
        "start_timeout": "was not ready in time",
        "hung": "hung",
    }.get(ended.reason, "ended in an unknown way")
    if ended.reason == "hung":
        text = "hung, and was killed for it" if ended.signal is not None else text
    elif ended.signal is not None:
        text = f"{'crashed' if ended.signal in CRASHES else 'died'} by {ended.signal}"
    elif ended.exit_code:
        text += f" with exit code {ended.exit_code}"
    return f"{text}: {ended.error}" if ended.error else text


def clock(at: float, now: float) -> str:
    """Give a time of day in UTC, with its date where it is not of the same day as `now`."""
    when, today = datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(now, UTC)
    return f"{when:%H:%M:%S}" if when.date() == today.date() else f"{when:%Y-%m-%d %H:%M:%S}"


def length(seconds: float) -> str:
    """Give a length of time in a unit that suits it."""
    if seconds < 1.0:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _present(evidence: Evidence) -> list[Statement]:
    path, actor = evidence.path, evidence.actor
    if evidence.tree is None:
        return [Statement("The tree does not run, or does not answer: this is told from its files alone.")]
    if actor is None:
        return [Statement(f"{path} is not in the tree now.")]
    since = "" if actor.uptime_s is None else f", for {length(actor.uptime_s)}"
    said = [Statement(f"{path} is {actor.state}{since} (incarnation {actor.incarnation}).")]
    if actor.busy_s is not None and actor.busy_s >= BUSY_S:
        kind = turn_now(evidence)
        what = "" if kind is None else f", in a turn that began with {kind}"
        said.append(Statement(f"Its present handler has been running for {length(actor.busy_s)}{what}."))
    return said


def _nothing(evidence: Evidence) -> list[Statement]:
    if evidence.tree is not None and evidence.actor is not None:
        return [Statement("Nothing is wrong with it that is recorded: no life of it, nor of what it lives in, has ended.")]
    last = max((event for event in evidence.events if event.path == evidence.path), key=lambda event: event.at, default=None)
    said = [Statement("How it ended is not recorded.")]
    if last is not None:
        said.append(Statement(f"The last event about it is {last.type}, at {clock(last.at, evidence.now)}."))
    if evidence.lives:
        recording = evidence.lives[0].recording
        last_at = max((turn.ended or turn.began for turn in recording.turns), default=recording.header.began)
        said += _handling(tuple(handling_at(recording, float("inf"), evidence.path)), None, known=True)
        said.append(Statement(f"The last turn that its process recorded was at {clock(last_at, evidence.now)}."))
        said.append(Statement("It ended with the kernel, or with the machine.", "guessed"))
    return said


def _how(evidence: Evidence, end: End) -> list[Statement]:
    now, ended = evidence.now, end.exit
    who = _who(end)
    if end.path != evidence.path:
        inside = "runs in" if end.path == evidence.node else "is below"
        who += "" if end.path == "/" else f" (which {evidence.path} {inside})"
    life = "" if end.incarnation is None else f" (incarnation {end.incarnation})"
    said = [Statement(f"{_first_upper(who)}{life} {how(ended)}, at {clock(end.at, now)}.")]
    said += _by_whom(evidence, end)
    hung = last_event(evidence, "node.hung", end.path, until=end.at + 0.5) if ended.reason == "hung" else None
    if hung is not None:
        culprit = hung.fields.get("actor")
        because = f" because of {culprit}" if isinstance(culprit, str) and culprit != end.path else ""
        said.append(Statement(f"It was taken for hung at {clock(hung.at, now)}{because}."))
        if ended.error is None:
            said.append(Statement(f"The reason: {hung.fields.get('why')}."))
    if ended.reason == "failed" and (kind := message_of_failure(evidence, end)) is not None:
        said.append(Statement(f"It failed on a message {kind}."))
    if ended.detected_ms is not None:
        said.append(Statement(f"That was detected after {length(ended.detected_ms / 1000)}."))
    return said


def _who(end: End) -> str:
    return "the kernel, and every process with it," if end.path == "/" else end.path


def _by_whom(evidence: Evidence, end: End) -> list[Statement]:
    ended = end.exit
    if ended.reason in _STOPPED and (shut_down := shut_down_by(evidence, end)) is not None:
        child = shut_down.fields.get("child")
        return [Statement(f"That was because {child} had ended, which is significant to {shut_down.path} (`auto_shutdown`).")]
    injected = last_event(evidence, "fault.injected", end.path, until=end.at + 0.5)
    if injected is not None and end.at - injected.at < 5.0:
        return [Statement(f"A fault was injected into it, on purpose, at {clock(injected.at, evidence.now)}.")]
    if ended.reason != "killed" or ended.signal in CRASHES or end.path == "/":
        return []
    if ended.detected_ms is not None:
        return [Statement("The kernel killed it itself: on request, or because it did not stop in time.")]
    if ended.error is None and ended.signal == "SIGKILL" and evidence.tree is not None:
        outside = "The kernel did not do that: it came from outside."
        guess = "Whoever killed it was a person, another program, or the operating system that was short of memory."
        return [Statement(outside), Statement(guess, "guessed")]
    return []


def _handling(handling: tuple[Handling, ...], end: End | None, *, known: bool) -> list[Statement]:
    if not handling:
        return [Statement("No turn of an actor is recorded of that process.")] if known and end is not None else []
    if handling[0].ended_s is not None:
        last = handling[0]
        when = "" if end is None else f", {length(last.ended_s or 0.0)} before"
        return [Statement(f"No handler was running; the last one was {_what(last)}{when}.")]
    said = []
    for one in handling[:MOST_HANDLING]:
        lasted = "" if end is None else f" for {length(one.for_s)}"
        said.append(Statement(f"It was handling {_what(one)}{lasted}."))
        if one.several:
            more = "That is the message which its turn began with: others waited behind it, and it may have been one of them."
            said.append(Statement(more, "guessed"))
    if len(handling) > MOST_HANDLING:
        said.append(Statement(f"{len(handling) - MOST_HANDLING} more handlers were running."))
    return said


def _what(handling: Handling) -> str:
    return f"{handling.kind}{' of' if handling.kind in HOOKS else ' in'} {handling.path}"


def _afterwards(evidence: Evidence, end: End) -> list[Statement]:
    now = evidence.now
    parked = last_event(evidence, "actor.parked", end.path)
    back = first_event(evidence, "actor.restarted", end.path, since=end.at)
    if parked is not None and parked.at >= end.at and (back is None or back.at < parked.at):
        counted = parked.fields.get("restarts")
        used = ""
        if isinstance(counted, int) and counted > 0 and end.exit.reason not in _STOPPED:
            # The one that was refused is counted.
            done = f"{counted - 1} restart{'' if counted == 2 else 's'}"
            used = f" after {done}, as one more was more than its limit allows"
        above = _limit_above(evidence, end.path)
        return [
            Statement(f"It was parked at {clock(parked.at, now)}{used}{above}: it is not started again by itself."),
            *_remedy(evidence, end.path),
        ]
    if back is not None:
        number, took = back.fields.get("incarnation"), back.fields.get("ready_ms")
        within = f" in {length(took / 1000)}" if isinstance(took, int | float) else ""
        return [Statement(f"It was replaced{within} (incarnation {number}).")]
    if end.exit.ready_ms is not None:
        return [Statement(f"It was replaced in {length(end.exit.ready_ms / 1000)}.")]
    scheduled = last_event(evidence, "actor.restart_scheduled", end.path)
    if scheduled is not None and scheduled.at >= end.at:
        delay = scheduled.fields.get("delay_s")
        return [Statement(f"It backs off: the next try was to come {delay} s after {clock(scheduled.at, now)}.")]
    return [] if end.exit.reason in _STOPPED or end.path == "/" else [Statement("That it was replaced is not recorded.")]


def _later(evidence: Evidence, end: End, later: End) -> list[Statement]:
    """Tell what ended it for good, where it was not there any more when that ended."""
    parked = last_event(evidence, "actor.parked", end.path, until=later.at)
    rested = "was parked" if parked is not None and parked.at >= end.at else "was not started again"
    text = f"It {rested}; after that, {_who(later)} {how(later.exit)}, at {clock(later.at, evidence.now)}."
    return [Statement(text), *(_by_whom(evidence, later) if later.exit.reason in _STOPPED else [])]


def _remedy(evidence: Evidence, path: str) -> list[Statement]:
    """Say which command starts a part again, where there is a kernel that would do it."""
    root = None if evidence.tree is None else evidence.tree.root
    part, above = (None, None) if root is None else (root.find(path), root.find(path.rpartition("/")[0] or ROOT))
    if part is None or part.state not in _MAY_START_AGAIN or above is None or above.pid is None:
        return []
    return [Statement(f"`symphony restart {path}` starts it again.")]


def _limit_above(evidence: Evidence, path: str) -> str:
    above = path.rpartition("/")[0] or "/"
    parent = None if evidence.tree is None else evidence.tree.root.find(above)
    if parent is None or parent.intensity is None or parent.period_s is None:
        return ""
    return f" ({above} allows {parent.intensity} in {parent.period_s:g} s, unless it has a limit of its own)"


def _before(ends: list[End], now: float) -> list[Statement]:
    last = ends[-1]
    mishaps = [end for end in ends[:-1] if end.exit.reason not in _STOPPED]
    recent = [end for end in mishaps if last.at - end.at <= EARLIER_S]
    if not recent:
        return [Statement(f"Before that: {end.path} {how(end.exit)} at {clock(end.at, now)}.") for end in mishaps[-1:]]
    shown = "; ".join(f"{end.path} {how(end.exit)} at {clock(end.at, now)}" for end in recent[-MOST_EARLIER:])
    more = f" (the last {MOST_EARLIER} of them)" if len(recent) > MOST_EARLIER else ""
    count = f"{len(recent)} end{'s' if len(recent) > 1 else ''}"
    return [Statement(f"Before that: {count} in the minute before{more}: {shown}.")]


def _records(life: RecordedLife, at: float) -> tuple[Note, ...]:
    return tuple(note for note in life.recording.notes if note.at <= at)[-MOST_RECORDS:]


def _cause(ended: ExitSnapshot) -> Cause:
    if ended.signal in CRASHES:
        return "crashed"
    if ended.reason in _STOPPED:
        return "stopped"
    known: tuple[Cause, ...] = ("killed", "hung", "failed", "start_failed", "start_timeout")
    return next((cause for cause in known if cause == ended.reason), "unknown")


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
