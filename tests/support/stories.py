"""Evidence of one engine that died at `DIED`, and what is told from it."""

from actors.runtime.clock import timestamp
from actors.runtime.event import Event
from actors.runtime.flight.evidence import Evidence, RecordedLife
from actors.runtime.flight.ring import Header, Recording, Turn
from actors.runtime.flight.story import tell
from actors.runtime.snapshot import TreeSnapshot
from tests.unit.cli.samples import actor

NOW = 1_767_225_700.0
DIED = NOW - 10.0
CORE, ENGINE = "/engine/core", "/engine"


def event(type_, path, at=DIED, **fields):
    return Event(1, at, type_, path, "kernel", fields)


def exited(path, at=DIED, reason="killed", incarnation=3, **fields):
    return event("actor.exited", path, at, reason=reason, incarnation=incarnation, **{"signal": None, "error": None, **fields})


def life(*turns, incarnation=3, crash="", notes=()):
    header = Header(ENGINE, incarnation, 4711, NOW - 100.0, 50.0)
    return RecordedLife(Recording(header, tuple(turns), tuple(notes), 0), crash)


def turn(kind="RunMelody", path=CORE, began=DIED - 0.4, ended=None, several=False):
    return Turn(path, kind, several, began, ended)


def tree(**engine):
    core = actor(CORE, node=ENGINE, incarnation=4)
    given = {"node": ENGINE, "incarnation": 4, "children": [core], **engine}
    root = actor("/", intensity=20, period_s=60.0, children=[actor(ENGINE, **given)])
    return TreeSnapshot("symphony", "kernel", timestamp(NOW), root)


def story(path=ENGINE, *, events=(), lives=(), log=(), tree=None):
    return tell(Evidence(path, ENGINE, NOW, tree, list(events), list(lives), log))


def known(told):
    return " ".join(statement.text for statement in told.statements if statement.certainty == "known")


def guessed(told):
    return " ".join(statement.text for statement in told.statements if statement.certainty == "guessed")


SIGKILLED = exited(ENGINE, signal="SIGKILL")
BACK = event("actor.restarted", ENGINE, DIED + 0.21, incarnation=4, ready_ms=210.0)
