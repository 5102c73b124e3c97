"""A message that fails one life after another is a dead letter in the end, and takes no other message with it."""

import pytest

from actors.runtime import Actor
from actors.runtime.errors import ActorFailedError, SpecError

PATIENCE_S = 10.0


class Poisoned(Actor):
    """Fails on what it is told is poison."""

    def __init__(self, log):
        self.log = log

    def on_receive(self, message):
        self.log.append((self.context.incarnation, message))
        if message == "poison" or (message == "twice" and self.context.incarnation < 3):
            raise ZeroDivisionError
        return self.context.incarnation


class Patient(Poisoned):
    attempts = 3


class PatientPinned(Patient):
    dispatcher = "pinned"


class PatientAsync(Patient):
    dispatcher = "async"

    async def on_receive(self, message):
        return super().on_receive(message)


class PatientInline(Patient):
    inline = True


KINDS = [Patient, PatientPinned, PatientAsync, PatientInline]
of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@pytest.fixture
def log():
    return []


def test_by_default_one_life_fails_on_a_message_and_the_asker_hears_why(system, log):
    ref = system.spawn(Poisoned, name="poisoned", args=(log,))

    with pytest.raises(ActorFailedError, match="failed on str: ZeroDivisionError") as failed:
        ref.ask("poison")

    assert isinstance(failed.value.__cause__, ZeroDivisionError)
    assert ref.ask("fine", timeout=PATIENCE_S) == 2
    assert log == [(1, "poison"), (2, "fine")]


@of_each_kind
def test_poison_is_tried_in_as_many_lives_as_allowed_and_is_one_dead_letter(system, log, kind):
    ref = system.spawn(kind, name="poisoned", args=(log,))

    with pytest.raises(ActorFailedError):
        ref.ask("poison", timeout=PATIENCE_S)

    assert ref.ask("fine", timeout=PATIENCE_S) == 4
    assert log == [(1, "poison"), (2, "poison"), (3, "poison"), (4, "fine")]
    (letter,) = system.dead_letters.snapshot()
    assert (letter.path, letter.message) == ("/poisoned", "'poison'")
    assert "in 3 lives" in letter.reason
    assert "ZeroDivisionError" in letter.reason


@of_each_kind
def test_a_message_that_a_later_life_can_handle_is_answered_by_it(system, log, kind):
    ref = system.spawn(kind, name="poisoned", args=(log,))

    assert ref.ask("twice", timeout=PATIENCE_S) == 3
    assert system.dead_letters.count == 0


def test_what_waits_behind_poison_is_handled_after_it_in_order(system, log, gate):
    class Gated(Patient):
        def on_receive(self, message):
            if message == "wait":
                gate.wait()
                return None
            return super().on_receive(message)

    ref = system.spawn(Gated, name="poisoned", args=(log,))
    for message in ("wait", "a", "poison", "b", "c"):
        ref.tell(message)
    assert gate.reached.wait(PATIENCE_S)
    gate.open()

    assert ref.ask("last", timeout=PATIENCE_S) == 4
    assert [message for _, message in log] == ["a", "poison", "poison", "poison", "b", "c", "last"]
    assert [letter.message for letter in system.dead_letters.snapshot()] == ["'poison'"]


def test_a_declared_error_costs_no_life_and_no_attempt(system, log):
    class Declares(Patient):
        expected_errors = (ZeroDivisionError,)

    ref = system.spawn(Declares, name="declares", args=(log,))

    with pytest.raises(ZeroDivisionError):
        ref.ask("poison")

    assert log == [(1, "poison")]
    assert system.dead_letters.count == 0


def test_by_pykkas_rule_an_ask_fails_no_life_and_a_tell_does(system, log):
    class LikePykka(Poisoned):
        ask_failure = "reply"

    ref = system.spawn(LikePykka, name="pykka", args=(log,))

    with pytest.raises(ZeroDivisionError):
        ref.ask("poison")
    assert ref.ask("fine") == 1

    ref.tell("poison")
    assert ref.ask("fine", timeout=PATIENCE_S) == 2


@pytest.mark.parametrize("attempts", [0, -1, 1.5, True, None])
def test_attempts_that_are_no_count_are_refused(attempts):
    with pytest.raises(SpecError, match="attempts"):
        type("Wrong", (Actor,), {"attempts": attempts})
