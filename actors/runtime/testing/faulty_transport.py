"""FaultyTransport: a transport that misbehaves as a test says, around any other.

It stands between a link and the transport it would open, so that what is tested is the link and all above it, unchanged. Nothing
here sleeps or has a thread: what is held back waits in a list until the test releases it or moves the clock. Each way draws its
chances from a generator of its own, made from the seed and the way's name; so the same seed and the same calls on a way give the
same faults, however the calls of different threads fall between each other.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from ..errors import UsageError
from ..transport.base import NodeAddress, Open, Receiver, Transport
from .clock import FakeClock
from .faults import KINDS, Corrupt, Delay, Drop, Duplicate, Fault, FaultKind, Reorder, Way, node_of


class FaultyTransport:
    """Opens transports that misbehave: give `faulty.open` to whoever opens one. Any thread may call.

    The first rule of `faults` that matches a frame and whose chance comes true decides; without one, the frame passes. `chance`
    gives the seed and is drawn from once. `clock` is what moves delayed frames; without one, they wait for `release`.
    """

    def __init__(
        self,
        open_transport: Open,
        faults: Sequence[Fault] = (),
        chance: random.Random | None = None,
        *,
        clock: FakeClock | None = None,
    ) -> None:
        if clock is None and any(isinstance(fault, Delay) and fault.seconds is not None for fault in faults):
            raise UsageError("a Delay of some seconds needs a clock: FaultyTransport(…, clock=FakeClock())")
        if chance is None and any(fault.probability < 1 or isinstance(fault, Corrupt) for fault in faults):
            raise UsageError("faults by chance need a seed, so that they come again: FaultyTransport(…, random.Random(1))")
        self._open = open_transport
        self._faults = tuple(faults)
        self._seed = 0 if chance is None else chance.getrandbits(64)
        self._clock = clock
        self._lock = threading.Lock()
        self._lanes: dict[Way, _Lane] = {}
        self._held: list[_Held] = []
        self._cuts: set[tuple[str, str]] = set()
        self._groups: tuple[frozenset[str], ...] = ()
        self._counts: Counter[FaultKind] = Counter()
        if clock is not None:
            clock.listen(self._release_due)

    def open(self, identity: str, endpoint: str, receiver: Receiver) -> Transport:
        """Open a transport whose frames, in both directions, are subject to the faults; an `Open`."""
        end = _FaultyEnd(self, identity, receiver)
        end.inner = self._open(identity, endpoint, end)
        return end

    def faults(self) -> dict[FaultKind, int]:
        """Say how often each kind of fault has been injected. Counts only grow."""
        with self._lock:
            return {kind: self._counts[kind] for kind in KINDS}

    def held(self) -> int:
        """Say how many frames are held back now, by `Delay` and `Reorder`."""
        with self._lock:
            return len(self._held)

    def release(self) -> int:
        """Pass on every frame that is held back, the longest held first, and say how many they were."""
        with self._lock:
            released, self._held = self._held, []
        for held in released:
            held.frame.pass_on()
        return len(released)

    def cut(self, source: str, target: str) -> None:
        """Lose what the node at path `source` sends to the one at `target`, until `mend`; the other way stays open.

        Of answers that are received nothing says from whom they come, so both nodes must have been opened here.
        """
        with self._lock:
            self._cuts.add((source, target))

    def partition(self, *groups: Iterable[str]) -> None:
        """Lose what nodes of different groups send each other, until `mend`. A node in no group reaches all."""
        with self._lock:
            self._groups = tuple(frozenset(group) for group in groups)

    def mend(self) -> None:
        """End every cut and partition. What they have lost stays lost."""
        with self._lock:
            self._cuts.clear()
            self._groups = ()

    def process(self, way: Way, frame: "_Frame") -> bool:
        """Let a frame meet its fate; False where the transport did not take it. For the ends."""
        with self._lock:
            passing = self._fate(way, frame)
        taken = [each.pass_on() for each in passing]
        return not taken or taken[0]

    def withdraw(self, end: "_FaultyEnd", address: NodeAddress | None = None) -> list[bytes]:
        """Take back what `end` has sent (to `address`) and is still held. For the ends."""
        with self._lock:
            mine = [each for each in self._held if each.frame.end is end and address in (None, each.frame.address)]
            self._held = [each for each in self._held if each not in mine]
        return [each.frame.data for each in mine if each.way.direction != "receive"]

    def _fate(self, way: Way, frame: "_Frame") -> list["_Frame"]:
        lane = self._lanes.get(way)
        if lane is None:
            lane = self._lanes[way] = _Lane(random.Random(f"{self._seed} {way}"))  # noqa: S311  # chaos, not secrets
        lane.count += 1
        if (barrier := self._barrier(way)) is not None:
            self._counts[barrier] += 1
            return []
        fault = next((each for each in self._faults if each.matches(way, lane.count) and lane.draws(each.probability)), None)
        if fault is not None:
            self._counts[fault.kind] += 1
        match fault:
            case Drop():
                return []
            case Delay(seconds=seconds):
                deadline = None if seconds is None or self._clock is None else self._clock.monotonic() + seconds
                self._held.append(_Held(way, frame, deadline=deadline))
                return []
            case Reorder(behind=behind):
                self._held.append(_Held(way, frame, behind=behind))
                return []
            case Duplicate():
                passing = [frame, frame]
            case Corrupt():
                passing = [frame.with_data(fault.spoil(frame.data, lane.chance))]
            case _:
                passing = [frame]
        return passing + self._overtaken(way)

    def _barrier(self, way: Way) -> FaultKind | None:
        source, target = (way.peer, way.node) if way.direction == "receive" else (way.node, way.peer)
        if (source, target) in self._cuts:
            return "cut"
        sides = [group for group in self._groups if source in group or target in group]
        apart = len(sides) > 1 and not any(source in group and target in group for group in sides)
        return "partition" if apart else None

    def _overtaken(self, way: Way) -> list["_Frame"]:
        waiting = [each for each in self._held if each.way == way and each.behind is not None]
        for held in waiting:
            held.behind = (held.behind or 0) - 1
        over = [each for each in waiting if each.behind == 0]
        self._held = [each for each in self._held if each not in over]
        return [each.frame for each in over]

    def _release_due(self) -> None:
        if self._clock is None:
            return
        now = self._clock.monotonic()
        with self._lock:
            due = [each for each in self._held if each.deadline is not None and each.deadline <= now]
            self._held = [each for each in self._held if each not in due]
        # A stable sort: of those that are due at one time, the first held goes first.
        for held in sorted(due, key=lambda each: each.deadline or 0.0):
            held.frame.pass_on()


class _Lane:
    """What is remembered of one way: how many frames it has seen, and its own chances."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.count = 0

    def draws(self, probability: float) -> bool:
        return probability >= 1 or self.chance.random() < probability


_On = Callable[[bytes, bool], bool]
"""Passes a frame's bytes on, told whether it was held back before; False where it was not taken."""


class _Frame:
    """Bytes on their way, and how they go on."""

    def __init__(
        self, end: "_FaultyEnd", data: bytes, on: Callable[[bytes, bool], bool], address: NodeAddress | None = None
    ) -> None:
        self.end = end
        self.data = data
        self.address = address
        self.was_held = False
        self._on = on

    def pass_on(self) -> bool:
        return self._on(self.data, self.was_held)

    def with_data(self, data: bytes) -> "_Frame":
        return _Frame(self.end, data, self._on, self.address)


class _Held:
    """A frame that is held back, until a time or until some others have passed."""

    def __init__(self, way: Way, frame: _Frame, *, deadline: float | None = None, behind: int | None = None) -> None:
        self.way = way
        self.frame = frame
        self.deadline = deadline
        self.behind = behind
        frame.was_held = True


class _FaultyEnd:
    """One transport among its faults: a transport for whoever opened it, and the receiver of the one within."""

    inner: Transport

    def __init__(self, faulty: FaultyTransport, identity: str, receiver: Receiver) -> None:
        self._faulty = faulty
        self._identity = identity
        self._receiver = receiver
        self._is_closed = False

    def send(self, address: NodeAddress, envelope: bytes) -> bool:
        if self._is_closed:
            return False

        def on(data: bytes, was_held: bool) -> bool:
            taken = self.inner.send(address, data)
            if was_held and not taken:
                # Its sender was told that it is on its way, so it has to hear of it here.
                self._receiver.on_unsent([data], f"{address.path} did not take it when it was released")
            return taken

        return self._faulty.process(Way(self._identity, "send", address.path), _Frame(self, envelope, on, address))

    def reply(self, peer: bytes, envelope: bytes) -> None:
        def on(data: bytes, _: bool) -> bool:
            self.inner.reply(peer, data)
            return True

        way = Way(self._identity, "reply", node_of(peer.decode("utf-8", "replace")))
        self._faulty.process(way, _Frame(self, envelope, on))

    def forget(self, address: NodeAddress) -> None:
        held = self._faulty.withdraw(self, address)
        if held:
            self._receiver.on_unsent(held, f"{address.path} ended before they were sent")
        self.inner.forget(address)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            held = self._faulty.withdraw(self)
            if held:
                self._receiver.on_unsent(held, "this node ended before they were sent")
        self.inner.close()

    def on_frame(self, peer: bytes, frame: bytes) -> None:
        def on(data: bytes, _: bool) -> bool:
            self._receiver.on_frame(peer, data)
            return True

        way = Way(self._identity, "receive", node_of(peer.decode("utf-8", "replace")))
        self._faulty.process(way, _Frame(self, frame, on))

    def on_unsent(self, envelopes: list[bytes], reason: str) -> None:
        self._receiver.on_unsent(envelopes, reason)

    def on_forgotten(self, address: NodeAddress) -> None:
        self._receiver.on_forgotten(address)

    def on_failed(self, reason: str) -> None:
        self._receiver.on_failed(reason)
