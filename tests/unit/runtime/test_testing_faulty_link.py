"""FaultyTransport under real links: whatever the wire does, every ask resolves once and the chaos has really happened."""

import random

import pytest

from actors.runtime.errors import ActorRuntimeError, AskTimeoutError
from actors.runtime.testing import Corrupt, Delay, Drop, Duplicate, FaultyTransport, MemoryNetwork, Reorder
from tests.support.actors_for_tests import Servant
from tests.support.linked_systems import Side

PATIENCE_S = 10


@pytest.fixture
def link():
    """Link two sides through faults; the far one has a servant that returns what it is told to."""
    opened = []

    def link_(*faults, seed=1):
        faulty = FaultyTransport(MemoryNetwork().open, faults, random.Random(seed))  # noqa: S311  # chaos, not secrets
        opened.extend(Side(faulty, path) for path in ("/near", "/far"))
        for side in opened:
            side.link.set_routes(["/near", "/far"], [each.address for each in opened])
        opened[1].spawn("/far", Servant)
        return opened[0], faulty

    yield link_
    for side in opened:
        side.events.close()
        side.parts.close()


def outcome(future):
    try:
        return future.get(PATIENCE_S)
    except ActorRuntimeError as error:
        return type(error)


def test_every_ask_resolves_once_in_a_storm(link):
    near, faulty = link(
        Drop(probability=0.1, direction="send"),
        Duplicate(probability=0.1),
        Reorder(probability=0.1, direction="send"),
        Corrupt(probability=0.05),
    )
    asked = [near.ref("/far").ask(["return", number], timeout=0.3, block=False) for number in range(100)]
    resolved = []
    for future in asked:
        future.add_done_callback(resolved.append)

    outcomes = [outcome(future) for future in asked]

    assert len(resolved) == 100
    assert AskTimeoutError in outcomes
    assert [each for number, each in enumerate(outcomes) if each not in (number, AskTimeoutError)] == []
    assert all(faulty.faults()[kind] for kind in ("drop", "duplicate", "corrupt"))


def test_a_reply_that_comes_after_the_timeout_changes_nothing(link):
    near, faulty = link(Delay(node="/far", direction="reply"))
    future = near.ref("/far").ask(["return", 1], timeout=0.05, block=False)
    assert outcome(future) is AskTimeoutError

    faulty.release()

    assert outcome(future) is AskTimeoutError


def test_a_partitioned_node_is_heard_again_once_it_is_mended(link):
    near, faulty = link()
    faulty.partition(["/near"], ["/far"])
    assert outcome(near.ref("/far").ask(["return", 1], timeout=0.05, block=False)) is AskTimeoutError

    faulty.mend()

    assert outcome(near.ref("/far").ask(["return", 2], block=False)) == 2
    assert faulty.faults()["partition"] == 1
