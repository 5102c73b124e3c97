"""A life ends whatever happens meanwhile: its timers fire, its stash cannot go back, its actor asked for the end itself."""

import asyncio
import threading
import weakref

import pytest

from actors.runtime import Actor, ActorSystem
from actors.runtime.clock import SystemClock
from actors.runtime.errors import ActorRuntimeError
from actors.runtime.timers import Timers

PATIENCE_S = 10.0
KINDS = ["shared", "pinned", "async"]
of_each_kind = pytest.mark.parametrize("kind", KINDS)


class Obeys(Actor):
    """Calls what it is told with itself."""

    def on_receive(self, message):
        return message(self) if callable(message) else message


def fail(_):
    raise ZeroDivisionError


class Fires:
    """A message that lets a timer fire as soon as nobody holds it any more: in the midst of what lets go of it."""

    def __init__(self, timer):
        self._timer = timer

    def __del__(self):
        self._timer.fire()


@of_each_kind
def test_timers_that_fire_while_their_life_ends_do_not_keep_the_next_one_from_beginning(system, events, kind):
    ref = system.spawn(Obeys, name="obeys", dispatcher=kind)

    def set_timers(actor):
        later = [actor.context.tell_later(600, "tick") for _ in range(10)]
        for timer in later:
            actor.context.tell_later(600, Fires(timer))

    ref.ask(set_timers)
    ref.tell(fail)

    events.expect("actor.restarted", "/obeys", incarnation=2)
    assert ref.ask("after", timeout=PATIENCE_S) == "after"


@of_each_kind
def test_timers_that_are_over_are_not_kept_for_the_whole_life(system, kind):
    ref = system.spawn(Obeys, name="obeys", dispatcher=kind)

    class Tick:
        pass

    def set_and_cancel(actor):
        ticks = []
        for _ in range(500):
            tick = Tick()
            ticks.append(weakref.ref(tick))
            actor.context.tell_later(600, tick).cancel()
        del tick
        return len(actor.context._timers), sum(tick() is not None for tick in ticks)

    kept, alive = ref.ask(set_and_cancel, timeout=PATIENCE_S)

    assert kept < 100
    assert alive == 0


class AtOnce(Timers):
    """Timers whose thread is as quick as a thread may be: what is due has fired before the asker goes on."""

    def expect(self, appointment, deadline, delay_s):
        if delay_s == 0:
            self._call(appointment.fire)
        else:
            super().expect(appointment, deadline, delay_s)


def test_a_timer_may_fire_before_its_asker_has_it(events_of):
    with ActorSystem("quick", timers=AtOnce(SystemClock())) as system:
        events = events_of(system)

        class Ticks(Actor):
            def on_receive(self, message):
                if message == "go":
                    return self.context.tell_later(0, "tick").is_over
                self.context.publish("timer.told")
                return None

        assert system.spawn(Ticks, name="ticks").ask("go", timeout=PATIENCE_S)
        events.expect("timer.told", "/ticks")


class Ranked(Actor):
    """Puts a message aside and changes it, so that its priority can be told no more."""

    @classmethod
    def priority_of(cls, message):
        return -len(message["rank"])

    def on_receive(self, message):
        if message["what"] == "put aside":
            del message["rank"]
            self.context.stash()
        elif message["what"] == "fail":
            raise ZeroDivisionError
        return message["what"]


def test_what_cannot_go_back_into_the_mailbox_does_not_keep_the_next_life_from_beginning(system, events):
    ref = system.spawn(Ranked, name="ranked")
    aside = ref.ask({"what": "put aside", "rank": "a"}, block=False, timeout=PATIENCE_S)

    ref.tell({"what": "fail", "rank": "b"})

    events.expect("actor.restarted", "/ranked", incarnation=2)
    assert ref.ask({"what": "after", "rank": "c"}, timeout=PATIENCE_S) == "after"
    with pytest.raises((ActorRuntimeError, KeyError)):
        aside.get(PATIENCE_S)


def stop_and_fail(actor):
    actor.stop()
    raise ZeroDivisionError


@of_each_kind
def test_an_actor_that_asks_for_its_stop_and_fails_then_begins_a_life_that_takes_messages(system, events, gate, kind):
    """The stop was of the life that has failed: it must not close the mailbox under the next one."""
    ref = system.spawn(Obeys, name="obeys", dispatcher=kind)
    ref.tell(lambda _: gate.wait())
    assert gate.reached.wait(PATIENCE_S)
    ref.tell(stop_and_fail)
    behind = ref.ask("behind", block=False, timeout=PATIENCE_S)
    gate.open()

    assert behind.get(PATIENCE_S) == "behind"
    events.expect("actor.restarted", "/obeys", incarnation=2)
    assert ref.ask("after", timeout=PATIENCE_S) == "after"


class Stubborn(Actor):
    """Its second life blocks the loop while it begins; the third one awaits something."""

    dispatcher = "async"
    gate = None

    async def on_start(self):
        if self.context.incarnation == 2:
            self.gate.wait()
        else:
            await asyncio.sleep(0)

    async def on_receive(self, message):
        if message == "fail":
            raise ZeroDivisionError
        return self.context.incarnation


def test_a_life_that_is_given_up_takes_its_successor_not_along(system, gate):
    """The task that ran it may run the next one by the time that the loop comes to cancel it."""
    ref = system.spawn(type("StubbornNow", (Stubborn,), {"gate": gate}), name="stubborn", shutdown=0.01)
    cell = system._parts.registry.find("/stubborn")
    ref.tell("fail")
    assert gate.reached.wait(PATIENCE_S)

    cell.abandon("a test gives it up")
    cell.start(3)
    gate.open()

    assert ref.ask("which", timeout=PATIENCE_S) == 3


@of_each_kind
def test_what_comes_after_a_life_was_given_up_waits_for_the_next_one(system, gate, kind):
    ended = threading.Event()

    class Hangs(Obeys):
        def on_failure(self, *_):
            ended.set()

    ref = system.spawn(Hangs, name="hangs", dispatcher=kind, shutdown=0.01)
    cell = system._parts.registry.find("/hangs")
    ref.tell(lambda _: gate.wait())
    assert gate.reached.wait(PATIENCE_S)
    cell.abandon("a test gives it up")
    gate.open()
    assert ended.wait(PATIENCE_S)

    asked = [ref.ask(number, block=False, timeout=PATIENCE_S) for number in range(10)]
    cell.start(2)

    assert [one.get(PATIENCE_S) for one in asked] == list(range(10))


@of_each_kind
def test_a_start_that_is_still_to_come_begins_nothing_in_an_actor_that_was_let_go_of(system, gate, kind):
    """A supervisor that ends lets go of its children without waiting for their turns."""
    lives = []

    class Counted(Obeys):
        def on_start(self):
            lives.append(self.context.incarnation)

    ref = system.spawn(Counted, name="counted", dispatcher=kind, shutdown=0.01)
    cell = system._parts.registry.find("/counted")
    ref.tell(lambda _: gate.wait())
    assert gate.reached.wait(PATIENCE_S)
    cell.start(2)
    cell.release()
    gate.open()
    system.remove("counted")

    assert lives == [1]
    with pytest.raises(ActorRuntimeError):
        ref.ask("late", timeout=None)
