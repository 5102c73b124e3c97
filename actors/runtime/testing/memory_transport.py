"""MemoryNetwork: transports of one process that keep the promises of the ZeroMQ one, without sockets, threads or files.

Who sends also delivers: a call that puts something under way hands over whatever is under way, one thing at a time and in the
order of the sending, before it returns. Where another call is at that already, on another thread or further up on this one, it
leaves its own there. So no two receivers are called at once, an answer given inside `on_frame` cannot overtake anything, and a
test of one thread sees the same order in every run.

What differs from ZeroMQ: a frame is there at once, and an endpoint that is in use refuses a second listener instead of losing
what comes to the newcomer.
"""

import threading
from collections import deque
from collections.abc import Callable

from ..errors import RunDirectoryError
from ..log import Log
from ..transport.base import NodeAddress, Receiver
from ..wire.codec import join

_log = Log()

MAX_WAITING = 100_000
"""Envelopes that may wait for a node that does not listen yet: the ZeroMQ transport's bound."""
BATCH = 512
"""Envelopes a frame, where several have waited."""


class MemoryNetwork:
    """Where memory transports find each other: give `network.open` to whoever opens a transport. Any thread may call."""

    def __init__(self, *, max_waiting: int = MAX_WAITING) -> None:
        self._shared = _Shared(max_waiting)

    def open(self, identity: str, endpoint: str, receiver: Receiver) -> "MemoryTransport":
        """Open a transport that listens at `endpoint`, any text. Raises `RunDirectoryError` where another one listens there.

        What has waited for it is handed over by the next call of any transport, or by `deliver`: whoever opens this one does not
        have it yet, so it could not answer.
        """
        opened = MemoryTransport(self._shared, identity, endpoint, receiver)
        with self._shared.lock:
            if endpoint in self._shared.listeners:
                raise RunDirectoryError(f"cannot listen at {endpoint}: another transport of this network does")
            self._shared.listeners[endpoint] = opened
            for transport in list(self._shared.listeners.values()):
                transport.flush(endpoint)
        return opened

    def deliver(self) -> None:
        """Hand over what is under way."""
        self._shared.deliver()


class _Shared:
    """What the transports of one network share: who listens, and the calls of receivers that are under way."""

    def __init__(self, max_waiting: int) -> None:
        self.max_waiting = max_waiting
        self.lock = threading.RLock()
        self.listeners: dict[str, MemoryTransport] = {}
        self.under_way: deque[Callable[[], None]] = deque()
        self._is_delivering = False

    def deliver(self) -> None:
        """Make every call that is under way, unless somebody is at it. Not under the lock."""
        while True:
            with self.lock:
                if self._is_delivering or not self.under_way:
                    return
                self._is_delivering = True
                call = self.under_way.popleft()
            try:
                call()
            except Exception:  # one frame's trouble must not end the way of all others
                _log.exception("transport.receiver_failed")
            finally:
                with self.lock:
                    self._is_delivering = False


class MemoryTransport:
    """One end in a memory network, made by `MemoryNetwork.open`; follows `Transport`. It owns nothing but its place there."""

    def __init__(self, shared: _Shared, identity: str, endpoint: str, receiver: Receiver) -> None:
        self._shared = shared
        self._identity = identity.encode()
        self._endpoint = endpoint
        self._receiver = receiver
        self._waiting: dict[NodeAddress, list[bytes]] = {}
        self._peers: dict[bytes, MemoryTransport] = {}
        self._ended: dict[str, int] = {}
        self._left: set[str] = set()
        self._is_closed = False

    def send(self, address: NodeAddress, envelope: bytes) -> bool:
        """Hand an envelope over, or keep it until its node listens; False where too many wait, that life has ended, or closed."""
        with self._shared.lock:
            if self._is_closed or address.incarnation <= self._ended.get(address.path, 0):
                return False
            waiting = self._waiting.setdefault(address, [])
            if len(waiting) >= self._shared.max_waiting:
                return False
            waiting.append(envelope)
            self.flush(address.endpoint)
        self._shared.deliver()
        return True

    def reply(self, peer: bytes, envelope: bytes) -> None:
        """Answer a peer that has sent a frame; one that is gone, or that has forgotten this life, gets nothing: it is unsent."""
        with self._shared.lock:
            if self._is_closed:
                return
            asker = self._peers.get(peer)
            if asker is None or asker.is_deaf_to(self._endpoint):
                self._give_back([envelope], "the asker's node is gone")
            else:
                self._shared.under_way.append(lambda: asker.take(b"", join([envelope])))
        self._shared.deliver()

    def forget(self, address: NodeAddress) -> None:
        """Close the way to a life that has ended: what it has said before this call is handed over, and nothing after."""
        with self._shared.lock:
            if self._is_closed:
                return
            self._ended[address.path] = max(address.incarnation, self._ended.get(address.path, 0))
            self._left.add(address.endpoint)
            self._give_back(self._waiting.pop(address, []), f"{address.path} ended before they were sent")
            self._shared.under_way.append(lambda: self._receiver.on_forgotten(address))
        self._shared.deliver()

    def close(self) -> None:
        """Listen and send no more, and give back what waits. A second call does nothing."""
        with self._shared.lock:
            if self._is_closed:
                return
            self._is_closed = True
            del self._shared.listeners[self._endpoint]
            waiting, self._waiting = self._waiting, {}
            for envelopes in waiting.values():
                self._give_back(envelopes, "this node ended before they were sent")
        self._shared.deliver()

    def flush(self, endpoint: str) -> None:
        """Send what waits for `endpoint`, if somebody listens there. The network's, under its lock."""
        listener = self._shared.listeners.get(endpoint)
        if listener is None:
            return
        for address, envelopes in self._waiting.items():
            if address.endpoint == endpoint:
                for start in range(0, len(envelopes), BATCH):
                    self._send_frame(listener, join(envelopes[start : start + BATCH]))
                envelopes.clear()

    def is_deaf_to(self, endpoint: str) -> bool:
        """Tell whether an answer from `endpoint` would no longer be heard. The network's, under its lock."""
        return self._is_closed or endpoint in self._left

    def take(self, peer: bytes, frame: bytes) -> None:
        """Hand a frame to the receiver. What comes after the close is lost, as it is with a socket that closes."""
        if not self._is_closed:
            self._receiver.on_frame(peer, frame)

    def meet(self, peer: bytes, transport: "MemoryTransport") -> None:
        """Know a peer from now on, so that it can be answered. The network's, under its lock."""
        self._peers[peer] = transport

    def _send_frame(self, listener: "MemoryTransport", frame: bytes) -> None:
        listener.meet(self._identity, self)
        self._shared.under_way.append(lambda: listener.take(self._identity, frame))

    def _give_back(self, envelopes: list[bytes], reason: str) -> None:
        if envelopes:
            self._shared.under_way.append(lambda: self._receiver.on_unsent(envelopes, reason))
