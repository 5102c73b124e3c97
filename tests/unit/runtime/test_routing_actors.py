"""A router before running actors: typed asks, order, and who is passed over."""

import asyncio

from actors.runtime import Actor, Request
from actors.runtime.routing.router import Router
from actors.runtime.routing.strategies import LeastLoaded, RoundRobin


class Keeper(Actor):
    """Keeps what it is told; an ask for "kept" gives it, and any other message that waits in a gate holds it up."""

    mailbox_capacity = 1

    def __init__(self):
        self.kept = []

    def on_receive(self, message):
        if message == "kept":
            return self.kept
        if hasattr(message, "wait"):
            message.wait()
        else:
            self.kept.append(message)
        return self.context.path


class Roomy(Keeper):
    mailbox_capacity = 10_000


class Double(Request[int]):
    number: int


class Doubler(Actor):
    messages = (Double,)

    def on_receive(self, message):
        return message.number * 2


def test_an_ask_gives_the_answer_of_a_typed_request(system):
    router = Router([system.spawn(Doubler, name=name) for name in "ab"], RoundRobin())

    assert [router.ask(Double(number)) for number in range(4)] == [0, 2, 4, 6]
    assert router.ask(Double(21), block=False).get(10) == 42


def test_messages_of_one_sender_reach_each_routee_in_order(system):
    refs = [system.spawn(Roomy, name=name) for name in "ab"]
    router = Router(refs, RoundRobin())
    for number in range(1000):
        router.tell(number)

    assert [ref.ask("kept") for ref in refs] == [list(range(0, 1000, 2)), list(range(1, 1000, 2))]


def test_a_full_mailbox_is_passed_over(system, gate):
    full, free = system.spawn(Keeper, name="full"), system.spawn(Keeper, name="free")
    full.tell(gate)
    assert gate.reached.wait(10)
    full.tell("fills it")
    router = Router([full, free], RoundRobin())

    assert [router.ask("m") for _ in range(4)] == ["/free"] * 4


def test_an_actor_that_is_gone_is_passed_over(system):
    refs = [system.spawn(Keeper, name=name) for name in "ab"]
    router = Router(refs, RoundRobin())
    system.remove("a")

    assert [router.ask("m") for _ in range(4)] == ["/b"] * 4


def test_least_loaded_leaves_a_busy_actor_alone(system, gate):
    busy, idle = system.spawn(Roomy, name="busy"), system.spawn(Roomy, name="idle")
    busy.tell(gate)
    assert gate.reached.wait(10)
    busy.tell("waits")
    router = Router([busy, idle], LeastLoaded())

    assert [router.ask("m") for _ in range(4)] == ["/idle"] * 4


def test_an_ask_can_be_awaited(system):
    router = Router([system.spawn(Doubler, name="a")], LeastLoaded())

    async def ask():
        return await router.ask(Double(4), block=False)

    assert asyncio.run(ask()) == 8
