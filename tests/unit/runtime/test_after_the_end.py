"""A system that has ended begins nothing any more, and whoever still uses it is told so."""

import gc
import threading

import pytest

from actors.runtime import Actor, ActorSystem
from actors.runtime.errors import ActorRuntimeError, UsageError

PATIENCE_S = 10.0
KINDS = ["shared", "pinned", "async"]


class Fails(Actor):
    expected_errors = (KeyError,)

    def on_receive(self, message):
        if message == "fail":
            raise KeyError(message)
        return message


def ended(how):
    system = ActorSystem("ended")
    system.begin().get(PATIENCE_S)
    ref = system.spawn(Fails, name="fails")
    assert ref.ask("before", timeout=PATIENCE_S) == "before"
    getattr(system, how)()
    return system, ref


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["close", "stop"])
def test_nothing_is_spawned_in_a_system_that_has_ended(how, kind):
    system, _ = ended(how)
    before = threading.active_count()

    with pytest.raises(UsageError, match="has been stopped"):
        system.spawn(Fails, name="late", dispatcher=kind)

    assert threading.active_count() == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_system_that_was_never_begun_and_is_closed_begins_nothing(kind):
    system = ActorSystem("never")
    system.close()
    before = threading.active_count()

    with pytest.raises(UsageError, match="has been stopped"):
        system.spawn(Fails, name="late", dispatcher=kind)

    assert threading.active_count() == before


@pytest.mark.parametrize("how", ["close", "stop"])
def test_an_error_that_nobody_collected_starts_no_thread_in_a_system_that_has_ended(how):
    system = ActorSystem("ended")
    system.begin().get(PATIENCE_S)
    asked = system.spawn(Fails, name="fails").ask("fail", block=False)
    resolved = threading.Event()
    asked.add_done_callback(lambda _: resolved.set())
    assert resolved.wait(PATIENCE_S)
    getattr(system, how)()
    before = threading.active_count()

    del asked
    gc.collect()

    assert threading.active_count() == before


def test_who_asks_a_system_that_has_ended_is_told_so_at_once():
    _, ref = ended("stop")

    with pytest.raises(ActorRuntimeError):
        ref.ask("late", timeout=None)
