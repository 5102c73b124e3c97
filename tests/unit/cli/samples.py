"""Snapshots and events to render and to answer with."""

from actors.runtime.event import Event
from actors.runtime.snapshot import ActorSnapshot, ExitSnapshot, MailboxSnapshot, OsProcessSnapshot, TreeSnapshot, Warden


def actor(path, *, children=(), **fields):
    """Build an actor that runs, but for what `fields` say."""
    given = {
        "kind": "supervisor" if children else "worker",
        "actor": "SampleActor",
        "node": "kernel",
        "pid": 100,
        "os_process": None,
        "state": "running",
        "incarnation": 1,
        "uptime_s": 12.5,
        "restarts": 0,
        "last_exit": None,
        "mailbox": MailboxSnapshot(0, 1000, None),
        "processed": 3,
        **fields,
    }
    return ActorSnapshot(path=path, children=tuple(children), **given)


KILLED = ExitSnapshot("killed", signal="SIGKILL", at="2026-01-01T00:00:00.000000Z", detected_ms=2.0, ready_ms=210.0)
TREE = TreeSnapshot(
    system="symphony",
    node="kernel",
    at="2026-01-01T00:00:10.000000Z",
    root=actor(
        "/",
        strategy="one_for_one",
        intensity=20,
        period_s=60.0,
        children=[
            actor(
                "/engine",
                node="/engine",
                pid=101,
                children=[actor("/engine/core", node="/engine", pid=101), actor("/engine/conductor", node="/engine", pid=101)],
            ),
            actor(
                "/xi",
                node="/xi",
                pid=102,
                os_process=OsProcessSnapshot(103, "python -P -m xi"),
                incarnation=2,
                restarts=1,
                last_exit=KILLED,
            ),
        ],
    ),
    warden=Warden(99),
)
PARKED = TreeSnapshot("symphony", "kernel", TREE.at, actor("/", children=[actor("/xi", state="parked", pid=None)]), Warden(99))
EVENTS = [
    Event(1, 1_767_225_600.0, "actor.started", "/engine", "kernel", {"incarnation": 1, "ready_ms": None}),
    Event(2, 1_767_225_601.5, "actor.exited", "/xi", "kernel", {"reason": "killed", "signal": "SIGKILL"}),
    Event(3, 1_767_225_602.0, "actor.restarted", "/xi", "kernel", {"incarnation": 2, "ready_ms": 210.25}),
    Event(4, 1_767_225_603.0, "step.finished", "/engine/core", "/engine", {"run": "r1", "step": "open", "attempt": 1}),
]
