"""Link: a node's messages to and from other nodes, over a transport.

An ask that is under way is kept here until its answer, its deadline or the end of the target's node, whichever is first.
Envelopes that the transport accepted for a node which then ended are reported: an ask resolves with `TerminatedError`, a tell
becomes a dead letter. (A tell that had already been sent when the node was killed is lost without a word: delivery that
survives that, with acknowledgements and a ledger, is not built yet.)
"""

import itertools
import os
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from .address import ROOT, ActorPath, closest
from .clock import Clock
from .dead_letters import DeadLetters
from .envelope import Envelope
from .errors import (
    ActorFailedError,
    ActorRuntimeError,
    AskTimeoutError,
    NodeUnavailableError,
    NoSuchActorError,
    ProtocolError,
    RejectedError,
    RemoteError,
    TerminatedError,
    UnsendableError,
    UsageError,
)
from .events import EventLog
from .exits import describe, text_of
from .future import Future, resolved_with
from .log import Log
from .messages import PROXY_MESSAGES, reply_type_of
from .terminated import Terminated
from .timers import Appointments, Timer
from .transport.base import NodeAddress, Open
from .wire.codec import AskFrame, Codec, ErrorFrame, Frame, ReplyFrame, TellFrame, Vocabulary, tag_of

_log = Log()

_KINDS: dict[str, type[ActorRuntimeError]] = {
    kind.__name__: kind
    for kind in (
        ActorFailedError,
        AskTimeoutError,
        NoSuchActorError,
        NodeUnavailableError,
        RejectedError,
        TerminatedError,
        UnsendableError,
    )
}


class LocalActor(NamedTuple):
    """An actor of this process, as the link sees it: how to put a message, and what types it understands."""

    put: Callable[[Envelope], None]
    messages: tuple[type, ...]
    expected_errors: tuple[type[Exception], ...]


class Local(Protocol):
    """What the link needs of its system."""

    clock: Clock
    timers: Appointments
    events: EventLog
    dead_letters: DeadLetters
    path: ActorPath

    def local_actor(self, path: str) -> LocalActor:
        """Give the actor at `path` in this process. Raises `NoSuchActorError`."""
        ...

    def on_link_failed(self, reason: str) -> None:
        """Hear that this process can reach no other any more."""
        ...


class _Pending(NamedTuple):
    future: Future[Any]
    node: NodeAddress
    reply_type: Any
    timer: Timer | None
    target: str


class Link:
    """Messages between nodes. Any thread may call."""

    def __init__(self, local: Local, codec: Codec, identity: str, endpoint: str, open_transport: Open) -> None:
        self._local = local
        self._codec = codec
        self._identity = identity
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._routes: dict[ActorPath, NodeAddress] = {}
        self._nodes: frozenset[ActorPath] = frozenset({local.path})
        self._pending: dict[int, _Pending] = {}
        self._correlations = itertools.count(1)
        self._vocabularies: dict[tuple[type, ...], Vocabulary] = {}
        self._rejected = 0
        self.endpoint = endpoint
        self._transport = open_transport(identity, endpoint, self)

    def node_of(self, path: str) -> ActorPath | None:
        """Give the node that `path` lies in, or None where that is this one."""
        node = closest(path, self._nodes) or ROOT
        return None if node == self._local.path else node

    def set_routes(self, nodes: list[ActorPath], addresses: list[NodeAddress]) -> None:
        """Take the nodes there are and the addresses of those that are up. Asks to a life that is not among them resolve."""
        with self._lock:
            gone = [known for known in self._routes.values() if known not in addresses]
            self._routes = {ActorPath(address.path): address for address in addresses}
            self._nodes = frozenset({*nodes, self._local.path})
        for address in gone:
            self._transport.forget(address)

    def tell(self, node: ActorPath, path: ActorPath, message: Any, sender: str) -> None:
        """Send a message that wants no answer. Raises `DeliveryError`, or `UsageError` where it cannot be sent from here."""
        self._refuse_copies()
        body = self._codec.encode_body(message)
        frame = TellFrame(path, sender, tag_of(type(message)), body)
        self._send(self._address(node, path), frame, path)

    def ask(
        self,
        node: ActorPath,
        path: ActorPath,
        message: Any,
        sender: str,
        timeout: float | None,
        *,
        tag: str | None = None,
        reply_type: Any = None,
    ) -> Future[Any]:
        """Send a message that wants an answer; whatever is wrong resolves the future.

        `tag` and `reply_type` are the message's own unless given, as they are for a message that is encoded already.
        """
        self._refuse_copies()
        tag = tag_of(type(message)) if tag is None else tag
        reply_type = reply_type_of(type(message)) if reply_type is None else reply_type
        future: Future[Any] = Future()
        correlation = next(self._correlations)
        try:
            address = self._address(node, path)
            body = self._codec.encode_body(message)
            timer = None
            if timeout is not None:
                timer = self._local.timers.call_later(timeout, lambda: self._expire(correlation, timeout))
            pending = _Pending(future, address, reply_type, timer, path)
            with self._lock:
                self._pending[correlation] = pending
                still_up = self._routes.get(node) == address
            if not still_up:
                raise TerminatedError(f"{node} ended before it answered for {path}")
            self._send(address, AskFrame(correlation, path, sender, timeout, tag, body), path)
        except ActorRuntimeError as error:
            taken = self._take(correlation)
            if taken is None:
                return resolved_with(error)
            self._resolve(taken, error)
        return future

    def close(self) -> None:
        """Close the transport; asks under way resolve."""
        self._transport.close()
        self._give_up("this node ended")

    def on_failed(self, reason: str) -> None:
        """Hear that the transport has failed: a node that can be reached by nobody is of no use, so its system is told."""
        self._give_up("this node's link failed")
        self._local.events.publish("link.failed", self._local.path, reason=reason)
        self._local.on_link_failed(reason)

    def _give_up(self, why: str) -> None:
        with self._lock:
            left, self._pending = list(self._pending.values()), {}
        for pending in left:
            self._resolve(pending, TerminatedError(f"{why} before {pending.target} answered"))

    def on_frame(self, peer: bytes, frame: bytes) -> None:
        """Take a frame of another node; a malformed one is rejected, counted and reported. On the transport's thread."""
        try:
            envelopes = self._codec.decode(frame)
        except ProtocolError as error:
            self._reject(peer, str(error))
            return
        for envelope in envelopes:
            try:
                self._on_envelope(peer, envelope)
            except Exception as error:  # what one envelope sets off must not cost those behind it; it is reported as rejected
                _log.exception("frame.failed")
                self._reject(peer, f"{type(envelope).__name__}: {describe(error)}")

    def _on_envelope(self, peer: bytes, envelope: Frame) -> None:
        match envelope:
            case TellFrame() | AskFrame():
                self._on_message(peer, envelope)
            case ReplyFrame():
                self._on_reply(envelope)
            case ErrorFrame():
                self._on_error(envelope)

    def on_forgotten(self, address: NodeAddress) -> None:
        """Resolve what a life that has ended did not answer. On the transport's thread."""
        with self._lock:
            orphans = [(key, pending) for key, pending in self._pending.items() if pending.node == address]
            for key, _ in orphans:
                del self._pending[key]
        for _, pending in orphans:
            self._resolve(pending, TerminatedError(f"{pending.node.path} ended before it answered for {pending.target}"))

    def on_unsent(self, envelopes: list[bytes], reason: str) -> None:
        """Account for accepted envelopes that could not be sent. On the transport's thread."""
        for data in envelopes:
            match self._decode_one(data):
                case AskFrame(correlation=correlation) as ask:
                    pending = self._take(correlation)
                    if pending is not None:
                        self._resolve(pending, TerminatedError(f"{ask.to}: {reason}"))
                case TellFrame() as tell:
                    self._local.dead_letters.record(
                        tell.to, sender=tell.sender, type_=tell.tag or "untyped", message=bytes(tell.body), reason=reason
                    )
                case ReplyFrame() | ErrorFrame() as answer:
                    self._local.events.publish("reply.dropped", self._local.path, correlation=answer.correlation, reason=reason)

    @property
    def rejected(self) -> int:
        """How many frames have been rejected; only grows."""
        return self._rejected

    def _refuse_copies(self) -> None:
        # Before any lock is taken: a thread that held it has not come along, and none would carry the message.
        if os.getpid() != self._pid:
            raise UsageError("this process was forked from the one that the system is in: use subprocess, or `process=True`")

    def _address(self, node: ActorPath, path: ActorPath) -> NodeAddress:
        address = self._routes.get(node)
        if address is None:
            raise NodeUnavailableError(f"{node}, where {path} lives, is not up: try again once it is")
        return address

    def _send(self, address: NodeAddress, frame: Frame, path: ActorPath) -> None:
        if not self._transport.send(address, self._codec.encode(frame)):
            if self._routes.get(ActorPath(address.path)) != address:
                raise TerminatedError(f"{address.path} ended before it heard of {path}")
            raise RejectedError(f"{path}: too many messages wait for {address.path}")

    def _on_message(self, peer: bytes, frame: TellFrame | AskFrame) -> None:
        slot = _ReplySlot(self, peer, frame.correlation, frame.to) if isinstance(frame, AskFrame) else None
        try:
            self._check_it_is_here(frame.to)
            actor = self._local.local_actor(frame.to)
            message = self._message(actor, frame)
            deadline = None
            if isinstance(frame, AskFrame) and frame.ttl_s is not None:
                deadline = self._local.clock.monotonic() + frame.ttl_s
            if slot is not None:
                slot.expected = actor.expected_errors
            actor.put(
                Envelope(
                    message,
                    reply=slot,
                    sender=frame.sender,
                    correlation=frame.correlation if isinstance(frame, AskFrame) else 0,
                    deadline=deadline,
                    sent_at=self._local.clock.monotonic(),
                )
            )
        except ActorRuntimeError as error:
            if slot is not None:
                slot.set_error(error)
            else:
                self._local.dead_letters.record(
                    frame.to, sender=frame.sender, type_=frame.tag or "untyped", message=bytes(frame.body), reason=str(error)
                )

    def _check_it_is_here(self, path: str) -> None:
        node = self.node_of(path)
        if node is not None:
            # Not passed on: what the sender sends there itself, once it knows of that node, would overtake it.
            raise NodeUnavailableError(f"{path} lives in {node}, which the sender's node does not know of yet: try again")

    def _message(self, actor: LocalActor, frame: TellFrame | AskFrame) -> Any:
        types = (*actor.messages, *PROXY_MESSAGES, Terminated)
        vocabulary = self._vocabularies.get(types)
        if vocabulary is None:
            vocabulary = self._vocabularies[types] = Vocabulary(types)
        type_ = vocabulary.type_of(frame.tag)
        if type_ is None:
            raise RejectedError(f"{frame.to} does not know messages of type {frame.tag!r}")
        try:
            return self._codec.decode_body(frame.body, type_)
        except ProtocolError as error:
            raise RejectedError(f"{frame.to}: {error}") from error

    def _on_reply(self, frame: ReplyFrame) -> None:
        pending = self._take(frame.correlation)
        if pending is None:
            return
        try:
            value = self._codec.decode_body(frame.body, pending.reply_type)
        except ProtocolError as error:
            self._resolve(pending, error)
        else:
            pending.future.set_result(value)

    def _on_error(self, frame: ErrorFrame) -> None:
        pending = self._take(frame.correlation)
        if pending is None:
            return
        kind = None if frame.declared else _KINDS.get(frame.kind)
        self._resolve(pending, RemoteError(frame.kind, frame.text) if kind is None else kind(frame.text))

    def _expire(self, correlation: int, timeout: float) -> None:
        pending = self._take(correlation)
        if pending is not None:
            self._resolve(pending, AskTimeoutError(f"{pending.target} did not answer within {timeout} s"))

    def _take(self, correlation: int) -> _Pending | None:
        with self._lock:
            pending = self._pending.pop(correlation, None)
        if pending is not None and pending.timer is not None:
            pending.timer.cancel()
        return pending

    def _resolve(self, pending: _Pending, error: ActorRuntimeError) -> None:
        if pending.timer is not None:
            pending.timer.cancel()
        pending.future.set_error(error)

    def _decode_one(self, data: bytes) -> Frame | None:
        # Only what this link has encoded itself comes here.
        return next(iter(self._codec.decode(b"\x92\x01\x91" + data)), None)

    def _reject(self, peer: bytes, why: str) -> None:
        self._rejected += 1
        shown = peer.decode("utf-8", "replace")
        _log.warning("frame.rejected", peer=shown, why=why)
        self._local.events.publish("frame.rejected", self._local.path, peer=shown, reason=why[:500], count=self._rejected)

    def answer(self, peer: bytes, frame: ReplyFrame | ErrorFrame) -> None:
        """Send an answer to the node that asked."""
        self._transport.reply(peer, self._codec.encode(frame))

    def encode_reply(self, value: Any) -> Any:
        """Give a reply as bytes. Raises `UnsendableError`."""
        return self._codec.encode_body(value)


class _ReplySlot:
    """Where the answer to another node's ask goes."""

    __slots__ = ("_answered", "_correlation", "_link", "_peer", "_target", "expected")

    def __init__(self, link: Link, peer: bytes, correlation: int, target: str) -> None:
        self._link = link
        self._peer = peer
        self._correlation = correlation
        self._target = target
        self._answered = threading.Lock()
        self.expected: tuple[type[Exception], ...] = ()

    def set_result(self, value: Any) -> bool:
        """Send the answer; False where one has been sent."""
        if not self._answered.acquire(blocking=False):
            return False
        try:
            body = self._link.encode_reply(value)
        except UnsendableError as error:
            text = f"the reply of {self._target}: {error}"
            self._link.answer(self._peer, ErrorFrame(self._correlation, "UnsendableError", text, declared=False))
            return True
        self._link.answer(self._peer, ReplyFrame(self._correlation, body))
        return True

    def set_error(self, error: BaseException) -> bool:
        """Send an error for an answer; False where one has been sent."""
        if not self._answered.acquire(blocking=False):
            return False
        # The runtime's own errors are told as what they are, also where an actor declares a class above them.
        declared = isinstance(error, self.expected) and _KINDS.get(type(error).__name__) is not type(error)
        self._link.answer(self._peer, ErrorFrame(self._correlation, type(error).__name__, text_of(error), declared=declared))
        return True
