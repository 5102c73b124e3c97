"""Actors that wait for each other find out at once, on every dispatcher, and lose nothing but that ask."""

import asyncio
import threading

import pytest

from actors.runtime import Actor, first, gather
from actors.runtime.errors import AskCycleError

PATIENCE_S = 10.0


class Asks(Actor):
    """Asks whom it is told to, with the rest of the way; the last one gives its path."""

    def on_receive(self, way):
        if not way:
            return self.context.path
        try:
            return way[0].ask(way[1:], timeout=None)
        except AskCycleError as error:
            return f"cycle: {error}"


class AsksInline(Asks):
    inline = True


class AsksPinned(Asks):
    dispatcher = "pinned"


class AsksAsync(Asks):
    dispatcher = "async"

    async def on_receive(self, way):
        if not way:
            return self.context.path
        try:
            return await way[0].ask(way[1:], timeout=None, block=False)
        except AskCycleError as error:
            return f"cycle: {error}"


KINDS = [Asks, AsksInline, AsksPinned, AsksAsync]
of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def cycle_in(answer):
    """Give those who are named by the one who found out: whoever drew the last edge, which is up to the threads."""
    cycle, names = answer.split(": ")
    first, *others = names.split(" asks ")
    assert (cycle, others[-1]) == ("cycle", first)
    assert len(set(others)) == len(others)
    return set(others)


@of_each_kind
def test_an_actor_that_asks_itself_is_told_at_once(system, kind):
    ref = system.spawn(kind, name="a")

    assert ref.ask((ref,), timeout=PATIENCE_S) == "cycle: /a asks /a"


@of_each_kind
def test_two_that_ask_each_other_are_told_at_once(system, kind):
    first, second = (system.spawn(kind, name=name) for name in "ab")

    assert cycle_in(first.ask((second, first), timeout=PATIENCE_S)) == {"/a", "/b"}


@of_each_kind
def test_a_cycle_through_others_names_its_way(system, kind):
    refs = [system.spawn(kind, name=name) for name in "abcd"]

    assert cycle_in(refs[0].ask((*refs[1:], refs[0]), timeout=PATIENCE_S)) == {"/a", "/b", "/c", "/d"}


def test_a_cycle_over_all_dispatchers_is_found(system):
    refs = [system.spawn(kind, name=kind.__name__) for kind in KINDS]

    assert cycle_in(refs[0].ask((*refs[1:], refs[0]), timeout=PATIENCE_S)) == {ref.path for ref in refs}


@of_each_kind
def test_after_a_cycle_everybody_answers_as_before(system, kind):
    first, second = (system.spawn(kind, name=name) for name in "ab")
    first.ask((second, first), timeout=PATIENCE_S)

    assert first.ask((second,), timeout=PATIENCE_S) == "/b"
    assert second.ask((first,), timeout=PATIENCE_S) == "/a"
    assert first.ask(()) == "/a"


@of_each_kind
def test_a_way_that_comes_together_again_is_no_cycle(system, kind):
    last = system.spawn(kind, name="last")
    refs = [system.spawn(kind, name=name) for name in "ab"]

    assert refs[0].ask((refs[1], last), timeout=PATIENCE_S) == "/last"
    assert refs[0].ask((last,), timeout=PATIENCE_S) == "/last"


def test_two_that_begin_to_ask_each_other_at_once_do_not_both_wait(system):
    """Neither is first: the edges are drawn before the search, so at least one of them sees the other's."""
    first, second = (system.spawn(AsksPinned, name=name) for name in "ab")
    for _ in range(30):
        outcomes = [asker.ask((asked,), timeout=PATIENCE_S, block=False) for asker, asked in ((first, second), (second, first))]
        assert all(outcome.get(PATIENCE_S) for outcome in outcomes)


def test_an_ask_of_itself_that_is_not_waited_for_is_fine(system):
    class Later(Actor):
        def on_receive(self, message):
            if message == "begin":
                self.answer = self.context.ref.ask("later", block=False)
            return message

    ref = system.spawn(Later, name="later")
    ref.ask("begin")

    assert ref.proxy().answer.get(PATIENCE_S) == "later"


def test_a_thread_that_a_handler_started_may_ask_the_actor(system):
    """It holds nobody up: the handler goes on, and the actor answers when it has ended."""

    class Starts(Actor):
        def on_receive(self, message):
            if message == "begin":
                self.answers = []
                self.thread = threading.Thread(target=lambda: self.answers.append(self.context.ref.ask("from the thread")))
                self.thread.start()
            return message

    ref = system.spawn(Starts, name="starts")
    ref.ask("begin")
    thread = ref.proxy().thread.get(PATIENCE_S)
    thread.join(PATIENCE_S)

    assert ref.proxy().answers.get(PATIENCE_S) == ["from the thread"]


class Calls(Actor):
    """Calls what it is told with itself, and gives what that returns."""

    dispatcher = "pinned"

    def on_receive(self, message):
        return message(self)


def test_one_that_asks_the_first_of_two_does_not_wait_for_the_other(system, gate):
    """The slow one may ask it back: that is answered as soon as the quick one has."""
    asks, slow, quick = (system.spawn(Calls, name=name) for name in ("asks", "slow", "quick"))
    asked_back = []

    def ask_back(_):
        asked_back.append(asks.ask(lambda _: "back", timeout=PATIENCE_S, block=False))
        has_asked.release()
        return asked_back[0].get(PATIENCE_S)

    def wait_for_first(_):
        asked = [ref.ask(what, timeout=PATIENCE_S, block=False) for ref, what in ((slow, ask_back), (quick, answer))]
        return first(*asked).get(PATIENCE_S), asked[0]

    def answer(_):
        gate.wait()
        return "quick"

    has_asked = threading.Semaphore(0)
    outcome = asks.ask(wait_for_first, timeout=PATIENCE_S, block=False)
    assert has_asked.acquire(timeout=PATIENCE_S)
    gate.open()

    quickest, slower = outcome.get(PATIENCE_S)
    assert (quickest, slower.get(PATIENCE_S)) == ("quick", "back")


@pytest.mark.parametrize("place", [0, 1])
def test_one_that_asks_for_all_waits_for_each_of_them(system, place):
    """Whichever of them asks it back, they are told at once."""
    asks, other, back = (system.spawn(Calls, name=name) for name in ("asks", "other", "back"))

    def ask_back(_):
        try:
            return asks.ask(lambda _: "answered", timeout=None)
        except AskCycleError:
            return "told"

    def wait_for_all(_):
        asked = [ref.ask(what, timeout=None, block=False) for ref, what in ((other, lambda _: "other"), (back, ask_back))]
        try:
            return gather(*(asked if place else asked[::-1])).get()
        except AskCycleError:
            return "told"

    answer = asks.ask(wait_for_all, timeout=PATIENCE_S)

    assert "told" in answer


def test_one_that_has_its_answer_and_has_not_gone_on_yet_may_be_asked(system):
    """Both run on one loop, so that who has answered goes on before who was answered."""
    answers = []

    class Answers(Actor):
        dispatcher = "async"

        async def on_receive(self, message):
            if message == "question":
                self.context.ref.tell("ask")
                return "answer"
            answers.append(await asks.ask("asked back", timeout=PATIENCE_S, block=False))
            return None

    class Questions(Actor):
        dispatcher = "async"

        async def on_receive(self, message):
            return await ref.ask("question", timeout=PATIENCE_S, block=False) if message == "go" else message

    ref, asks = system.spawn(Answers, name="answers"), system.spawn(Questions, name="asks")

    assert asks.ask("go", timeout=PATIENCE_S) == "answer"
    ref.proxy().context.get(PATIENCE_S)
    assert answers == ["asked back"]


def test_a_concurrent_actor_that_is_asked_back_may_ask_a_second_time_meanwhile(system, events):
    class Concurrent(Actor):
        dispatcher = "async"
        concurrency = 4

        async def on_start(self):
            self.go = asyncio.Event()

        async def on_receive(self, message):
            match message:
                case "go":
                    self.go.set()
                case "back":
                    self.context.publish("asked.back")
                    await self.go.wait()
                    return "back"
                case _:
                    return await other.ask(message, timeout=PATIENCE_S, block=False)
            return None

    class Other(Actor):
        dispatcher = "async"

        async def on_receive(self, message):
            return await ref.ask("back", timeout=PATIENCE_S, block=False) if message == "call back" else message

    ref, other = system.spawn(Concurrent, name="concurrent"), system.spawn(Other, name="other")
    asked = [ref.ask("call back", timeout=PATIENCE_S, block=False)]
    events.expect("asked.back")
    asked.append(ref.ask("plain", timeout=PATIENCE_S, block=False))
    ref.tell("go")

    assert [one.get(PATIENCE_S) for one in asked] == ["back", "plain"]
