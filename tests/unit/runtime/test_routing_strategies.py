"""Which routee gets a message: turns, loads and keys, without an actor or, but for one test, a thread."""

import threading
from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.errors import UsageError
from actors.runtime.routing.strategies import ConsistentHash, LeastLoaded, RoundRobin


class Named(NamedTuple):
    path: str


def routees_of(count):
    return tuple(Named(f"/pool/worker-{number}") for number in range(count))


def no_load(_):
    return 0


A, B, C, D = (Named(f"/{letter}") for letter in "abcd")
PATHS = st.lists(st.from_regex(r"/[a-z]{1,8}/[a-z0-9-]{1,8}", fullmatch=True), min_size=2, max_size=12, unique=True)
KEYS = [f"key-{number}" for number in range(2000)]


def owners(paths, keys=KEYS, **options):
    """Give whom each key belongs to, by path."""
    strategy, routees = ConsistentHash(lambda key: key, **options), tuple(map(Named, paths))
    return {key: strategy.choose(key, routees, no_load).path for key in keys}


@given(count=st.integers(1, 20), rounds=st.integers(1, 5))
def test_round_robin_gives_each_its_turn_in_order(count, rounds):
    strategy, routees = RoundRobin(), routees_of(count)

    assert [strategy.choose("m", routees, no_load) for _ in range(count * rounds)] == list(routees) * rounds


def test_round_robin_between_threads_gives_each_the_same_number_of_turns():
    """A turn that two threads took, or that none took, would show as an uneven count."""
    strategy, routees = RoundRobin(), routees_of(3)
    chosen = [[], [], [], []]
    together = threading.Barrier(len(chosen))

    def choose(mine):
        together.wait(10)
        mine.extend(strategy.choose("m", routees, no_load) for _ in range(3000))

    threads = [threading.Thread(target=choose, args=(mine,)) for mine in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert Counter(routee for mine in chosen for routee in mine) == dict.fromkeys(routees, 4000)


@pytest.mark.parametrize("strategy", [RoundRobin(), LeastLoaded()], ids=["round_robin", "least_loaded"])
def test_what_one_routee_refuses_is_shared_by_the_others(strategy):
    """With one count for both choices, one of the two would get five messages of six."""
    got = Counter()
    for _ in range(600):
        routee = strategy.choose("m", (A, B, C), no_load)
        got[strategy.choose_again("m", (A, C), no_load) if routee is B else routee] += 1

    assert got == {A: 300, C: 300}


@given(loads=st.lists(st.integers(0, 5), min_size=1, max_size=10), messages=st.integers(1, 30))
def test_least_loaded_picks_the_least_loaded_and_takes_turns_among_several(loads, messages):
    routees = routees_of(len(loads))
    load_of = dict(zip(routees, loads, strict=True)).__getitem__
    tied = [routee for routee in routees if load_of(routee) == min(loads)]
    strategy = LeastLoaded()

    chosen = [strategy.choose("m", routees, load_of) for _ in range(messages)]

    assert chosen == [tied[number % len(tied)] for number in range(messages)]


def test_least_loaded_picks_the_least_loaded_of_those_that_are_left():
    loads = {A: 0, B: 7, C: 2, D: 3}

    assert LeastLoaded().choose_again("m", (B, C, D), loads.__getitem__) == C


@given(PATHS, st.randoms(use_true_random=False))
def test_a_key_belongs_to_one_routee_in_whatever_order_they_are_given(paths, random):
    shuffled = random.sample(paths, len(paths))

    assert owners(paths, KEYS[:100]) == owners(shuffled, KEYS[:100])


@given(PATHS)
def test_a_routee_that_comes_takes_its_share_of_the_keys_and_no_other_key_moves(paths):
    *before, new = paths
    was, now = owners(before), owners(paths)
    moved = [key for key in KEYS if was[key] != now[key]]

    assert {now[key] for key in moved} <= {new}
    assert 0.5 < len(moved) * len(paths) / len(KEYS) < 1.6


@given(PATHS)
def test_a_routee_that_goes_leaves_its_keys_to_the_others_and_no_other_key_moves(paths):
    *after, gone = paths
    was, now = owners(paths), owners(after)

    assert {key for key in KEYS if was[key] != now[key]} == {key for key in KEYS if was[key] == gone}


def test_the_hash_of_keys_and_paths_is_the_same_in_every_process_and_release():
    """Python's own `hash` of a text differs from process to process. What a key's owner keeps for it must be found again."""
    keys = ["ann", "bob", "", b"ann", b"\x00", 0, 1, -1, 10**30]
    paths = ["/pool/a", "/pool/b", "/pool/c"]

    assert "".join(path[-1] for path in owners(paths, keys).values()) == "aabacacbb"
    # With one point each, a good part of the keys lie after the last of them and belong to the first.
    assert "".join(path[-1] for path in owners(paths, keys, virtual_nodes=1).values()) == "bcbbbbbbb"


@pytest.mark.parametrize(
    "key",
    ["", "ann", "\ud800", b"", b"\xff", 0, -1, True, 10**5000],
    ids=lambda key: repr(key)[:9] if key != 10**5000 else "huge",
)
def test_text_bytes_and_whole_numbers_of_any_size_can_be_keys(key):
    assert owners(["/a", "/b"], [key])[key] in {"/a", "/b"}


@pytest.mark.parametrize("key", [None, 1.0, ("ann", 1), object])
def test_a_key_of_another_kind_is_refused_and_the_error_says_which_kinds_there_are(key):
    with pytest.raises(UsageError, match=r"key_of gave a .*: give a str, bytes or int"):
        owners(["/a", "/b"], [key])


def test_the_message_gives_the_key():
    strategy, routees = ConsistentHash(lambda order: order["customer"]), routees_of(8)

    assert len({strategy.choose({"customer": "ann", "order": number}, routees, no_load) for number in range(50)}) == 1
    assert len({strategy.choose({"customer": f"{number}"}, routees, no_load) for number in range(200)}) == 8


def test_what_key_of_raises_goes_to_the_sender():
    with pytest.raises(KeyError, match="customer"):
        ConsistentHash(lambda order: order["customer"]).choose({}, (A, B), no_load)


def test_a_key_has_no_second_owner():
    assert ConsistentHash(str).choose_again("m", (A, B), no_load) is None


def test_more_virtual_nodes_share_keys_more_evenly():
    def spread(virtual_nodes):
        strategy, routees = ConsistentHash(str, virtual_nodes=virtual_nodes), routees_of(5)
        counts = Counter(strategy.choose(key, routees, no_load) for key in KEYS)
        return max(counts.values()) - min(counts.values())

    assert spread(128) < spread(1)


@pytest.mark.parametrize(
    ("key_of", "virtual_nodes", "said"),
    [
        ("customer", 128, "key_of: 'customer': a function"),
        (str, 0, "virtual_nodes: 0: a whole number, 1 or more"),
        (str, 1.5, "virtual_nodes: 1.5: a whole number"),
        (str, True, "virtual_nodes: True: a whole number"),
    ],
)
def test_a_wrong_ring_cannot_be_made(key_of, virtual_nodes, said):
    with pytest.raises(UsageError, match=said):
        ConsistentHash(key_of, virtual_nodes=virtual_nodes)
