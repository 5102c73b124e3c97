"""A ref and an actor itself stop the actor for good, behind what waits in its mailbox."""

import asyncio

import pytest

from actors.runtime import ThreadingActor
from actors.runtime.errors import AskCycleError, AskTimeoutError, NoSuchActorError, RejectedError, TerminatedError, UsageError
from tests.support.pykka_programs.keeper import Keeper


@pytest.mark.parametrize("restart", ["permanent", "transient", "temporary"])
def test_a_stop_is_for_good_whatever_the_restart_type(system, restart):
    ref = system.spawn(Keeper, name="keeper", restart=restart)

    assert ref.stop() is True
    assert not ref.is_alive()
    assert ref.stop() is False
    with pytest.raises(NoSuchActorError):
        ref.tell("x")


@pytest.mark.parametrize("restart", ["permanent", "temporary"])
def test_an_actor_stops_itself_for_good_behind_what_waits(system, restart, gate):
    log = []
    ref = system.spawn(Keeper, name="keeper", args=(log,), restart=restart)

    def stop(self):
        gate.wait()
        self.stop()

    ref.tell(stop)
    assert gate.reached.wait(5)
    last = ref.ask(lambda self: list(self.kept), block=False)
    gate.open()

    assert last.get(5) == []
    ref.stop()
    assert not ref.is_alive()


@pytest.mark.parametrize("overflow", ["reject", "block", "drop_oldest", "drop_newest"])
def test_an_actor_whose_mailbox_has_no_room_stops_itself_all_the_same(system, gate, overflow):
    small = type("Small", (Keeper,), {"mailbox_capacity": 1, "overflow": overflow})
    ref = system.spawn(small, name="small")

    def stop(self):
        gate.wait()
        self.stop()

    ref.tell(stop)
    assert gate.reached.wait(5)
    waiting = ref.ask("waits", block=False)
    gate.open()

    with pytest.raises((TerminatedError, RejectedError)):
        waiting.get(5)
    ref.stop()
    assert not ref.is_alive()


def test_a_stop_that_finds_no_room_says_so(system, gate):
    small = type("Small", (Keeper,), {"mailbox_capacity": 1})
    ref = system.spawn(small, name="small")
    ref.tell(lambda _: gate.wait())
    assert gate.reached.wait(5)
    ref.tell("waits")

    with pytest.raises(RejectedError, match="full"):
        ref.stop()
    gate.open()


def test_a_stop_that_is_not_waited_for_any_longer_is_carried_out(system, gate):
    ref = system.spawn(Keeper, name="keeper")
    ref.tell(lambda _: gate.wait())
    assert gate.reached.wait(5)

    with pytest.raises(AskTimeoutError):
        ref.stop(timeout=0.01)
    gate.open()

    assert ref.stop(block=False).get(5) in (True, False)
    assert not ref.is_alive()


def test_two_stops_at_once_both_find_somebody(system, gate):
    ref = system.spawn(Keeper, name="keeper")
    ref.tell(lambda _: gate.wait())
    assert gate.reached.wait(5)
    stops = [ref.stop(block=False) for _ in range(2)]
    late = ref.ask("late", block=False)
    gate.open()

    assert [stop.get(5) for stop in stops] == [True, True]
    with pytest.raises(TerminatedError):
        late.get(5)


def test_an_actor_that_waits_for_its_own_stop_is_told_so_at_once(system):
    ref = system.spawn(Keeper, name="keeper")

    def stop_oneself(self):
        with pytest.raises(AskCycleError):
            self.actor_ref.stop()
        return "told"

    assert ref.ask(stop_oneself) == "told"


def test_a_stop_on_an_event_loop_is_awaited(system):
    ref = system.spawn(Keeper, name="keeper")

    async def stop():
        with pytest.raises(UsageError):
            ref.stop()
        return await ref.stop(block=False)

    assert asyncio.run(stop()) is True


def test_an_on_stop_that_fails_is_a_stop(system):
    class Stubborn(ThreadingActor):
        def on_stop(self):
            raise ValueError("not now")

    assert system.spawn(Stubborn, name="stubborn").stop() is True


def test_the_root_is_not_stopped_by_a_ref(system):
    system.begin().get(5)

    with pytest.raises(RejectedError, match=r"/ is at the top of its process"):
        system.ref("/").stop()


def test_a_proxy_stops_its_actor(system):
    ref = system.spawn(Keeper, name="keeper")

    ref.proxy().stop().get(5)
    ref.stop()

    assert not ref.is_alive()
