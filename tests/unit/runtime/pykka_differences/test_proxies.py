"""What refs and proxies show of their actors."""

import re

import pykka

from actors.runtime import ActorProxy
from actors.runtime.messages import ProxyCall
from tests.support.pykka_programs.differences import both, outcome
from tests.support.pykka_programs.runtimes import BOUND_S, HERE


@both(on_pykka=r"urn:uuid:[0-9a-f-]{36}", here=r"/account-\d+")
def test_what_an_urn_is(account, expected):
    assert re.fullmatch(expected, account.start().actor_urn)


@both(on_pykka=(True, True), here=(False, False))
def test_the_inside_of_a_ref(account, expected):
    ref = account.start()

    assert (hasattr(ref, "actor_inbox"), hasattr(ref, "actor_stopped")) == expected


@both(on_pykka=True, here=False)
def test_the_registry_of_the_process(account, expected, runtime, block):
    ref = account.start()

    assert (ref in pykka.ActorRegistry.get_all()) is expected
    if runtime is HERE:
        assert block.find("/account-*") == (ref,)


@both(on_pykka=0, here=5)
def test_when_an_attribute_is_read(account, expected):
    proxy = account.start().proxy()

    reading = proxy.total
    proxy.total = 5

    assert reading.get() == expected


@both(on_pykka=("AttributeError", True), here=("RejectedError", False))
def test_a_name_that_is_not_there_and_the_list_of_those_that_are(account, expected):
    proxy = account.start().proxy()

    assert (outcome(lambda: proxy.nothing.get(timeout=BOUND_S)), "total" in dir(proxy)) == expected
    assert proxy.actor_ref.is_alive()


@both(on_pykka="TypeError", here="RejectedError")
def test_arguments_that_do_not_fit(account, expected):
    proxy = account.start().proxy()

    assert outcome(lambda: proxy.add(1, 2, 3).get()) == expected
    assert proxy.actor_ref.is_alive()


@both(on_pykka="AttributeError", here=2)
def test_the_inside_of_what_is_not_marked_as_traversable(runtime, block, expected):
    class Box:
        size = 2

    class Holder(runtime.ThreadingActor):
        box = Box()

    assert outcome(lambda: Holder.start().proxy().box.size.get(timeout=BOUND_S)) == expected


@both(on_pykka="ActorDeadError", here="ActorProxy")
def test_a_proxy_to_an_actor_that_is_gone(account, expected):
    ref = account.start()
    ref.stop()

    assert outcome(lambda: type(ref.proxy()).__name__) == expected


@both(on_pykka=None, here="RejectedError")
def test_setting_a_private_name(account, expected):
    assert outcome(lambda: setattr(account.start().proxy(), "_private", 1)) == expected


@both(on_pykka=3, here="RejectedError")
def test_the_message_of_a_proxy_by_hand(account, runtime, expected):
    ref = account.start()

    assert outcome(lambda: ref.ask(pykka.messages.ProxyCall(("add",), (3,), {}))) == expected
    if runtime is HERE:
        assert ref.ask(ProxyCall("add", (3,))) == 3


def test_a_proxy_class_for_the_type_checker_only_may_be_of_either():
    assert issubclass(ActorProxy[int].__origin__, ActorProxy)
