"""Corner cases of starts: children that fail, hang, vanish or run out of memory before, while and after they become ready."""

import threading
import time

import pytest

from actors.runtime import Backoff, ChildSpec
from actors.runtime.errors import DeliveryError, StartError
from tests.support.actors_for_tests import Servant
from tests.support.process_ends import wait_until
from tests.support.villains import Villain

ANSWERS_S = 2.0
"""Far below the bound of any start here."""


def begin(call):
    """Carry out `call` on a thread; gives the thread and the list that its error ends up in."""
    errors = []

    def run():
        try:
            call()
        except (StartError, DeliveryError, OSError) as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, errors


def test_a_node_that_never_starts_again_is_tried_after_growing_delays_and_then_parked(system, events):
    backoff = Backoff(min=0.02, max=0.03, jitter=0)
    ref = system.spawn(ChildSpec("s", Servant, kwargs={"lives": ["ok", "raise"]}, process=True, backoff=backoff))

    ref.tell(["exit", 3])

    events.expect("actor.exited", "/s", incarnation=1, reason="failed")
    for incarnation, delay_s in [(2, 0.02), (3, 0.03)]:
        events.expect("actor.exited", "/s", incarnation=incarnation, reason="start_failed", error="OSError: cannot start today")
        events.expect("actor.restart_scheduled", "/s", delay_s=delay_s)
    events.expect("actor.parked", "/s", restarts=4)
    shown = system.snapshot().root.find("/s")
    assert (shown.state, shown.incarnation, shown.restarts, shown.pid) == ("parked", 4, 3, None)
    assert shown.last_exit.error == "OSError: cannot start today"


def test_a_node_that_hangs_at_its_start_keeps_nobody_else_waiting(system):
    other = system.spawn(Servant, name="other", process=True)
    spawner, errors = begin(
        lambda: system.spawn(Servant, name="s", kwargs={"lives": ["hang"]}, process=True, start_timeout=60.0, shutdown=0.2)
    )
    wait_until(lambda: system.snapshot().root.find("/s") is not None)
    began = time.monotonic()

    assert system.snapshot().root.find("/s").state == "starting"
    assert other.ask(["who"])["path"] == "/other"
    assert system.spawn(Servant, name="third").ask(["who"])["path"] == "/third"
    system.remove("third")
    system.remove("s")

    assert time.monotonic() - began < ANSWERS_S
    spawner.join(5)
    assert len(errors) == 1


def test_who_asks_a_node_that_ends_before_it_is_registered_is_told_so_and_no_entry_is_left(system):
    spawner, errors = begin(lambda: system.spawn(Servant, name="s", kwargs={"lives": ["hang"]}, process=True, start_timeout=1.0))
    wait_until(lambda: system.snapshot().root.find("/s") is not None)
    ref = system.ref("/s")
    asked, refused = [], []
    while spawner.is_alive():
        try:
            asked.append(ref.ask(["who"], timeout=None, block=False))
        except DeliveryError as error:
            refused.append(error)
        spawner.join(0.05)

    assert asked or refused
    assert len(errors) == 1
    for future in asked:
        with pytest.raises(DeliveryError):
            future.get(ANSWERS_S)
    assert system.snapshot().root.find("/s") is None
    assert system.find("/s") == ()
    assert system.spawn(Servant, name="s", process=True).ask(["who"])["incarnation"] > 1


def test_memory_that_runs_out_is_told_apart_from_other_ends(system, events):
    ref = system.spawn(Villain, name="s", process=True)

    ref.tell(["hog"])

    events.expect("actor.restarted", "/s", incarnation=2)
    ended = system.snapshot().root.find("/s").last_exit
    assert (ended.reason, ended.signal) == ("failed", None)
    assert ended.error.startswith("MemoryError")
