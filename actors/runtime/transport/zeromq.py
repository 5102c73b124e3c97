"""ZeroMQ: a ROUTER that listens, a DEALER to each node that is sent to, all owned by one thread.

Facts that shape it (libzmq 4.3.5): a ROUTER drops what it cannot route unless ROUTER_MANDATORY is set; a DEALER queues for an
absent peer unless IMMEDIATE is set; the default reconnect interval adds 100 ms to each restart; a second `bind` to an ipc path
steals it, so each life of a node has a path of its own; LINGER would hold `close` up for ever. Envelopes that wait for one peer
travel as one frame, since libzmq's cost is by the frame.
"""

import os
import threading
from collections import deque

import structlog
import zmq

from ..errors import RunDirectoryError
from ..wire.codec import join
from ..wire.framing import MAX_FRAME
from .base import NodeAddress, Receiver

_log = structlog.get_logger("actors.runtime")

MAX_WAITING = 100_000
"""Envelopes that may wait for one node: enough for a restart, and a bound."""
FRAMES_AHEAD = 1_000
BATCH = 512
RECONNECT_MS = 5
JOIN_S = 2.0
LAST_WORDS_MS = 100
"""How long `close` lets libzmq go on with what it was given; an absent peer costs that once, and no more."""


class _Lane:
    """What waits for one node, and the socket to it once there is one. Only the transport's thread touches the socket."""

    def __init__(self) -> None:
        self.waiting: deque[bytes] = deque()
        self.socket: zmq.Socket[bytes] | None = None
        self.blocked = False


class ZeromqTransport:
    """A transport over ZeroMQ's ipc. `close` it once; it owns a context, a thread and a socket file."""

    def __init__(self, identity: str, endpoint: str, receiver: Receiver) -> None:
        self._identity = identity.encode()
        self._receiver = receiver
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._lock = threading.Lock()
        self._lanes: dict[NodeAddress, _Lane] = {}
        self._forgotten: deque[NodeAddress] = deque()
        self._ended: dict[str, int] = {}
        self._replies: deque[tuple[bytes, bytes]] = deque()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closing = False
        try:
            self._router.set(zmq.LINGER, 0)
            self._router.set(zmq.ROUTER_MANDATORY, 1)
            self._router.set(zmq.MAXMSGSIZE, MAX_FRAME)
            self._router.set(zmq.SNDHWM, FRAMES_AHEAD)
            self._router.bind(endpoint)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            os.close(self._wake_fd)
            raise RunDirectoryError(f"cannot listen at {endpoint}: {error}") from error
        self._poller = zmq.Poller()
        self._poller.register(self._router, zmq.POLLIN)
        self._poller.register(self._wake_fd, zmq.POLLIN)
        self._thread = threading.Thread(target=self._run, name="zeromq", daemon=True)
        self._thread.start()

    def send(self, address: NodeAddress, envelope: bytes) -> bool:
        """Queue an envelope; False where 100,000 wait already, that life has ended, or the transport is closed."""
        with self._lock:
            if self._closing or address.incarnation <= self._ended.get(address.path, 0):
                return False
            lane = self._lanes.get(address)
            if lane is None:
                lane = self._lanes[address] = _Lane()
            if len(lane.waiting) >= MAX_WAITING:
                return False
            lane.waiting.append(envelope)
            self._wake()
        return True

    def reply(self, peer: bytes, envelope: bytes) -> None:
        """Queue an envelope for a peer that has sent a frame."""
        self._replies.append((peer, envelope))
        with self._lock:
            self._wake()

    def forget(self, address: NodeAddress) -> None:
        """Close the way to a life that has ended."""
        self._forgotten.append(address)
        with self._lock:
            # A send that is late must not open a lane to nobody.
            self._ended[address.path] = max(address.incarnation, self._ended.get(address.path, 0))
            self._wake()

    def close(self) -> None:
        """Send what can be sent within 0.1 s, then close every socket."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(JOIN_S)

    def _wake(self) -> None:
        # Under the lock: a closed transport has nobody left to wake, and its descriptor may be another's by now.
        if self._wake_fd >= 0:
            os.eventfd_write(self._wake_fd, 1)

    def _run(self) -> None:
        try:
            while not self._closing:
                for ready, _ in self._poller.poll():
                    if ready == self._wake_fd:
                        os.eventfd_read(self._wake_fd)
                    elif ready is self._router:
                        self._receive(self._router, routed=True)
                    else:
                        self._receive(ready, routed=False)
                self._flush()
            self._flush()
        except Exception:  # nothing above this thread could hear of it; the node's actors see asks time out, and the log says why
            _log.exception("transport.failed")
        finally:
            with self._lock:
                self._closing = True
                wake_fd, self._wake_fd = self._wake_fd, -1
            self._context.destroy(linger=LAST_WORDS_MS)
            os.close(wake_fd)

    def _receive(self, socket: "zmq.Socket[bytes]", *, routed: bool) -> None:
        for _ in range(BATCH):
            try:
                parts = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if routed and len(parts) == 2:
                self._receiver.on_frame(parts[0], parts[1])
            elif not routed and len(parts) == 1:
                self._receiver.on_frame(b"", parts[0])
            else:
                self._receiver.on_frame(parts[0], b"")

    def _flush(self) -> None:
        while self._forgotten:
            self._close_lane(self._forgotten.popleft())
        self._flush_replies()
        with self._lock:
            lanes = list(self._lanes.items())
        for address, lane in lanes:
            self._flush_lane(address, lane)

    def _flush_replies(self) -> None:
        by_peer: dict[bytes, list[bytes]] = {}
        while self._replies:
            peer, envelope = self._replies.popleft()
            by_peer.setdefault(peer, []).append(envelope)
        for peer, envelopes in by_peer.items():
            try:
                self._router.send_multipart([peer, join(envelopes)], zmq.NOBLOCK)
            except zmq.ZMQError as error:
                self._receiver.on_unsent(envelopes, f"the asker's node is gone ({error})")

    def _flush_lane(self, address: NodeAddress, lane: _Lane) -> None:
        while lane.waiting:
            socket = lane.socket or self._connect(address, lane)
            envelopes = [lane.waiting[position] for position in range(min(BATCH, len(lane.waiting)))]
            try:
                socket.send(join(envelopes), zmq.NOBLOCK)
            except zmq.Again:
                self._set_blocked(lane, socket, blocked=True)
                return
            for _ in envelopes:
                lane.waiting.popleft()
        if lane.socket is not None:
            self._set_blocked(lane, lane.socket, blocked=False)

    def _set_blocked(self, lane: _Lane, socket: "zmq.Socket[bytes]", *, blocked: bool) -> None:
        if lane.blocked != blocked:
            lane.blocked = blocked
            self._poller.modify(socket, zmq.POLLIN | (zmq.POLLOUT if blocked else 0))

    def _connect(self, address: NodeAddress, lane: _Lane) -> "zmq.Socket[bytes]":
        socket = self._context.socket(zmq.DEALER)
        socket.set(zmq.LINGER, 0)
        socket.set(zmq.IMMEDIATE, 1)
        socket.set(zmq.RECONNECT_IVL, RECONNECT_MS)
        socket.set(zmq.SNDHWM, FRAMES_AHEAD)
        socket.set(zmq.MAXMSGSIZE, MAX_FRAME)
        socket.set(zmq.ROUTING_ID, self._identity)
        socket.connect(address.endpoint)
        self._poller.register(socket, zmq.POLLIN)
        lane.socket = socket
        return socket

    def _close_lane(self, address: NodeAddress) -> None:
        with self._lock:
            lane = self._lanes.pop(address, None)
        if lane is None:
            return
        if lane.socket is not None:
            self._poller.unregister(lane.socket)
            lane.socket.close(linger=0)
        if lane.waiting:
            self._receiver.on_unsent(list(lane.waiting), f"{address.path} ended before they were sent")
