"""Groups: actors under a common name, told together; one register of them a system.

As Erlang's `pg`, with two differences: an actor is in a group once, however often it joins, and it is in it by its path. So its
membership survives restarts and ends with the actor: whoever removes it for good calls `forget`. A **topic** is a group that is
used by `publish`; there is no other difference, and nothing is kept for members to come.

The register is of one process. Its members may live in any, but who publishes must hold it.

Reading takes no lock: a group is an immutable tuple, replaced as a whole. Joining and leaving copy it, which is meant for
groups of hundreds that are told more often than they change. Events are published in the order of the changes but outside the
lock, since a listener may join and leave: the thread that finds nobody telling tells for all, as in `EventLog`.
"""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from .address import parse_path
from .errors import UsageError
from .events import EventLog
from .ref import ActorRef
from .routing.fan_out import tell_all


class Groups:
    """The groups of one system. Any thread may call any method; a group is there while it has members.

    Changes are published as `group.joined` and `group.left` under the member's path, with `group` and, where it left, a
    `reason`: `left` by its own or another's wish, `gone` with its actor.
    """

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._lock = threading.Lock()
        self._members: dict[str, tuple[ActorRef, ...]] = {}
        self._groups_of: dict[str, dict[str, None]] = {}
        # Each member's path under itself and all above it, so that an actor that ends, as most do, in no group costs one look.
        self._members_within: dict[str, dict[str, None]] = {}
        self._untold: deque[tuple[str, str, dict[str, str]]] = deque()
        self._is_telling = False

    def join(self, group: str, ref: ActorRef) -> None:
        """Let the actor of `ref` be a member, whether or not it runs now; nothing changes where it is one.

        Raises `UsageError` for a group without a name, and for what is no ref.
        """
        _check_name(group)
        _check_ref(ref)
        with self._lock:
            groups = self._groups_of.setdefault(ref.path, {})
            if group in groups:
                return
            groups[group] = None
            for path in _lineage(ref.path):
                self._members_within.setdefault(path, {})[ref.path] = None
            self._members[group] = (*self._members.get(group, ()), ref)
            self._untold.append(("group.joined", ref.path, {"group": group}))
        self._tell()

    def leave(self, group: str, ref: ActorRef) -> None:
        """Let the actor of `ref` be no member; nothing changes where it is none. Raises `UsageError` as `join` does."""
        _check_name(group)
        _check_ref(ref)
        with self._lock:
            if group in self._groups_of.get(ref.path, ()):
                self._drop(ref.path, (group,), "left")
        self._tell()

    def leave_all(self, path: str) -> None:
        """Let the actor at `path` be in no group. Raises `InvalidPathError`."""
        parse_path(path)
        with self._lock:
            self._drop(path, self._groups_of.get(path, ()), "left")
        self._tell()

    def forget(self, path: str) -> None:
        """Drop the actor at `path` and all below it from every group: they are gone for good.

        For the runtime, which calls it each time that an actor ends for good: where none of them is a member, it takes no lock.
        """
        if path not in self._members_within:
            return
        with self._lock:
            for member in tuple(self._members_within.get(path, ())):
                self._drop(member, self._groups_of[member], "gone")
        self._tell()

    def members(self, group: str) -> tuple[ActorRef, ...]:
        """Give who is in the group now, in the order of joining; nobody where there is no such group. Raises `UsageError`."""
        _check_name(group)
        return self._members.get(group, ())

    def groups(self) -> tuple[str, ...]:
        """Give the names of all groups, sorted."""
        # `sorted` copies the keys in one atomic step before it compares any.
        return tuple(sorted(self._members))

    def publish(self, group: str, message: Any) -> int:
        """Tell `message` to every member, and give how many took it: 0 where there is no such group.

        A member that refuses, as one with a full mailbox, does not keep it from the others. See `tell_all` for the rest. Raises
        `UsageError` for a group without a name.
        """
        return tell_all(self.members(group), message)

    def _drop(self, path: str, groups: Iterable[str], reason: str) -> None:
        for group in tuple(groups):
            del self._groups_of[path][group]
            left = tuple(member for member in self._members[group] if member.path != path)
            if left:
                self._members[group] = left
            else:
                del self._members[group]
            self._untold.append(("group.left", path, {"group": group, "reason": reason}))
        if not self._groups_of.get(path, True):
            del self._groups_of[path]
            for above in _lineage(path):
                del self._members_within[above][path]
                if not self._members_within[above]:
                    del self._members_within[above]

    def _tell(self) -> None:
        with self._lock:
            if self._is_telling:
                return
            self._is_telling = True
        try:
            while (untold := self._next_untold()) is not None:
                type_, path, fields = untold
                self._events.publish(type_, path, **fields)
        except BaseException:  # an interrupt of this thread must not leave the others' events untold for ever
            self._is_telling = False
            raise

    def _next_untold(self) -> tuple[str, str, dict[str, str]] | None:
        with self._lock:
            if self._untold:
                return self._untold.popleft()
            # Under the same lock as the look: whoever adds after it finds nobody telling.
            self._is_telling = False
            return None


def _check_name(group: object) -> None:
    if not isinstance(group, str) or not group.strip():
        raise UsageError(f"{group!r} is no name of a group: give a text that is not empty")


def _check_ref(ref: object) -> None:
    if not isinstance(ref, ActorRef):
        raise UsageError(f"{ref!r} is no ref: a group takes what `system.spawn` or `system.ref` gives")


def _lineage(path: str) -> Iterator[str]:
    yield path
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path
