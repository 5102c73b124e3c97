"""Roster: which nodes there are, the present life of each, and every life whose process is not known to be dead.

A node may have more than one of those: a process that does not die although it was killed (it waits for a disk, say) has been
replaced by then, and is still this host's to watch and to end.
"""

import threading
from typing import NamedTuple

from ..address import ActorPath
from ..transport.base import NodeAddress
from . import words
from .channel import Channel
from .life import Life


class Reachable(NamedTuple):
    """What is published of the nodes: all paths, where those that are ready listen, and the way to each process."""

    nodes: list[ActorPath]
    addresses: list[NodeAddress]
    channels: list[Channel[words.ToKernel]]


class Roster:
    """The lives of one host. Any thread may call; nothing here waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.changed = threading.Condition(self._lock)
        """Notified when a life has ended, or has answered."""
        self._known: list[ActorPath] = []
        self._present: dict[str, Life] = {}
        self._living: list[Life] = []

    def register(self, path: ActorPath) -> None:
        """Make a node's path known."""
        with self._lock:
            if path not in self._known:
                self._known.append(path)

    def unregister(self, path: ActorPath) -> None:
        """Forget a node's path; its process, if there is one, stays until it is dead."""
        with self._lock:
            self._known = [known for known in self._known if known != path]
            life = self._present.get(path)
            if life is not None and life not in self._living:
                del self._present[path]

    def enter(self, life: Life) -> None:
        """Take a life as its node's present one."""
        with self._lock:
            self._present[life.address.path] = life
            self._living.append(life)

    def leave(self, life: Life) -> None:
        """Close a life whose process is dead, or was never made."""
        with self._lock:
            life.is_ready = False
            life.close()
            if life in self._living:
                self._living.remove(life)
            path = life.address.path
            if path not in self._known and self._present.get(path) is life:
                del self._present[path]
            self.changed.notify_all()

    def of(self, path: str) -> Life | None:
        """Give the present life of a node, which may have ended, or None."""
        with self._lock:
            return self._present.get(path)

    def present(self) -> list[Life]:
        """Give the present life of every node."""
        with self._lock:
            return list(self._present.values())

    def living(self) -> list[Life]:
        """Give every life that has not ended."""
        with self._lock:
            return list(self._living)

    def answer(self, life: Life, reply: words.SnapshotReply) -> None:
        """Keep what a life has said of itself."""
        with self.changed:
            life.snapshot = reply
            self.changed.notify_all()

    def is_empty(self) -> bool:
        """Tell whether no life is left. Needs `changed`, for who waits for that."""
        return not self._living

    def reachable(self) -> Reachable:
        """Give what is to be published."""
        with self._lock:
            present = self._present.values()
            return Reachable(
                list(self._known),
                [life.address for life in present if life.is_ready],
                [life.channel for life in present if life.channel is not None],
            )
