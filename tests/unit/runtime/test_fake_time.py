"""A system goes by the clock that it is given, whatever that says and whoever moves it."""

import pytest

from actors.runtime import Actor, ActorSystem
from actors.runtime.errors import AskTimeoutError
from actors.runtime.testing import FakeClock

PATIENCE_S = 10.0


class Ticks(Actor):
    def on_receive(self, message):
        match message:
            case "later":
                self.context.tell_later(600, "tick")
            case "tick":
                self.context.publish("timer.told")
            case "put aside":
                self.context.stash()
            case "fail":
                raise ZeroDivisionError
        return message


@pytest.fixture
def system(clock):
    with ActorSystem("timed", clock=clock) as system:
        yield system


@pytest.mark.parametrize("clock", [FakeClock(0.0), FakeClock(-5.0)], ids=["zero", "below"])
def test_a_life_that_began_when_the_clock_said_nothing_has_been_running(system, events):
    system.spawn(Ticks, name="ticks").tell("fail")

    events.expect("actor.exited", "/ticks", incarnation=1, reason="failed")
    assert system.snapshot().root.find("/ticks") is not None


def test_a_timer_fires_when_the_clock_is_moved_to_its_time(system, events, clock):
    system.spawn(Ticks, name="ticks").ask("later", timeout=None)

    clock.advance(600)

    events.expect("timer.told", "/ticks")


def test_an_ask_times_out_when_the_clock_is_moved_to_its_deadline(system, clock):
    asked = system.spawn(Ticks, name="ticks").ask("put aside", timeout=600, block=False)

    clock.advance(600)

    with pytest.raises(AskTimeoutError):
        asked.get(PATIENCE_S)
