"""Evidence: from recordings, events, logs and the tree to what is known of how an actor last ended. Pure: no file, no clock.

An actor ends on its own account, or is taken along by the process it lives in, or by the kernel above that. So the ends of all
that is above it count as its own, and the last one of them is the one to explain.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from ..address import ROOT, is_within
from ..clock import seconds_of
from ..event import Event
from ..snapshot import ActorSnapshot, ExitSnapshot, TreeSnapshot
from .ring import Recording, Turn

KERNEL = "kernel"
SAME_S = 2.0
"""How far apart two accounts of one end may be in time."""
HOOKS = ("on_start", "on_stop")
_ALIVE = ("starting", "running")


class RecordedLife(Struct, frozen=True):
    """A life of a node as its files tell it; `crash` is what the interpreter wrote when it crashed, or nothing."""

    recording: Recording
    crash: str = ""


class Evidence(Struct, frozen=True):
    """All that there is to judge from. `tree` is None where no kernel answers; `lives` are those of `node`, the newest first.

    `events` are in order, and `log` are the records about the actor. `now` is in seconds since the epoch.
    """

    path: str
    node: str
    now: float
    tree: TreeSnapshot | None
    events: Sequence[Event]
    lives: Sequence[RecordedLife]
    log: Sequence[Mapping[str, Any]] = ()

    @property
    def actor(self) -> ActorSnapshot | None:
        """The actor as it is now, if it is known."""
        return None if self.tree is None else self.tree.root.find(self.path)

    @property
    def is_any(self) -> bool:
        """Whether anything at all is known of the actor."""
        return (
            self.actor is not None
            or any(event.path == self.path for event in self.events)
            or any(self.path in _paths_in(life.recording) for life in self.lives)
        )


class End(Struct, frozen=True):
    """How an actor, or what it lived in, ended. `at` is in seconds since the epoch; `path` is who ended."""

    at: float
    path: str
    incarnation: int | None
    exit: ExitSnapshot


class Handling(Struct, frozen=True):
    """A turn that was going on at an end, or the last one before it (`ended_s` before), and how long it had been going on.

    Where `several` messages waited when it began, a later one may have been at work.
    """

    path: str
    kind: str
    for_s: float
    several: bool
    ended_s: float | None = None


def ends_of(evidence: Evidence) -> list[End]:
    """Give every end that is known of the actor and of what it lived in, oldest first."""
    found = [_end_of(event) for event in evidence.events if _is_end(event, evidence.path)]
    for actor in _line_of(evidence):
        ended = actor.last_exit
        if ended is None or not ended.at:
            continue
        end = End(seconds_of(ended.at), actor.path, None, ended)
        twins = [other for other in found if _are_one(other, end)]
        for twin in twins:
            # The tree knows more of its last exits than the events say.
            found[found.index(twin)] = End(twin.at, twin.path, twin.incarnation, ended)
        if not twins and not any(abs(other.at - end.at) < SAME_S and is_within(end.path, other.path) for other in found):
            found.append(end)
    return sorted(found, key=lambda end: end.at)


def began_at(evidence: Evidence) -> float | None:
    """Give when a kernel last began that did not take another's place: what is older may be of another tree."""
    fresh = (event.at for event in evidence.events if event.type == "kernel.started" and "reason" not in event.fields)
    return max(fresh, default=None)


def cut(evidence: Evidence, at: float) -> tuple[Evidence, Evidence]:
    """Give what is from before a kernel's start, and what is from after it."""
    old, new = (
        structs.replace(
            evidence,
            events=[event for event in evidence.events if (event.at >= at) is is_new],
            lives=[life for life in evidence.lives if _is_of_run(life, at, evidence.node) is is_new],
            log=[record for record in evidence.log if (_time_of(record) >= at) is is_new],
        )
        for is_new in (False, True)
    )
    return structs.replace(old, tree=None), new


def end_and_later(evidence: Evidence, ends: Sequence[End]) -> tuple[int, End | None]:
    """Give the number of the end to explain among `ends`, and who ended later, though the actor had not come back by then."""
    number = len(ends) - 1
    for earlier in reversed(range(number)):
        one, other = ends[earlier], ends[number]
        if one.path == other.path or not is_within(one.path, other.path) or _is_back(evidence, one, other.at):
            break
        number = earlier
    return number, None if number == len(ends) - 1 else ends[-1]


def shut_down_by(evidence: Evidence, end: End) -> Event | None:
    """Give the event of a supervisor that stopped itself and so what ended, since a significant child of it had ended."""
    told = [event for event in evidence.events if event.type == "supervisor.shut_down" and is_within(end.path, event.path)]
    last = next((event for event in reversed(told) if event.at <= end.at), None)
    if last is None or last.fields.get("child") == end.path:
        return None
    return None if any(_starts(event, end.path) and last.at <= event.at <= end.at for event in evidence.events) else last


def life_that_ended(evidence: Evidence, end: End) -> RecordedLife | None:
    """Give the recording of the process in whose life an end falls: the newest that had begun by then."""
    begun = [life for life in evidence.lives if life.recording.header.began <= end.at]
    if end.path == evidence.node and end.incarnation is not None:
        return next((life for life in begun if life.recording.header.incarnation == end.incarnation), None)
    return begun[0] if begun else None


def ended_process(evidence: Evidence, end: End) -> bool:
    """Tell whether the end was that of the actor's whole process."""
    return end.path in (evidence.node, ROOT) or (evidence.node != KERNEL and is_within(evidence.node, end.path))


def handling_at(recording: Recording, at: float, path: str) -> list[Handling]:
    """Give the turns that were going on at a death, that of the actor at `path` and the longest first.

    Where none was, the last one before is given, with `ended_s`.
    """
    begun = [turn for turn in recording.turns if turn.began <= at]
    going_on = [turn for turn in begun if turn.ended is None]
    if going_on:
        going_on.sort(key=lambda turn: (not is_within(turn.path, path), turn.began))
        return [_handling(turn, at) for turn in going_on]
    last = max(begun, key=lambda turn: turn.ended or 0.0, default=None)
    return [] if last is None or last.ended is None else [_handling(last, at)]


def turn_now(evidence: Evidence) -> str | None:
    """Give the kind of message with which the turn began that the actor is in now."""
    going_on = [turn for life in evidence.lives[:1] for turn in life.recording.turns if turn.ended is None]
    return next((turn.kind for turn in going_on if turn.path == evidence.path), None)


def message_of_failure(evidence: Evidence, end: End) -> str | None:
    """Give the kind of message that an actor failed on: the runtime makes it a dead letter."""
    for event in evidence.events:
        near = abs(event.at - end.at) < SAME_S and event.path == end.path
        if near and event.type == "message.dead_lettered" and "failed on it" in str(event.fields.get("reason")):
            return str(event.fields.get("message_type"))
    return None


def traceback_of(evidence: Evidence, end: End) -> str | None:
    """Give the traceback of a failure, which the log has."""
    found = None
    for record in evidence.log:
        text = record.get("exception")
        if record.get("event") == "actor.failed" and isinstance(text, str) and _is_near(record, end):
            found = text
    return found


def dumped_stack(evidence: Evidence, end: End) -> str | None:
    """Give the stacks that were dumped before a hung process was killed."""
    if end.exit.reason != "hung":
        return None
    dumped = last_event(evidence, "node.stacks_dumped", end.path, until=end.at + SAME_S)
    stack = None if dumped is None or end.at - dumped.at > SAME_S else dumped.fields.get("stack")
    return stack if isinstance(stack, str) else None


def first_event(evidence: Evidence, type_: str, path: str, *, since: float, until: float = float("inf")) -> Event | None:
    """Give the first event of a type about `path` within a span of time."""
    fitting = (event for event in evidence.events if event.type == type_ and event.path == path)
    return next((event for event in fitting if since <= event.at <= until), None)


def last_event(evidence: Evidence, type_: str, path: str, *, until: float = float("inf")) -> Event | None:
    """Give the last event of a type about `path` until a time."""
    fitting = [event for event in evidence.events if event.type == type_ and event.path == path and event.at <= until]
    return fitting[-1] if fitting else None


def _is_of_run(life: RecordedLife, at: float, node: str) -> bool:
    """Tell whether a life began after its kernel; a kernel's own recording begins somewhat before its first event."""
    return life.recording.header.began >= (at - SAME_S if node == KERNEL else at)


def _is_back(evidence: Evidence, end: End, until: float) -> bool:
    """Tell whether who ended is known to have lived again before a time: its process may have died before it could tell."""
    if any(_starts(event, end.path) and end.at <= event.at <= until for event in evidence.events):
        return True
    recordings = [life.recording for life in evidence.lives]
    turns = (turn.began for recording in recordings for turn in recording.turns if turn.path == end.path)
    notes = (note.at for recording in recordings for note in recording.notes if note.path == end.path and note.type in _ALIVE)
    return any(end.at < at <= until for at in (*turns, *notes))


def _starts(event: Event, path: str) -> bool:
    return event.path == path and event.type in ("actor.started", "actor.restarted")


def _paths_in(recording: Recording) -> set[str]:
    return {turn.path for turn in recording.turns} | {note.path for note in recording.notes}


def _is_end(event: Event, path: str) -> bool:
    """Tell whether an event tells of an end; a kernel tells of its own when it stops in order, and else the next one does."""
    if event.type == "kernel.started":
        return "reason" in event.fields
    return event.type in ("actor.exited", "kernel.stopped") and is_within(path, event.path)


def _end_of(event: Event) -> End:
    fields = event.fields
    reason, signal, error = fields.get("reason"), fields.get("signal"), fields.get("error")
    ended_at = fields.get("ended_at")
    at = ended_at if isinstance(ended_at, int | float) else event.at
    exit_ = ExitSnapshot(
        reason if isinstance(reason, str) else "unknown",  # type: ignore[arg-type]  # whatever a version of ours has called it
        signal if isinstance(signal, str) else None,
        error=error if isinstance(error, str) else None,
    )
    incarnation = fields.get("incarnation")
    return End(at, event.path, incarnation if isinstance(incarnation, int) else None, exit_)


def _line_of(evidence: Evidence) -> list[ActorSnapshot]:
    """Give the actor and those above it, nearest last."""
    root = None if evidence.tree is None else evidence.tree.root
    return [] if root is None else [actor for actor in root.walk() if is_within(evidence.path, actor.path)]


def _are_one(one: End, other: End) -> bool:
    same = one.exit.reason == other.exit.reason and one.exit.signal == other.exit.signal
    return same and one.path == other.path and abs(one.at - other.at) < SAME_S


def _handling(turn: Turn, at: float) -> Handling:
    if turn.ended is None:
        return Handling(turn.path, turn.kind, max(0.0, at - turn.began), turn.several)
    return Handling(turn.path, turn.kind, max(0.0, turn.ended - turn.began), turn.several, max(0.0, at - turn.ended))


def _is_near(record: Mapping[str, Any], end: End) -> bool:
    return abs(_time_of(record) - end.at) < SAME_S


def _time_of(record: Mapping[str, Any]) -> float:
    try:
        return seconds_of(str(record.get("at")))
    except ValueError:
        return 0.0
