"""An actor's own timers tell it things later, in its own order, and end with the life that set them."""

import pytest

from actors.runtime import Actor
from actors.runtime.errors import ActorFailedError, UsageError

PATIENCE_S = 10.0


class Ticks(Actor):
    """Publishes what it is told by its timers."""

    def on_receive(self, message):
        match message:
            case ("later", delay_s, what):
                self.timer = self.context.tell_later(delay_s, what)
            case ("every", interval_s, what):
                self.timer = self.context.tell_every(interval_s, what)
            case "cancel":
                self.timer.cancel()
            case "fail":
                raise ZeroDivisionError
            case what:
                self.context.publish("timer.told", what=what, incarnation=self.context.incarnation)
                return self.context.incarnation
        return None


@pytest.fixture
def ticks(system):
    return system.spawn(Ticks, name="ticks")


def test_a_message_is_told_once_after_its_delay(ticks, events):
    ticks.ask(("later", 0.02, "second"))
    ticks.ask(("later", 0.01, "first"))

    assert [events.expect("timer.told", "/ticks").fields["what"] for _ in range(2)] == ["first", "second"]


def test_a_message_is_told_again_and_again(ticks, events):
    ticks.ask(("every", 0.002, "tick"))

    for _ in range(5):
        events.expect("timer.told", "/ticks", what="tick")


@pytest.mark.parametrize("kind", ["later", "every"])
def test_a_timer_that_was_cancelled_tells_nothing(ticks, events, kind):
    ticks.ask((kind, 0.01, "cancelled"))
    ticks.ask("cancel")
    ticks.ask(("later", 0.03, "kept"))

    said = []
    while "kept" not in said:
        said.append(events.expect("timer.told", "/ticks").fields["what"])
    # It may have been told in the few milliseconds before it was cancelled.
    assert said.count("cancelled") <= 1


@pytest.mark.parametrize("end", ["fail", "remove"])
@pytest.mark.parametrize("kind", ["later", "every"])
def test_a_timer_ends_with_the_life_that_set_it(system, ticks, kind, end):
    ticks.ask((kind, 600.0, "of the first life"))
    timer = ticks.proxy().timer.get(PATIENCE_S)
    assert not timer.is_over

    if end == "fail":
        with pytest.raises(ActorFailedError):
            ticks.ask("fail")
        assert ticks.ask("of the second life", timeout=PATIENCE_S) == 2
    else:
        system.remove("ticks")

    assert timer.is_over


def test_what_a_life_that_is_over_asks_of_its_context_tells_nobody(ticks, events):
    """A thread that an earlier life has left behind must not disturb its successor."""
    context = ticks.proxy().context.get(PATIENCE_S)
    with pytest.raises(ActorFailedError):
        ticks.ask("fail")
    assert ticks.ask("of the second life", timeout=PATIENCE_S) == 2

    context.tell_later(0, "of the first life")
    context.fail(ZeroDivisionError("of the first life"))
    context.stop()
    ticks.ask(("later", 0.01, "last"))

    said = []
    while "last" not in said:
        said.append(events.expect("timer.told", "/ticks", incarnation=2).fields["what"])
    assert said == ["of the second life", "last"]


@pytest.mark.parametrize("interval_s", [0, -1, float("nan")])
def test_an_interval_that_is_no_time_is_refused(ticks, interval_s):
    with pytest.raises(ActorFailedError, match="more than 0 seconds") as failed:
        ticks.ask(("every", interval_s, "tick"))

    assert isinstance(failed.value.__cause__, UsageError)


def test_a_timer_that_finds_the_mailbox_full_says_so_and_goes_on(system, events, gate):
    class Full(Ticks):
        mailbox_capacity = 1

        def on_receive(self, message):
            if message == "wait":
                self.context.tell_every(0.002, "tick")
                gate.wait()
            else:
                super().on_receive(message)

    full = system.spawn(Full, name="full")
    full.tell("wait")
    events.expect("timer.rejected", "/full", message_type="str")
    events.expect("timer.rejected", "/full")

    gate.open()

    for _ in range(3):
        events.expect("timer.told", "/full", what="tick")
