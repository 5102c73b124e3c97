"""Faults: rules that say what happens to which frames, as values.

A rule is matched on where a frame is on its way and on its number there, so that a test can name the one frame it means; a
probability is for storms. What carries them out is `FaultyTransport`.
"""

import math
import random
from typing import ClassVar, Literal

from msgspec import Struct

from ..errors import SpecError

Direction = Literal["send", "reply", "receive"]
"""Where a frame is met: as its sender sends it to a node, answers a peer, or as its receiver gets it."""
DIRECTIONS: tuple[Direction, ...] = ("send", "reply", "receive")
FaultKind = Literal["drop", "delay", "duplicate", "reorder", "corrupt", "cut", "partition"]
KINDS: tuple[FaultKind, ...] = ("drop", "delay", "duplicate", "reorder", "corrupt", "cut", "partition")


class Way(Struct, frozen=True):
    """One way that frames take: from which transport, in which direction, to or from which node.

    An answer that is received does not say from whom it comes: its `peer` is the empty text.
    """

    identity: str
    direction: Direction
    peer: str

    @property
    def node(self) -> str:
        """The path of the node at this end."""
        return node_of(self.identity)


class Fault(Struct, frozen=True, kw_only=True):
    """A rule; use one of its subclasses. It holds for frames number `first` to `last` of each way that it matches.

    `node` and `peer` are paths of nodes, at this end and at the other; None matches any. Frames are counted from 1, on each way.
    `probability` is that of each frame by itself. Raises `SpecError`, which lists every problem.
    """

    kind: ClassVar[FaultKind]

    direction: Direction | None = None
    node: str | None = None
    peer: str | None = None
    first: int = 1
    last: int | None = None
    probability: float = 1.0

    def __post_init__(self) -> None:
        problems = [f"{name}: {value!r}: {rule}" for name, value, holds, rule in self.rules() if not holds]
        if problems:
            raise SpecError(*problems)

    def rules(self) -> list[tuple[str, object, bool, str]]:
        """Give name, value, whether it may be, and what may be, of each field."""
        return [
            ("direction", self.direction, self.direction is None or self.direction in DIRECTIONS, "send, reply or receive"),
            ("first", self.first, self.first >= 1, "1 or more"),
            ("last", self.last, self.last is None or self.last >= self.first, "no less than `first`"),
            ("probability", self.probability, 0 < self.probability <= 1, "above 0 and 1 at most"),
        ]

    def matches(self, way: Way, number: int) -> bool:
        """Tell whether frame `number` of `way` is meant, chance left aside."""
        return (
            self.direction in (None, way.direction)
            and self.node in (None, way.node)
            and self.peer in (None, way.peer)
            and self.first <= number <= (math.inf if self.last is None else self.last)
        )


class Drop(Fault, frozen=True, kw_only=True):
    """Lose the frame; its sender does not hear of it."""

    kind: ClassVar[FaultKind] = "drop"


class Delay(Fault, frozen=True, kw_only=True):
    """Hold the frame until the clock has moved by `seconds` (None: until it is released). Later ones overtake it."""

    kind: ClassVar[FaultKind] = "delay"

    seconds: float | None = None

    def rules(self) -> list[tuple[str, object, bool, str]]:
        """Give name, value, whether it may be, and what may be, of each field."""
        holds = self.seconds is None or self.seconds >= 0
        return [*Fault.rules(self), ("seconds", self.seconds, holds, "0 or more, or None until released")]


class Duplicate(Fault, frozen=True, kw_only=True):
    """Pass the frame on twice."""

    kind: ClassVar[FaultKind] = "duplicate"


class Reorder(Fault, frozen=True, kw_only=True):
    """Hold the frame until `behind` later ones of its way have passed, then pass it on behind them."""

    kind: ClassVar[FaultKind] = "reorder"

    behind: int = 1

    def rules(self) -> list[tuple[str, object, bool, str]]:
        """Give name, value, whether it may be, and what may be, of each field."""
        return [*Fault.rules(self), ("behind", self.behind, self.behind >= 1, "1 or more")]


class Corrupt(Fault, frozen=True, kw_only=True):
    """Damage the frame as it is received: `truncate` ends it too soon, which no reader takes; `flip` turns one bit.

    A flipped bit may leave a frame that can be read and says something else: what a peer must survive, not what it must refuse.
    """

    kind: ClassVar[FaultKind] = "corrupt"

    direction: Direction | None = "receive"
    damage: Literal["truncate", "flip"] = "truncate"

    def rules(self) -> list[tuple[str, object, bool, str]]:
        """Give name, value, whether it may be, and what may be, of each field."""
        # What is sent may come back unsent, and its sender relies on reading that.
        direction = ("direction", self.direction, self.direction == "receive", "receive: a frame is damaged on its way")
        return [*Fault.rules(self), direction, ("damage", self.damage, self.damage in {"truncate", "flip"}, "truncate or flip")]

    def spoil(self, frame: bytes, chance: random.Random) -> bytes:
        """Give the damaged frame; one that is empty stays so."""
        if not frame:
            return frame
        place = chance.randrange(len(frame))
        if self.damage == "truncate":
            return frame[:place]
        return frame[:place] + bytes([frame[place] ^ 1 << chance.randrange(8)]) + frame[place + 1 :]


def node_of(identity: str) -> str:
    """Give the path of a node from its identity on the wire, `/path#incarnation`."""
    path, mark, _ = identity.rpartition("#")
    return path if mark else identity
