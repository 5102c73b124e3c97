"""What a router sends where, and what it does when a routee refuses: with refs that do as a test says."""

import asyncio
import sys
import threading

import pytest

from actors.runtime import Future
from actors.runtime.errors import (
    ActorFailedError,
    DeliveryError,
    NodeUnavailableError,
    NoSuchActorError,
    RejectedError,
    TerminatedError,
    UnsendableError,
    UsageError,
)
from actors.runtime.ref import ActorRef
from actors.runtime.routing.router import Router
from actors.runtime.routing.strategies import ConsistentHash, LeastLoaded, RoundRobin

REFUSALS = [NoSuchActorError("nobody"), NodeUnavailableError("away"), RejectedError("full")]
TRIES_OTHERS = [RoundRobin, LeastLoaded]
by_strategy = pytest.mark.parametrize("strategy", TRIES_OTHERS)
by_refusal = pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: type(error).__name__)


class ScriptedRef(ActorRef):
    """A ref to nobody. It keeps what it is told and asked, and shows `queued` as its mailbox; a test resolves the `asks`.

    With `raises`, it refuses each message with that error: a tell raises it, an ask has resolved with it already.
    """

    def __init__(self, path, raises=None, queued=0):
        self.path = path
        self.raises = raises
        self.queued = queued
        self.told = []
        self.asks = []

    def tell(self, message):
        if self.raises is not None:
            raise self.raises
        self.told.append(message)

    def ask(self, message, *, timeout=5.0, block=True):
        assert not block
        self.asks.append(Future())
        if self.raises is not None:
            self.asks[-1].set_error(self.raises)
        return self.asks[-1]

    def waiting(self):
        return self.queued


@pytest.fixture
def refs():
    return [ScriptedRef(f"/{name}") for name in "abc"]


def told(refs):
    return [ref.told for ref in refs]


def test_round_robin_tells_each_in_turn(refs):
    router = Router(refs, RoundRobin())
    for number in range(7):
        router.tell(number)

    assert told(refs) == [[0, 3, 6], [1, 4], [2, 5]]


@by_strategy
@by_refusal
def test_a_tell_that_is_refused_goes_to_another(refs, strategy, refusal):
    refs[0].raises = refs[1].raises = refusal

    Router(refs, strategy()).tell("m")

    assert told(refs) == [[], [], ["m"]]


@by_strategy
@by_refusal
def test_an_ask_that_is_refused_goes_to_another(refs, strategy, refusal):
    refs[0].raises = refs[1].raises = refusal

    future = Router(refs, strategy()).ask("m", block=False)
    refs[2].asks[0].set_result("answer")

    assert future.get(0) == "answer"


@by_strategy
def test_where_all_refuse_each_was_tried_once_and_the_error_says_what_each_said(refs, strategy):
    for ref, refusal in zip(refs, REFUSALS, strict=True):
        ref.raises = refusal
    router = Router(refs, strategy())

    with pytest.raises(RejectedError, match="none of 3 routees took the message: ") as caught:
        router.tell("m")
    future = router.ask("m", block=False)

    assert all(part in str(caught.value) for part in ("/a: nobody", "/b: away", "/c: full"))
    assert [len(ref.asks) for ref in refs] == [1, 1, 1]
    assert isinstance(future.error(), RejectedError)
    with pytest.raises(RejectedError, match="none of 3"):
        router.ask("m")


def test_of_many_refusals_the_first_five_are_told():
    refs = [ScriptedRef(f"/{number}", RejectedError("full")) for number in range(40)]

    with pytest.raises(RejectedError, match=r"none of 40 routees .*; and 35 more$") as caught:
        Router(refs, RoundRobin()).tell("m")

    assert str(caught.value).count(": full") == 5


def test_the_only_routee_refuses_in_its_own_words():
    refusal = NoSuchActorError("nobody lives at /a")
    router = Router([ScriptedRef("/a", refusal)], RoundRobin())

    with pytest.raises(NoSuchActorError) as caught:
        router.tell("m")

    assert caught.value is refusal
    assert router.ask("m", block=False).error() is refusal


@by_refusal
def test_a_key_that_its_owner_refuses_is_given_to_nobody_else(refs, refusal):
    router = Router(refs, ConsistentHash(str))
    router.tell("m")
    owner = next(ref for ref in refs if ref.told)
    owner.raises = refusal

    with pytest.raises(type(refusal)):
        router.tell("m")

    assert router.ask("m", block=False).error() is refusal
    assert [ref.told + ref.asks for ref in refs if ref is not owner] == [[], []]


@pytest.mark.parametrize("error", [UnsendableError("no plain data"), TerminatedError("ended"), ActorFailedError("boom")])
@by_strategy
def test_what_is_no_refusal_is_the_senders_own(refs, strategy, error):
    """A message that is wrong is wrong everywhere, and one that an actor failed on must not fail the next."""
    refs[0].raises = error

    with pytest.raises(type(error)):
        Router(refs, strategy()).tell("m")

    assert Router(refs, strategy()).ask("m", block=False).error() is error
    assert [ref.told + ref.asks for ref in refs[1:]] == [[], []]


def test_a_refusal_that_comes_later_is_the_answer(refs):
    future = Router(refs, RoundRobin()).ask("m", block=False)
    refs[0].asks[0].set_error(NodeUnavailableError("away"))

    assert isinstance(future.error(), NodeUnavailableError)
    assert [ref.asks for ref in refs[1:]] == [[], []]


@pytest.mark.parametrize("strategy", [RoundRobin(), LeastLoaded(), ConsistentHash(str)], ids=lambda made: type(made).__name__)
def test_a_router_without_routees_rejects_and_says_what_to_do(strategy):
    router = Router([], strategy)

    for send in (router.tell, router.ask, router.broadcast):
        with pytest.raises(RejectedError, match=r"no routee to send to: give it one with `add` or `with_routees`"):
            send("m")
    assert isinstance(router.ask("m", block=False).error(), DeliveryError)


def test_least_loaded_tells_who_has_the_emptiest_mailbox(refs):
    for ref, queued in zip(refs, (4, 1, 2), strict=True):
        ref.queued = queued

    Router(refs, LeastLoaded()).tell("m")

    assert told(refs) == [[], ["m"], []]


def test_least_loaded_counts_its_asks_under_way_where_a_mailbox_cannot_be_seen(refs):
    """The mailbox of an actor of another process reads as empty."""
    router = Router(refs, LeastLoaded())
    for _ in range(6):
        router.ask("m", block=False)
    refs[1].asks[0].set_result(None)
    refs[1].asks[1].set_error(ActorFailedError("boom"))
    refs[2].asks[0].set_result(None)

    for _ in range(3):
        router.ask("m", block=False)

    assert [len(ref.asks) for ref in refs] == [2, 4, 3]


def test_least_loaded_does_not_count_an_ask_that_waits_in_a_mailbox_twice(refs):
    refs[1].queued = 3
    router = Router(refs[:2], LeastLoaded())
    for _ in range(2):
        router.ask("m", block=False)
    refs[0].queued = 2

    router.tell("m")

    assert told(refs) == [["m"], [], []]


@by_strategy
def test_nothing_is_kept_of_an_ask_that_is_over(refs, strategy):
    router = Router(refs, strategy())
    for _ in range(9):
        router.ask("m", block=False)
    for ref in refs:
        for future in ref.asks:
            future.set_result(None)

    assert list(router._under_way.values()) == [set(), set(), set()]


def test_routees_come_and_go(refs):
    a, b, c = refs
    router = Router([a], RoundRobin())
    router.add(b)
    router.add(b)
    router.remove(a)
    router.remove(a)
    router.tell(1)
    router.with_routees([c])
    router.tell(2)

    assert told(refs) == [[], [1], [2]]
    assert router.routees == (c,)


def test_an_ask_under_way_to_a_routee_that_is_removed_is_answered_still(refs):
    router = Router(refs, LeastLoaded())
    future = router.ask("m", block=False)

    router.remove(refs[0])
    refs[0].asks[0].set_result("answer")

    assert future.get(0) == "answer"


def test_a_routee_that_stays_keeps_its_count_of_asks_under_way(refs):
    router = Router(refs[:2], LeastLoaded())
    router.ask("m", block=False)
    router.with_routees(refs)

    for _ in range(2):
        router.ask("m", block=False)

    assert [len(ref.asks) for ref in refs] == [1, 1, 1]


@pytest.mark.parametrize(
    ("routees", "said"),
    [
        (["/pool/a"], "'/pool/a' is no ref"),
        ([None], "None is no ref"),
        ([ScriptedRef("/a"), ScriptedRef("/b"), ScriptedRef("/a")], "named twice"),
    ],
    ids=["a path", "nothing", "twice"],
)
def test_wrong_routees_are_refused_and_change_nothing(refs, routees, said):
    router = Router(refs, RoundRobin())

    with pytest.raises(UsageError, match=said):
        Router(routees, RoundRobin())
    with pytest.raises(UsageError, match=said):
        router.with_routees(routees)

    assert router.routees == tuple(refs)


@pytest.mark.parametrize("strategy", [RoundRobin, "round robin", None])
def test_what_is_no_strategy_is_refused(refs, strategy):
    with pytest.raises(UsageError, match=r"is no strategy: .* such as `RoundRobin\(\)`"):
        Router(refs, strategy)


@pytest.fixture
def eager_switching():
    """Let threads take turns as often as Python lets them, so that what is not atomic comes apart."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_switching")
def test_routees_that_many_threads_add_and_remove_at_once_are_all_there_or_gone():
    """A swap that is no read-modify-write under a lock loses some."""
    staying = [[ScriptedRef(f"/{thread}/{number}") for number in range(150)] for thread in range(4)]
    router = Router([], RoundRobin())
    together = threading.Barrier(len(staying))

    def change(mine):
        together.wait(10)
        for ref in mine:
            router.add(ref)
            router.add(ScriptedRef(f"{ref.path}/passing"))
            router.remove(ScriptedRef(f"{ref.path}/passing"))

    threads = [threading.Thread(target=change, args=(mine,)) for mine in staying]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert set(router.routees) == {ref for mine in staying for ref in mine}


def test_messages_sent_while_routees_are_swapped_are_all_taken(refs):
    router = Router(refs, RoundRobin())
    swapped = threading.Event()

    def swap():
        for number in range(300):
            router.with_routees(refs[number % 3 :] if number % 2 else refs[:1])
        swapped.set()

    swapper = threading.Thread(target=swap)
    swapper.start()
    sent = 0
    while not swapped.is_set() or sent < 300:
        router.tell(sent)
        sent += 1
    swapper.join(10)

    assert sorted(number for ref in refs for number in ref.told) == list(range(sent))


def test_a_broadcast_reaches_everybody_but_who_refuses_and_says_how_many_took_it(refs):
    refs[1].raises = RejectedError("full")

    assert Router(refs, ConsistentHash(str)).broadcast("m") == 2
    assert told(refs) == [["m"], [], ["m"]]


def test_a_broadcast_that_one_cannot_be_sent_reaches_the_others_and_then_says_so(refs):
    """The message is wrong as written, which the number of takers would hide."""
    refs[0].raises = UnsendableError("a lock is no plain data")

    with pytest.raises(UnsendableError, match="a lock is no plain data"):
        Router(refs, RoundRobin()).broadcast("m")

    assert told(refs) == [[], ["m"], ["m"]]


def test_a_wait_on_an_event_loop_is_refused_before_anything_is_sent(refs):
    async def wait():
        Router(refs, RoundRobin()).ask("m")

    with pytest.raises(UsageError, match="event loop"):
        asyncio.run(wait())

    assert [ref.asks for ref in refs] == [[], [], []]
