"""A system of the test's own process, in real time and in fake time, and the events of each."""

import pytest

from actors.runtime import ActorSystem
from actors.runtime.testing import EventProbe, FakeClock, SteppingSystem


@pytest.fixture
def system():
    with ActorSystem("faults") as system:
        yield system


@pytest.fixture
def events(system):
    probe = EventProbe(system.events)
    yield probe
    probe.close()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def stepping(clock):
    with SteppingSystem(clock=clock) as stepping:
        yield stepping


@pytest.fixture
def types_at():
    """Give the types of the events at a path, oldest first."""

    def types_at(system, path, *types):
        return [event.type for event in system.events.since(0) if event.path == path and (not types or event.type in types)]

    return types_at


@pytest.fixture
def run_dir(tmp_path_factory):
    """A folder whose path leaves room for sockets."""
    return tmp_path_factory.mktemp("w")
