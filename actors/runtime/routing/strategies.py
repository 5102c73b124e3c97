"""Strategies: which routee gets a message.

A strategy decides and does nothing else: it sends nothing, waits for nothing and learns a routee's load from a function that it
is given. So a test needs neither actors nor threads, and the router alone knows how messages are sent.

| strategy | picks | after a refusal | a choice costs |
|---|---|---|---|
| `RoundRobin` | each in turn | another, in a turn of its own | the same for any number of routees |
| `LeastLoaded` | the least loaded; of several, in turn | the least loaded of the rest | one look at each routee's load |
| `ConsistentHash` | the one that the message's key belongs to | nobody | one hash and a binary search |

Turns are taken from `itertools.count`, whose `next` is one atomic step, so that choosing takes no lock. Choices after a refusal
have a count of their own: if they took from the first one, a routee that always refuses would shift everybody's turn and, of
three, one of the two others would get nearly all.
"""

import hashlib
import itertools
import struct
from bisect import bisect_left
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from ..errors import UsageError

Key = str | bytes | int
"""What a message can be routed by. Equal values of one kind belong together, in every process and on every day."""

VIRTUAL_NODES = 128
_POINTS_A_DIGEST = struct.Struct(">8Q")


class Routee(Protocol):
    """What a strategy needs of those it chooses from."""

    @property
    def path(self) -> str:
        """What it is called, for ever."""
        ...


R = TypeVar("R", bound=Routee)


class Strategy(Protocol):
    """Picks one of several. Any thread may call; nothing blocks. `routees` has one at least, and nobody twice."""

    @property
    def needs_loads(self) -> bool:
        """Whether `load_of` is called, so that the router must keep count."""
        ...

    def choose(self, message: Any, routees: tuple[R, ...], load_of: Callable[[R], int]) -> R:
        """Give who gets `message`. `load_of` says how much a routee has to do."""
        ...

    def choose_again(self, message: Any, left: tuple[R, ...], load_of: Callable[[R], int]) -> R | None:
        """Give who gets `message` after others have refused it, of those that are `left`; None where nobody else may have it."""
        ...


class RoundRobin:
    """Each in turn. Alone among senders it is exact; between several threads, each choice is some thread's turn."""

    needs_loads = False

    def __init__(self) -> None:
        self._turn = itertools.count()
        self._turn_after_refusal = itertools.count()

    def choose(self, message: Any, routees: tuple[R, ...], load_of: Callable[[R], int]) -> R:  # noqa: ARG002 - as the protocol
        """Give the next in turn."""
        return routees[next(self._turn) % len(routees)]

    def choose_again(self, message: Any, left: tuple[R, ...], load_of: Callable[[R], int]) -> R:  # noqa: ARG002 - as the protocol
        """Give the next in turn of those that are left."""
        return left[next(self._turn_after_refusal) % len(left)]


class LeastLoaded:
    """The one with the least load; of several, each in turn.

    Loads are read one after the other while others send, so two senders may pick the same one. It looks at every routee: that
    is right for the tens of routees that share one kind of work. (Looking at two picked at random would cost the same for
    thousands, but lets a message wait behind another while somebody is idle.)
    """

    needs_loads = True

    def __init__(self) -> None:
        self._turn = itertools.count()
        self._turn_after_refusal = itertools.count()

    def choose(self, message: Any, routees: tuple[R, ...], load_of: Callable[[R], int]) -> R:  # noqa: ARG002 - as the protocol
        """Give the one that `load_of` gives the least number for."""
        return _least(routees, load_of, self._turn)

    def choose_again(self, message: Any, left: tuple[R, ...], load_of: Callable[[R], int]) -> R:  # noqa: ARG002 - as the protocol
        """Give the least loaded of those that are left."""
        return _least(left, load_of, self._turn_after_refusal)


class ConsistentHash:
    """The one that the message's key belongs to, as long as it is there: messages of one key meet one actor, in order.

    Karger's ring with virtual nodes: each routee's path is hashed to `virtual_nodes` points, and a key belongs to the first
    point after its own. Of n routees, each has about 1/n of all keys, with a deviation of about 1/sqrt(virtual_nodes); one that
    comes takes its share from all others, one that goes leaves its share to all others, and no other key moves. The hash is
    BLAKE2b, so every process that knows the same paths agrees; Python's own `hash` differs from process to process.

    A key has one owner, so a message that its owner refuses is given to nobody else: its sender hears of it. `key_of` is called
    on the sender's thread and what it raises goes to the sender. The ring is built when it first sees a tuple of routees, at
    about 0.1 ms a routee, and kept for that tuple: give each router a strategy of its own. Raises `UsageError` for arguments,
    or a key, of another kind.
    """

    needs_loads = False

    def __init__(self, key_of: Callable[[Any], Key], *, virtual_nodes: int = VIRTUAL_NODES) -> None:
        if not callable(key_of):
            raise UsageError(f"key_of: {key_of!r}: a function that gives a message's key, such as `lambda order: order.customer`")
        if type(virtual_nodes) is not int or virtual_nodes < 1:
            raise UsageError(f"virtual_nodes: {virtual_nodes!r}: a whole number, 1 or more")
        self._key_of = key_of
        self._virtual_nodes = virtual_nodes
        # Replaced as a whole: two threads may build the same ring at once, and either will do.
        self._ring = _Ring((), [], {})

    def choose(self, message: Any, routees: tuple[R, ...], load_of: Callable[[R], int]) -> R:  # noqa: ARG002 - as the protocol
        """Give the owner of the message's key."""
        position = _position_of(self._key_of(message))
        ring = self._ring
        if ring.routees is not routees:
            ring = self._ring = _ring_of(routees, self._virtual_nodes)
        at = bisect_left(ring.points, position)
        return routees[ring.owner_of[ring.points[at if at < len(ring.points) else 0]]]

    def choose_again(self, message: Any, left: tuple[R, ...], load_of: Callable[[R], int]) -> None:
        """Give nobody: the key belongs to the one that refused."""


class _Ring(NamedTuple):
    """The points of all routees in ascending order, and the index of whom each belongs to."""

    routees: tuple[Routee, ...]
    points: list[int]
    owner_of: dict[int, int]


def _ring_of(routees: tuple[Routee, ...], virtual_nodes: int) -> _Ring:
    owner_of: dict[int, int] = {}
    # In the order of the paths, so that of two that share a point the same one has it, in whatever order the routees are given.
    for index in sorted(range(len(routees)), key=lambda index: routees[index].path):
        for point in itertools.islice(_points_of(routees[index].path, virtual_nodes), virtual_nodes):
            owner_of[point] = index
    return _Ring(routees, sorted(owner_of), owner_of)


def _points_of(path: str, wanted: int) -> "itertools.chain[int]":
    digests = (hashlib.blake2b(f"{block}#{path}".encode()).digest() for block in range(-(-wanted // 8)))
    return itertools.chain.from_iterable(_POINTS_A_DIGEST.unpack(digest) for digest in digests)


def _position_of(key: Key) -> int:
    match key:
        case str():
            data = b"s" + key.encode("utf-8", "surrogatepass")
        case bytes():
            data = b"b" + key
        case int():
            data = b"i%x" % key
        case _:
            raise UsageError(
                f"key_of gave a {type(key).__name__}: give a str, bytes or int, the same for all that belong together"
            )
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def _least(routees: tuple[R, ...], load_of: Callable[[R], int], turn: "itertools.count[int]") -> R:
    loads = [load_of(routee) for routee in routees]
    least = min(loads)
    tied = [routee for routee, load in zip(routees, loads, strict=True) if load == least]
    return tied[0] if len(tied) == 1 else tied[next(turn) % len(tied)]
