"""A system of this process, its events, and gates that hold a handler until the test lets it go."""

import threading

import pytest

from actors.runtime import Actor, ActorSystem
from actors.runtime.testing import EventProbe, FakeClock, TestProbe


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def system():
    system = ActorSystem("test")
    yield system
    system.stop(10)


@pytest.fixture
def events(system):
    probe = EventProbe(system.events)
    yield probe
    probe.close()


@pytest.fixture
def probe(system):
    return TestProbe(system)


@pytest.fixture
def supervisor(system):
    """The root, as its children see it: its verbs take effect in the order of the calls, and none of them waits."""

    class Sibling(Actor):
        pass

    return system.spawn(Sibling, name="sibling").proxy().context.get(5).supervisor


class Gate:
    """A place where a handler waits until the test opens it; `reached` is set once one is there."""

    def __init__(self):
        self.reached = threading.Event()
        self._open = threading.Event()

    def wait(self):
        self.reached.set()
        assert self._open.wait(20), "nobody opened the gate"

    def open(self):
        self._open.set()


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def events_of():
    """Follow the events of a system that the test makes itself."""
    probes = []

    def follow(system):
        probes.append(EventProbe(system.events))
        return probes[-1]

    yield follow
    for probe in probes:
        probe.close()
