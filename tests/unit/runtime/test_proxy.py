"""A proxy reaches public methods and attributes by messages, and nothing else."""

import asyncio
import functools

import pytest

from actors.runtime import Actor, ActorProxy, get_all
from actors.runtime.errors import ActorFailedError, AskTimeoutError, RejectedError
from actors.runtime.messages import ProxyCall, ProxyGet, ProxySet


class Account(Actor):
    """Counts how often its balance is read."""

    expected_errors = (ValueError,)

    def __init__(self):
        self.total = 10
        self.reads = 0
        self._secret = "s"

    def add(self, amount, *, twice=False):
        if amount < 0:
            raise ValueError("not negative")
        self.total += amount * (2 if twice else 1)
        return self.total

    @property
    def balance(self):
        self.reads += 1
        return self.total

    def break_down(self):
        raise RuntimeError("broken")


@pytest.fixture
def ref(system):
    return system.spawn(Account, name="account")


def test_a_method_gives_a_future_of_what_it_returns(ref):
    proxy = ref.proxy()

    assert proxy.add(1).get(5) == 11
    assert proxy.add(amount=2, twice=True).get(5) == 15


def test_an_attribute_is_read_and_set(ref):
    proxy = ref.proxy()

    proxy.total = 99

    assert proxy.total.get(5) == 99


def test_a_property_is_read_once(ref):
    proxy = ref.proxy()

    assert proxy.balance.get(5) == 10
    assert proxy.reads.get(5) == 1


def test_a_deferred_call_wants_no_answer_and_keeps_its_place(ref):
    proxy = ref.proxy()

    proxy.add.defer(5)

    assert proxy.total.get(5) == 15


def test_a_declared_error_of_a_method_answers_and_harms_nobody(ref):
    with pytest.raises(ValueError, match="not negative"):
        ref.proxy().add(-1).get(5)

    assert ref.proxy().total.get(5) == 10


def test_an_undeclared_error_of_a_method_fails_the_actor(ref, events):
    with pytest.raises(ActorFailedError, match="RuntimeError: broken"):
        ref.proxy().break_down().get(5)

    events.expect("actor.restarted", "/account")


@pytest.mark.parametrize("name", ["_secret", "__class__", "_actor_loop"])
def test_a_private_name_is_refused_before_anything_is_sent(ref, name):
    with pytest.raises(AttributeError, match="public names only"):
        ref.proxy().__getattr__(name)


def test_a_private_name_is_refused_by_the_actor_too(ref):
    """A proxy of another process is not to be trusted."""
    proxy = ref.proxy()

    with pytest.raises(RejectedError, match="_secret: a proxy reaches public names only"):
        proxy._secret = "stolen"
    assert proxy.total.get(5) == 10


@pytest.mark.parametrize("use", [lambda proxy: proxy.nothing.get(5), lambda proxy: proxy.nothing().get(5)])
def test_a_name_that_is_not_there_is_refused_and_harms_nobody(ref, use):
    with pytest.raises(RejectedError, match="Account has no 'nothing'"):
        use(ref.proxy())

    assert ref.proxy().total.get(5) == 10


def test_calling_what_is_no_method_is_refused_and_harms_nobody(ref):
    with pytest.raises(RejectedError, match="'total' is no method"):
        ref.proxy().total().get(5)

    assert ref.proxy().total.get(5) == 10


def test_an_async_method_works_on_the_async_dispatcher(system):
    class Slow(Actor):
        dispatcher = "async"

        async def double(self, number):
            return 2 * number

    assert system.spawn(Slow, name="slow").proxy().double(4).get(5) == 8


class Playlist:
    def __init__(self):
        self.songs = ["one"]
        self.owner = {"name": "Ada"}
        self._hidden = "h"

    def add(self, song):
        self.songs.append(song)
        return len(self.songs)


class Player(Actor):
    dispatcher = "pinned"
    limit = 3

    def __init__(self):
        self.playlist = Playlist()

    @property
    def volume(self):
        return 7

    @volume.setter
    def volume(self, value):
        if value > 10:
            raise AttributeError("the speaker has no such level")

    @property
    def length(self):
        return len(self.playlist.songs)

    def mix(self, one, two=0, *, three=0):
        return one + two + three

    @functools.wraps(mix)
    def given_the_first(self, *args, **kwargs):
        return Player.mix(self, 1, *args, **kwargs)


@pytest.fixture
def player(system):
    return system.spawn(Player, name="player")


def test_what_is_inside_of_an_actor_is_called_read_and_set_by_its_names(player):
    proxy = player.proxy()

    assert proxy.playlist.add("two").get(5) == 2
    proxy.playlist.add.defer("three")
    assert proxy.playlist.songs.get(5) == ["one", "two", "three"]
    proxy.playlist.songs = []
    assert proxy.length.get(5) == 0


@pytest.mark.parametrize("way", ["_playlist.songs", "playlist._hidden", "playlist.add.__func__.__globals__", "context._cell"])
def test_a_private_step_on_the_way_is_refused_by_the_actor(player, way):
    """A proxy of another process is not to be trusted."""
    for message in (ProxyGet(way), ProxyCall(way), ProxySet(way, 1)):
        with pytest.raises(RejectedError, match="public names only"):
            player.ask(message)

    assert player.is_alive()


def test_a_private_step_on_the_way_is_refused_before_anything_is_sent(player):
    with pytest.raises(AttributeError, match="public names only"):
        _ = player.proxy().playlist._hidden


@pytest.mark.parametrize("way", ["nothing.songs", "playlist.nothing", "playlist..songs", "", "."])
def test_a_way_that_leads_nowhere_is_refused_and_harms_nobody(player, way):
    with pytest.raises(RejectedError, match="has no '"):
        player.ask(ProxyGet(way))

    assert player.proxy().length.get(5) == 1


@pytest.mark.parametrize(
    ("args", "kwargs", "why"),
    [
        ((), {}, "missing a required argument: 'one'"),
        ((1, 2, 3), {}, "too many positional arguments"),
        ((1,), {"four": 4}, "unexpected keyword argument 'four'"),
    ],
)
def test_arguments_that_do_not_fit_are_the_askers_error(player, args, kwargs, why):
    with pytest.raises(RejectedError, match=rf"Player\.mix: .*{why}"):
        player.proxy().mix(*args, **kwargs).get(5)

    assert player.proxy().mix(1, three=2).get(5) == 3
    assert player.proxy().context.get(5).incarnation == 1


def test_a_type_error_of_the_methods_own_is_a_failure(player):
    with pytest.raises(ActorFailedError, match="TypeError: unsupported operand"):
        player.proxy().mix(1, "two").get(5)


def test_a_decorator_that_has_run_is_not_taken_for_a_call_that_did_not_fit(player):
    """By what it wraps, the call does not fit; by what it is, it has run, and what it did may be half done."""
    assert player.proxy().given_the_first(2).get(5) == 3
    with pytest.raises(ActorFailedError, match="TypeError: unsupported operand"):
        player.proxy().given_the_first("two").get(5)


def test_a_builtin_whose_arguments_nobody_knows_fails_the_actor(player):
    with pytest.raises(ActorFailedError, match="TypeError"):
        player.proxy().playlist.owner.update(5).get(5)


def test_an_attribute_that_cannot_be_set_is_the_askers_error(player):
    proxy = player.proxy()

    with pytest.raises(RejectedError, match="'length' of Player cannot be set"):
        proxy.length = 5
    proxy.volume = 5
    assert proxy.context.get(5).incarnation == 1


def test_an_error_of_a_setters_own_is_a_failure(player):
    with pytest.raises(ActorFailedError, match="no such level"):
        player.proxy().volume = 11


def test_a_member_is_read_once_when_its_value_is_first_wanted(ref):
    member = ref.proxy().balance

    assert ref.proxy().reads.get(5) == 0
    assert [member.get(5), member.map(str).get(5), member.get(5)] == [10, "10", 10]
    assert ref.proxy().reads.get(5) == 1


def test_members_are_futures_among_futures(ref, player):
    account, proxy = ref.proxy(), player.proxy()

    assert account.total.join(proxy.limit, account.add(1)).get(5) == [11, 3, 11], "the call is sent first: it is made first"
    assert account.add(1).join(proxy.limit).get(5) == [12, 3]
    assert proxy.playlist.songs.filter(lambda song: song == "one").get(5) == ["one"]
    assert proxy.playlist.songs.reduce(lambda one, other: one + other, "+").get(5) == "+one"
    assert get_all([account.total, proxy.mix(1)], timeout=5) == [12, 1]


def test_a_name_that_futures_have_too_is_reached_by_a_message(player):
    assert player.ask(ProxyCall("playlist.owner.get", ("name",))) == "Ada"
    assert player.proxy().playlist.owner.get(5) == {"name": "Ada"}


def test_a_member_is_awaited(ref):
    async def wait():
        return await ref.proxy().total

    assert asyncio.run(wait()) == 10


def test_a_use_that_gets_no_turn_is_over_with_the_proxys_time(system, gate):
    class Held(Actor):
        dispatcher = "pinned"
        level = 1

        def on_receive(self, _):
            gate.wait()

    ref = system.spawn(Held, name="held")
    ref.tell("hold")
    assert gate.reached.wait(5)

    hasty = ref.proxy(timeout=0.01)
    with pytest.raises(AskTimeoutError):
        hasty.level.get(5)
    with pytest.raises(AskTimeoutError):
        hasty.level = 2
    patient = ref.proxy(timeout=None).level.map(str)
    gate.open()
    assert patient.get(5) == "1"


def test_two_proxies_to_one_actor_are_equal_and_know_their_ref(ref, player):
    assert ref.proxy() == ref.proxy()
    assert len({ref.proxy(), ref.proxy(), player.proxy()}) == 2
    assert ref.proxy().actor_ref == ref
    assert ActorProxy(actor_ref=ref).total.get(5) == 10
    assert (repr(ref.proxy()), repr(ref.proxy().total)) == ("<ActorProxy /account>", "<total of <ActorRef /account>>")


def test_a_proxy_may_be_named_by_its_actors_class(ref):
    assert ActorProxy[Account](ref).total.get(5) == 10
