"""A proxy reaches public methods and attributes by messages, and nothing else."""

import pytest

from actors.runtime import Actor
from actors.runtime.errors import ActorFailedError, RejectedError


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
