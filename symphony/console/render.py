"""Rendering: snapshots and events as lines for a terminal or a file, and the tree as Rich draws it.

Plain text is built here without Rich, which takes longer to import than most commands take to run. Text that came from elsewhere
is made harmless first: a control character in a file's name or an error must not steer the reader's terminal.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from actors.runtime.clock import timestamp
from actors.runtime.event import Event
from actors.runtime.snapshot import ActorSnapshot, ActorState, ExitSnapshot, TreeSnapshot

if TYPE_CHECKING:
    from rich.tree import Tree

GLYPHS: Mapping[ActorState, str] = MappingProxyType(
    {
        "running": "●",
        "starting": "◌",
        "restarting": "↻",
        "stopping": "◒",
        "stopped": "○",
        "parked": "✖",
        "suspended": "⏸",
        "hung": "☠",
    }
)
_STYLES: Mapping[ActorState, str] = MappingProxyType(
    {"running": "green", "starting": "yellow", "restarting": "yellow", "stopping": "yellow", "parked": "red", "hung": "red"}
)
MAX_TEXT = 300
BUSY_S = 1.0
"""A handler that has been running for so long is worth a word."""


def safe(text: str, *, limit: int = MAX_TEXT) -> str:
    """Give `text` on one line, with what a terminal would act on written out, and no longer than `limit` characters."""
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def tree_lines(tree: TreeSnapshot, root: ActorSnapshot, *, depth: int | None = None) -> list[str]:
    """Give the tree below `root` as plain text: a heading, then a line an actor; `depth` levels below `root` at most."""
    return [heading(tree), *_branch(root, "", "", depth)]


def rich_tree(tree: TreeSnapshot, root: ActorSnapshot, *, depth: int | None = None) -> "Tree":
    """Give what `tree_lines` says as a Rich tree."""
    from rich.console import Group
    from rich.text import Text
    from rich.tree import Tree

    def grow(actor: ActorSnapshot, into: Tree | None, levels: int | None) -> Tree:
        glyph = (GLYPHS[actor.state], _STYLES.get(actor.state, "dim"))
        line = Text.assemble(glyph, " ", (safe(actor.path), "bold"), "  ", (_details(actor), "dim"))
        grown = Tree(line, guide_style="dim") if into is None else into.add(line)
        if levels == 0:
            if hidden := _hidden(actor):
                grown.add(Text(hidden, "dim"))
        else:
            for child in actor.children:
                grow(child, grown, None if levels is None else levels - 1)
        return grown

    drawn = grow(root, None, depth)
    drawn.label = Group(Text(heading(tree), "dim"), drawn.label)
    return drawn


def heading(tree: TreeSnapshot) -> str:
    """Name the system, its kernel and its warden."""
    warden = f", warden pid {tree.warden.pid}" if tree.warden else ""
    return f"{safe(tree.system)}: kernel pid {tree.root.pid}{warden}"


def exit_text(ended: ExitSnapshot) -> str:
    """Say how an incarnation ended, as in `killed by SIGKILL`, or `hung, killed by SIGKILL`."""
    reason = ended.reason.replace("_", " ")
    killed = f"killed by {ended.signal}"
    how = reason if not ended.signal else killed if ended.reason == "killed" else f"{reason}, {killed}"
    code = f" with exit code {ended.exit_code}" if ended.exit_code is not None and not ended.signal else ""
    error = f": {safe(ended.error)}" if ended.error else ""
    return f"{how}{code}{error}"


def event_line(event: Event) -> str:
    """Give an event on one line: time, type, path, then its fields."""
    fields = " ".join(f"{name}={_value(value)}" for name, value in event.fields.items())
    return f"{timestamp(event.at)[11:23]}  {event.type:<18}  {safe(event.path)}{'  ' + fields if fields else ''}"


def status_lines(actor: ActorSnapshot, *, log: list[str]) -> list[str]:
    """Give all that is known of one actor, a fact a line, and the last lines of its log."""
    rows = {
        "state": _state_text(actor),
        "up": "-" if actor.uptime_s is None else duration(actor.uptime_s),
        "actor": f"{actor.actor} ({actor.kind})",
        "runs in": "no process" if actor.pid is None else f"pid {actor.pid}, node {actor.node}",
        "process": f"pid {actor.os_process.pid}: {safe(actor.os_process.command)}" if actor.os_process else None,
        "incarnation": str(actor.incarnation),
        "restarts": str(actor.restarts),
        "limit": None if actor.intensity is None else f"{actor.intensity} restarts of children in {actor.period_s:g} s",
        "strategy": actor.strategy,
        "last exit": "none" if actor.last_exit is None else _exit_row(actor.last_exit),
        "mailbox": f"{actor.mailbox.depth} of {actor.mailbox.capacity}{_oldest(actor)}",
        "processed": str(actor.processed),
    }
    lines = [f"{GLYPHS[actor.state]} {safe(actor.path)}"]
    lines += [f"  {name:<12} {value}" for name, value in rows.items() if value is not None]
    return lines + (["  last log lines:", *(f"    {safe(line)}" for line in log)] if log else [])


def log_line(record: Mapping[str, Any]) -> str:
    """Give a log event on one line: time, level, event, then the rest."""
    rest = " ".join(f"{k}={_value(v)}" for k, v in record.items() if k not in {"at", "level", "event", "path", "node"})
    return f"{str(record.get('at', ''))[11:23]} {record.get('level', '')} {record.get('event', '')} {rest}".rstrip()


def duration(seconds: float) -> str:
    """Give a length of time in the two units that matter."""
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _branch(actor: ActorSnapshot, first: str, rest: str, depth: int | None) -> Iterator[str]:
    yield f"{first}{GLYPHS[actor.state]} {safe(actor.path)}  {_details(actor)}"
    if depth == 0:
        if hidden := _hidden(actor):
            yield f"{rest}└─ {hidden}"
        return
    below = None if depth is None else depth - 1
    for number, child in enumerate(actor.children, start=1):
        is_last = number == len(actor.children)
        yield from _branch(child, rest + ("└─ " if is_last else "├─ "), rest + ("   " if is_last else "│  "), below)


def _hidden(actor: ActorSnapshot) -> str:
    count = sum(1 for _ in actor.walk()) - 1
    return f"… {count} more below" if count else ""


def _details(actor: ActorSnapshot) -> str:
    parts = [safe(actor.actor)]
    if actor.state != "running" or (actor.busy_s or 0) >= BUSY_S:
        parts.append(_state_text(actor))
    if actor.pid is not None:
        parts.append(f"pid {actor.pid}")
    if actor.os_process is not None:
        parts.append(f"stands for pid {actor.os_process.pid}")
    if actor.incarnation > 1:
        parts.append(f"incarnation {actor.incarnation}")
    if actor.restarts:
        parts.append(f"{actor.restarts} restart{'s' if actor.restarts > 1 else ''}")
    if actor.last_exit is not None:
        parts.append(f"last exit {exit_text(actor.last_exit)}")
    return "  ".join(parts)


def _state_text(actor: ActorSnapshot) -> str:
    """Give the state, and what is remarkable about it: when a restart is due, how long a handler has been running."""
    if actor.state == "restarting" and actor.next_try_s is not None:
        return f"restarting (next try in {actor.next_try_s:.1f} s)"
    if actor.busy_s is not None and actor.busy_s >= BUSY_S:
        return f"{actor.state} (one message for {actor.busy_s:.1f} s)"
    return actor.state


def _exit_row(ended: ExitSnapshot) -> str:
    times = "".join(
        f", {name} in {value:.0f} ms"
        for name, value in (("detected", ended.detected_ms), ("ready", ended.ready_ms))
        if value is not None
    )
    return f"{exit_text(ended)}{f', at {ended.at}' if ended.at else ''}{times}"


def _oldest(actor: ActorSnapshot) -> str:
    return "" if actor.mailbox.oldest_s is None else f", the oldest waits for {actor.mailbox.oldest_s:.3f} s"


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    text = safe(value if isinstance(value, str) else str(value))
    return f'"{text}"' if isinstance(value, str) and (" " in text or not text) else text
