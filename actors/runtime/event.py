"""Event: one thing that happened, as data; apart from the log that keeps it, since the command line reads events and logs none.

Types are `noun.past_participle`. A node's events carry the node's own numbers; the kernel numbers them again as they arrive, so
that readers of the whole system see one sequence.
"""

from typing import Any

from msgspec import Struct

from .clock import timestamp

Field = None | bool | int | float | str | list[str]


class Event(Struct, frozen=True, gc=False):
    """One event. `at` is in seconds since the epoch; `fields` are plain data."""

    seq: int
    at: float
    type: str
    path: str
    node: str
    fields: dict[str, Field] = {}

    def document(self) -> dict[str, Any]:
        """Give the event as `symphony events --json` prints it."""
        head = {"schema": "symphony.event/1", "seq": self.seq, "at": timestamp(self.at), "type": self.type}
        return {**head, "path": self.path, "node": self.node, **self.fields}
