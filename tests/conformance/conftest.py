"""The two backends, and a supervisor on either whose children do as they are told."""

from contextlib import ExitStack

import pytest

from actors.runtime import ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.testing import EventProbe
from tests.conformance.actors import Child

BOUND_S = 20.0
AT_ONCE = Backoff(min=0, max=0)
ENDINGS = {
    "thread": {"shutdown": ["stop"], "abnormal": ["raise", "ValueError", "told to"]},
    "process": {
        "normal": ["exit", 0],
        "shutdown": ["stop"],
        "abnormal": ["raise", "ValueError", "told to"],
        "exit": ["exit", 3],
        "killed": ["signal", "SIGKILL"],
    },
}


class Supervised:
    """A running system whose root is the supervisor in question: see `events` and `log`, give orders by `handle`."""

    def __init__(self, system, backend):
        self.system = system
        self.events = EventProbe(system.events)
        self.handle = system.supervisor
        self._backend = backend

    def ref(self, name):
        return self.system.ref(f"/{name}")

    def end(self, name, how="abnormal"):
        """Let a child end by itself."""
        self.ref(name).tell(ENDINGS[self._backend][how])

    def end_all(self, *names, how="abnormal"):
        for name in names:
            self.end(name, how)

    def is_back(self, *names):
        """Wait until these children, in this order, are running again."""
        for name in names:
            self.events.expect("actor.restarted", f"/{name}", timeout=BOUND_S)

    def has_ended(self, name, **fields):
        return self.events.expect("actor.exited", f"/{name}", timeout=BOUND_S, **fields)

    def lives(self):
        """Give every child's number of lives, and its state where it is not running."""
        children = self.system.snapshot().root.children
        return {child.path[1:]: child.incarnation if child.state == "running" else child.state for child in children}

    def log(self, *types):
        """Give the events of these types so far, as `type path` without the common parts."""
        return [f"{event.type[6:]} {event.path[1:]}" for event in self.system.events.since(0) if event.type in types]

    def order(self):
        """Give what started and ended below the root so far, in order."""
        marks = {"started": "+", "restarted": "+", "exited": "-"}
        types = [f"actor.{what}" for what in marks]
        lines = [line.split(" ") for line in self.log(*types)]
        return [f"{marks[what]}{name}" for what, name in lines if name]


class Backend:
    """Where children live: `name` is "thread" or "process"."""

    def __init__(self, name, stack):
        self.name = name
        self._stack = stack

    @property
    def endings(self):
        return ENDINGS[self.name]

    def child(self, name, **fields):
        """Give the spec of an obedient child."""
        return ChildSpec(name, Child, process=self.name == "process", **{"backoff": AT_ONCE, **fields})

    def children(self, names, **fields):
        return [self.child(name, **fields) for name in names]

    def start(self, *children, **fields):
        """Start a supervisor with these children, and give it once all of them are running."""
        spec = SupervisorSpec("root", children, **{"intensity": 100, **fields})
        system = self._stack.enter_context(ActorSystem("conformance", spec))
        supervised = Supervised(system, self.name)
        self._stack.callback(supervised.events.close)
        return supervised


@pytest.fixture(params=["thread", "process"])
def backend(request):
    with ExitStack() as stack:
        yield Backend(request.param, stack)
