"""Claims on contended things, and rulings on them."""

from msgspec import Struct


class Claim(Struct, frozen=True):
    """One request for a thing that only one may have. A higher `priority` is more urgent.

    `claimed_at` and `deadline` are monotonic seconds.
    """

    id: str
    requester: str
    resource: str
    priority: int
    claimed_at: float
    deadline: float | None = None


class Ruling(Struct, frozen=True):
    """Who wins `resource`, who waits (in order), and why: `rule` is data, `rationale` is a sentence."""

    resource: str
    winner: str
    waiting: tuple[str, ...]
    rule: str
    rationale: str
