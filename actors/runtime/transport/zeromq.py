"""ZeroMQ: a ROUTER that listens, a DEALER to each node that is sent to, all owned by one thread.

Facts that shape it (libzmq 4.3.5): a ROUTER drops what it cannot route unless ROUTER_MANDATORY is set; a DEALER queues for an
absent peer unless IMMEDIATE is set; the default reconnect interval adds 100 ms to each restart; a second `bind` to an ipc path
steals it, so each life of a node has a path of its own; LINGER would hold `close` up for ever. Envelopes that wait for one peer
travel as one frame, since libzmq's cost is by the frame.
"""

import hashlib
import os
import threading
import time
from collections import deque

import zmq

from ..errors import RunDirectoryError
from ..log import Log
from ..wire.codec import join
from ..wire.framing import MAX_FRAME
from .base import NodeAddress, Receiver

_log = Log()

MAX_WAITING = 100_000
"""Envelopes that may wait for one node: enough for a restart, and a bound."""
FRAMES_AHEAD = 1_000
BATCH = 512
BATCH_BYTES = 1024 * 1024
"""Where a frame of several envelopes ends: far below libzmq's limit, at which the receiver hangs up and all of it is lost."""
RETRY_MS = 10
"""How soon an answer is tried again that libzmq does not take: a ROUTER does not say when one of its peers has room."""
LONGEST_IDENTITY = 255
LAST_ANSWERS_S = 0.1
"""How long answers of a life that has ended are still read: its end may be known before they are through libzmq.

No longer than until libzmq itself has seen the end of the stream, for it has read all that came before that. That shows in that
the socket takes nothing more (IMMEDIATE), unless it took nothing before, for want of room: then it is a matter of time.
"""
LAST_ANSWERS_IF_BLOCKED_S = 0.02
LAST_ANSWERS_PAUSE_MS = 2
RECONNECT_MS = 5
JOIN_S = 2.0
LAST_WORDS_S = 0.05
LAST_WORDS_MS = 100
"""How long `close` lets libzmq go on with what it was given; an absent peer costs that once, and no more."""


class _Lane:
    """What waits for one node, and the socket to it once there is one. Only the transport's thread touches the socket."""

    def __init__(self) -> None:
        self.waiting: deque[bytes] = deque()
        self.socket: zmq.Socket[bytes] | None = None
        self.blocked = False

    def is_at_its_end(self, waited_s: float) -> bool:
        """Tell whether nothing can come any more of a life whose end has been known for so long."""
        if self.socket is None or waited_s >= LAST_ANSWERS_S:
            return True
        if self.blocked:
            return waited_s >= LAST_ANSWERS_IF_BLOCKED_S
        return not self.socket.poll(0, zmq.POLLOUT)


class ZeromqTransport:
    """A transport over ZeroMQ's ipc. `close` it once; it owns a context, a thread and a socket file."""

    def __init__(self, identity: str, endpoint: str, receiver: Receiver) -> None:
        self._identity = _identity_of(identity)
        self._receiver = receiver
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._lock = threading.Lock()
        self._lanes: dict[NodeAddress, _Lane] = {}
        self._forgotten: deque[tuple[float, NodeAddress]] = deque()
        self._ended: dict[str, int] = {}
        self._replies: deque[tuple[bytes, bytes]] = deque()
        self._unanswered: dict[bytes, deque[bytes]] = {}
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closing = False
        self._sent_at = -LAST_WORDS_S
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
        with self._lock:
            # First, so that a send that is late does not open a lane to nobody.
            self._ended[address.path] = max(address.incarnation, self._ended.get(address.path, 0))
            self._forgotten.append((time.monotonic(), address))
            self._wake()

    def close(self) -> None:
        """Send what can be sent within 0.1 s, give back what cannot, then close every socket."""
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
                for ready, _ in self._poller.poll(self._until_next_ms()):
                    if ready == self._wake_fd:
                        os.eventfd_read(self._wake_fd)
                    elif ready is self._router:
                        self._receive(self._router, routed=True)
                    else:
                        self._receive(ready, routed=False)
                self._flush()
            self._flush()
            self._let_it_leave()
            self._give_back()
        except Exception as error:  # nothing above this thread could hear of it, so the receiver is told
            _log.exception("transport.failed")
            self._end()
            self._receiver.on_failed(f"{type(error).__name__}: {error}")
        else:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._closing = True
            wake_fd, self._wake_fd = self._wake_fd, -1
        self._context.destroy(linger=LAST_WORDS_MS)
        os.close(wake_fd)

    def _receive(self, socket: "zmq.Socket[bytes]", *, routed: bool) -> bool:
        """Hand over what there is, up to a bound; True where that was all."""
        for _ in range(BATCH):
            try:
                parts = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return True
            if routed and len(parts) == 2:
                self._hand_over(parts[0], parts[1])
            elif not routed and len(parts) == 1:
                self._hand_over(b"", parts[0])
            else:
                self._hand_over(parts[0], b"")
        return False

    def _hand_over(self, peer: bytes, frame: bytes) -> None:
        try:
            self._receiver.on_frame(peer, frame)
        except Exception:  # one frame's trouble must not end the way of all others
            _log.exception("transport.receiver_failed")

    def _until_next_ms(self) -> int | None:
        with self._lock:
            unconnected = any(lane.waiting and lane.socket is None for lane in self._lanes.values())
        until = [RETRY_MS] if self._unanswered or unconnected else []
        if self._forgotten:
            until.append(LAST_ANSWERS_PAUSE_MS)
        return min(until, default=None)

    def _flush(self) -> None:
        self._close_what_has_ended()
        self._flush_replies()
        with self._lock:
            lanes = list(self._lanes.items())
        for address, lane in lanes:
            self._flush_lane(address, lane)

    def _close_what_has_ended(self) -> None:
        for _ in range(len(self._forgotten)):
            since, address = self._forgotten.popleft()
            with self._lock:
                lane = self._lanes.get(address)
            if lane is None or lane.is_at_its_end(time.monotonic() - since):
                if lane is not None and lane.socket is not None:
                    # What had come before the end is there by now, and may not have been read yet.
                    while not self._receive(lane.socket, routed=False):
                        continue
                self._close_lane(address)
            else:
                self._forgotten.append((since, address))

    def _flush_replies(self) -> None:
        while self._replies:
            peer, envelope = self._replies.popleft()
            self._unanswered.setdefault(peer, deque()).append(envelope)
        for peer, waiting in list(self._unanswered.items()):
            problem = self._flush_peer(peer, waiting)
            if waiting and problem:
                self._receiver.on_unsent(list(waiting), problem)
                waiting.clear()
            if not waiting:
                del self._unanswered[peer]

    def _flush_peer(self, peer: bytes, waiting: deque[bytes]) -> str | None:
        """Send a peer its answers, as far as that goes; gives what is wrong where the rest cannot be sent at all."""
        while waiting:
            envelopes = _batch(waiting)
            try:
                self._router.send_multipart([peer, join(envelopes)], zmq.NOBLOCK)
            except zmq.Again:
                return f"the asker's node does not read: {MAX_WAITING} wait" if len(waiting) > MAX_WAITING else None
            except zmq.ZMQError as error:
                return f"the asker's node is gone ({error})"
            self._sent_at = time.monotonic()
            for _ in envelopes:
                waiting.popleft()
        return None

    def _flush_lane(self, address: NodeAddress, lane: _Lane) -> None:
        while lane.waiting:
            try:
                socket = lane.socket or self._connect(address, lane)
            except zmq.ZMQError as error:  # no descriptor is left, say: what waits goes on waiting for one
                _log.warning("transport.not_connected", node=address.path, reason=str(error))
                return
            envelopes = _batch(lane.waiting)
            try:
                socket.send(join(envelopes), zmq.NOBLOCK)
            except zmq.Again:
                self._set_blocked(lane, socket, blocked=True)
                return
            self._sent_at = time.monotonic()
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
        if lane is not None and lane.socket is not None:
            self._poller.unregister(lane.socket)
            lane.socket.close(linger=0)
        if lane is not None and lane.waiting:
            self._receiver.on_unsent(list(lane.waiting), f"{address.path} ended before they were sent")
        self._receiver.on_forgotten(address)

    def _let_it_leave(self) -> None:
        """Give libzmq's own thread time for what it has just been given: closing loses that, whatever LINGER says."""
        left_s = self._sent_at + LAST_WORDS_S - time.monotonic()
        if left_s > 0:
            time.sleep(left_s)

    def _give_back(self) -> None:
        for waiting in self._unanswered.values():
            self._receiver.on_unsent(list(waiting), "this node ended before they were sent")
        with self._lock:
            left = [lane.waiting for lane in self._lanes.values() if lane.waiting]
        for waiting in left:
            self._receiver.on_unsent(list(waiting), "this node ended before they were sent")


def _batch(waiting: deque[bytes]) -> list[bytes]:
    """Give the oldest envelopes that go into one frame, without taking them: one at least."""
    envelopes: list[bytes] = []
    size = 0
    # No more than there are now: other threads append meanwhile, and a deque that grows cannot be iterated over.
    for position in range(min(BATCH, len(waiting))):
        envelope = waiting[position]
        size += len(envelope)
        if envelopes and size > BATCH_BYTES:
            break
        envelopes.append(envelope)
    return envelopes


def _identity_of(name: str) -> bytes:
    """Give the identity of a node for libzmq: its name, or what stands for one that is too long."""
    identity = name.encode()
    return identity if len(identity) <= LONGEST_IDENTITY else hashlib.sha256(identity).hexdigest().encode()
