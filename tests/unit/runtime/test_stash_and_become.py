"""An actor may put messages aside and handle them later, in order, and may change how it handles them."""

import threading

import pytest

from actors.runtime import Actor
from actors.runtime.errors import ActorFailedError, RejectedError, TerminatedError, UsageError
from actors.runtime.testing import EventProbe

PATIENCE_S = 10.0


class Door(Actor):
    """Lets nobody in before it is open."""

    def __init__(self):
        self.seen = []
        self.is_open = False

    def on_receive(self, message):
        if message == "fail":
            raise ZeroDivisionError
        if message == "open":
            self.is_open = True
            self.context.unstash_all()
            return None
        if not self.is_open:
            self.context.stash()
            return "not the answer"
        self.seen.append(message)
        return list(self.seen)


class AsyncDoor(Door):
    dispatcher = "async"

    async def on_receive(self, message):
        return super().on_receive(message)


class PinnedDoor(Door):
    dispatcher = "pinned"


@pytest.mark.parametrize("door", [Door, PinnedDoor, AsyncDoor])
def test_what_was_put_aside_is_handled_in_order_before_what_came_later(system, door):
    ref = system.spawn(door, name="door")
    for message in ("a", "b"):
        ref.tell(message)

    ref.tell("open")
    ref.tell("c")

    assert ref.ask("d") == ["a", "b", "c", "d"]


@pytest.mark.parametrize("door", [Door, PinnedDoor, AsyncDoor])
def test_an_ask_that_was_put_aside_is_answered_once_it_is_handled(system, door):
    ref = system.spawn(door, name="door")
    asked = ref.ask("a", block=False)
    ref.ask("open")

    assert asked.get(PATIENCE_S) == ["a"]


def test_what_is_aside_when_a_life_fails_is_handled_by_the_next(system):
    ref = system.spawn(Door, name="door")
    asked = [ref.ask(message, block=False) for message in ("a", "b")]

    ref.tell("fail")
    ref.tell("open")

    assert [one.get(PATIENCE_S) for one in asked] == [["a"], ["a", "b"]]


def test_what_is_aside_when_the_actor_is_stopped_is_undeliverable(system):
    ref = system.spawn(Door, name="door")
    asked = ref.ask("asked", block=False)
    ref.tell("told")
    ref.proxy().seen.get(PATIENCE_S)

    system.remove("door")

    with pytest.raises(TerminatedError):
        asked.get(PATIENCE_S)
    assert [letter.message for letter in system.dead_letters.snapshot()] == ["'told'"]


def test_as_many_may_be_aside_as_the_mailbox_may_hold(system):
    class Small(Door):
        mailbox_capacity = 2

    ref = system.spawn(Small, name="small")
    for message in ("a", "b"):
        ref.ask(message, block=False)
        ref.proxy().seen.get(PATIENCE_S)

    with pytest.raises(RejectedError, match="the stash is full"):
        ref.ask("c")


def test_a_message_can_be_put_aside_once(system):
    class Twice(Actor):
        def on_receive(self, message):
            self.context.stash()
            try:
                self.context.stash()
            except UsageError as error:
                self.context.publish("twice.refused", reason=str(error))

    ref, events = system.spawn(Twice, name="twice"), EventProbe(system.events)
    ref.tell("a")

    assert "none here" in events.expect("twice.refused").fields["reason"]
    events.close()


def test_nothing_can_be_put_aside_outside_of_the_handler(moody):
    context = moody.proxy().context.get(PATIENCE_S)

    with pytest.raises(UsageError, match="none here"):
        context.stash()


def test_a_handler_that_fails_after_it_has_put_its_message_aside_does_not_lose_it(system):
    class FailsOnce(Actor):
        def on_receive(self, message):
            if self.context.incarnation == 1:
                self.context.stash()
                raise ZeroDivisionError
            return self.context.incarnation

    ref = system.spawn(FailsOnce, name="fails")

    assert ref.ask("a", timeout=PATIENCE_S) == 2
    assert system.dead_letters.count == 0


class Moody(Actor):
    """Changes its mind about how to handle what comes."""

    def on_receive(self, message):
        match message:
            case "sulk":
                self.context.become(self.sulk)
            case "unbecome":
                self.context.unbecome()
        return f"happy: {message}"

    def sulk(self, message):
        match message:
            case "cheer up":
                self.context.unbecome()
            case "weep":
                self.context.become(self.weep)
            case "fail":
                raise ZeroDivisionError
        return f"sulking: {message}"

    def weep(self, message):
        if message == "enough":
            self.context.unbecome()
        return f"weeping: {message}"

    def path(self):
        return self.context.path


@pytest.fixture
def moody(system):
    return system.spawn(Moody, name="moody")


def test_a_new_handler_counts_from_the_next_message_on(moody):
    assert [moody.ask(message) for message in ("hi", "sulk", "hi")] == ["happy: hi", "happy: sulk", "sulking: hi"]


def test_handlers_are_taken_back_in_the_reverse_order(moody):
    for message in ("sulk", "weep"):
        moody.ask(message)

    answers = [moody.ask(message) for message in ("enough", "cheer up", "hi")]
    assert answers == ["weeping: enough", "sulking: cheer up", "happy: hi"]


def test_a_proxys_calls_are_handled_as_ever(moody):
    moody.ask("sulk")

    assert moody.proxy().path().get(PATIENCE_S) == "/moody"


def test_a_new_life_begins_with_on_receive(moody):
    moody.ask("sulk")
    with pytest.raises(ActorFailedError):
        moody.ask("fail")

    assert moody.ask("hi", timeout=PATIENCE_S) == "happy: hi"


def test_taking_back_what_was_never_there_is_a_usage_error(moody):
    with pytest.raises(ActorFailedError, match="without a become") as failed:
        moody.ask("unbecome")

    assert isinstance(failed.value.__cause__, UsageError)


def test_an_async_actor_may_become_a_coroutine(system):
    class AsyncMoody(Actor):
        dispatcher = "async"

        async def on_receive(self, message):
            self.context.become(self.other)
            return "first"

        async def other(self, message):
            return "other"

    ref = system.spawn(AsyncMoody, name="moody")

    assert [ref.ask("hi"), ref.ask("hi")] == ["first", "other"]


@pytest.mark.parametrize("inline", [False, True])
def test_an_error_after_a_message_was_put_aside_answers_nobody_and_the_message_is_answered_when_it_is_handled(system, inline):
    class Hesitating(Door):
        expected_errors = (LookupError,)

        def on_receive(self, message):
            answer = super().on_receive(message)
            if not self.is_open:
                raise LookupError("not yet")
            return answer

    Hesitating.inline = inline
    ref = system.spawn(Hesitating, name="door")
    events = EventProbe(system.events)
    answers = []
    asker = threading.Thread(target=lambda: answers.append(ref.ask("a", timeout=PATIENCE_S)))
    asker.start()
    events.expect("actor.error_unobserved", "/door", error="LookupError: not yet")

    ref.tell("open")
    asker.join(PATIENCE_S)
    events.close()

    assert answers == [["a"]]
