"""Processes that are started beforehand: a node begins in one of them, and they are nobody's burden."""

import os
import signal

import pytest

from actors.runtime import ActorSystem
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant
from tests.support.process_ends import gone


@pytest.fixture
def system():
    with ActorSystem("t", spares=1) as system:
        yield system


@pytest.fixture
def events(system):
    probe = EventProbe(system.events)
    yield probe
    probe.close()


def next_spare(events):
    return events.expect("node.spare_started").fields["pid"]


def test_the_first_node_begins_in_a_process_that_was_started_before_it(system, events):
    ref = system.spawn(Servant, name="s", process=True)

    assert ref.ask(["who"])["pid"] == next_spare(events)


def test_a_killed_node_goes_on_in_the_process_that_was_kept_ready(system, events):
    ref = system.spawn(Servant, name="s", process=True)
    next_spare(events)
    spare = next_spare(events)

    os.kill(ref.ask(["who"])["pid"], signal.SIGKILL)
    events.expect("actor.restarted", "/s", incarnation=2)

    assert ref.ask(["who"])["pid"] == spare


def test_a_spare_that_dies_is_replaced_and_nobody_begins_in_the_dead_one(system, events):
    ref = system.spawn(Servant, name="s", process=True)
    next_spare(events)
    spare = next_spare(events)

    os.kill(spare, signal.SIGKILL)

    assert events.expect("node.spare_died").fields["pid"] == spare
    another = next_spare(events)
    os.kill(ref.ask(["who"])["pid"], signal.SIGKILL)
    events.expect("actor.restarted", "/s", incarnation=2)
    assert ref.ask(["who"])["pid"] == another


def test_spares_are_gone_once_the_system_has_stopped():
    system = ActorSystem("t", spares=2)
    events = EventProbe(system.events)
    system.spawn(Servant, name="s", process=True)
    spares = {next_spare(events) for _ in range(2)}
    events.close()

    system.stop()

    gone(spares)
