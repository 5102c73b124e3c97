"""ControlClient: ask a kernel from outside, blocking and bounded; light to import, since every command pays for it."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from ..chaos.faults import InsideKind
from ..errors import ActorRuntimeError, AskTimeoutError, NodeUnavailableError, ProtocolError
from ..wire.framing import FrameReader, frame
from . import words

CHUNK = 256 * 1024
Expected = TypeVar("Expected")


class KernelRefusedError(ActorRuntimeError):
    """The kernel (or the actor that was asked) refused; `kind` is the class name of its error."""

    def __init__(self, kind: str, text: str, *, declared: bool) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.declared = declared


class ControlClient:
    """One connection to a kernel, for one thread. Use it as a context manager.

    Every call has a bound, in seconds, and raises `AskTimeoutError` beyond it, `NodeUnavailableError` where no kernel answers
    at the socket or it goes away, `KernelRefusedError` where it refuses, and `ProtocolError` where what it says makes no sense.
    """

    def __init__(self, path: Path, *, timeout_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        self._reader = FrameReader()
        self._frames: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise NodeUnavailableError(f"no kernel answers at {path}: {error.strerror or error}") from error

    def ping(self) -> words.Pong:
        """Say who is there."""
        return self._ask(words.Ping(), words.Pong)

    def tree(self) -> words.Tree:
        """Give the whole tree."""
        return self._ask(words.GetTree(), words.Tree)

    def kill(self, path: str) -> words.Killed:
        """Kill the process in which the actor at `path` runs."""
        return self._ask(words.KillNode(path), words.Killed)

    def start_again(self, path: str) -> words.Started:
        """Start the child of `/` at `path`, which is parked or stopped; returns once it is running."""
        return self._ask(words.StartAgain(path), words.Started)

    def inject_fault(self, path: str, kind: InsideKind) -> words.Injected:
        """Have the actor at `path` commit a fault, in a tree that allows it."""
        return self._ask(words.InjectFault(path, kind), words.Injected)

    def stop(self, *, now: bool = False) -> words.Stopping:
        """Begin to stop the whole tree."""
        return self._ask(words.Stop(now), words.Stopping)

    def spec(self) -> words.Spec:
        """Give what the kernel runs."""
        return self._ask(words.GetSpec(), words.Spec)

    def reload(self, reload: words.Reload) -> words.Reloaded:
        """Let the tree become what it says; returns once that has begun."""
        return self._ask(reload, words.Reloaded)

    def ask(self, path: str, message: Any, reply_type: Any = Any, *, tag: str = "", timeout_s: float = 5.0) -> Any:
        """Ask the actor at `path`; the tag is the message's own where it is a tagged Struct."""
        config = getattr(message, "__struct_config__", None)
        own_tag = getattr(config, "tag", None)
        question = words.Ask(path, tag or own_tag or "", msgspec.Raw(msgspec.msgpack.encode(message)), timeout_s)
        answer = self._ask(question, words.Answer, timeout_s=timeout_s + self._timeout_s)
        try:
            return msgspec.msgpack.decode(answer.body, type=reply_type)
        except (msgspec.MsgspecError, ValueError) as error:
            raise ProtocolError(f"{path} answered what is no {reply_type}: {error}") from error

    def tell(self, path: str, message: Any) -> words.Told:
        """Send the actor at `path` plain data."""
        return self._ask(words.Tell(path, msgspec.Raw(msgspec.msgpack.encode(message))), words.Told)

    def events(self, *, since: int = 0, follow: bool = False, wait_s: float | None = None) -> Iterator[words.Events]:
        """Give batches of events: the kept ones, then (`follow`) new ones as they come, until the kernel goes away.

        `wait_s` bounds the wait for each batch; None waits as long as the kernel lives.
        """
        self._send(words.FollowEvents(since, follow))
        while True:
            batch = self._receive(words.Events, wait_s)
            if not batch.events:
                return
            yield batch

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _ask(self, question: words.Question, expected: type[Expected], *, timeout_s: float | None = None) -> Expected:
        # A kernel that closes at once has said why before, so a question that it did not take is no reason not to read.
        with contextlib.suppress(NodeUnavailableError):
            self._send(question)
        return self._receive(expected, timeout_s or self._timeout_s)

    def _send(self, question: words.Question) -> None:
        self._socket.settimeout(self._timeout_s)
        try:
            self._socket.sendall(frame(msgspec.msgpack.encode(question)))
        except OSError as error:
            raise NodeUnavailableError(f"the kernel went away: {error}") from error

    def _receive(self, expected: type[Expected], timeout_s: float | None) -> Expected:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._frames:
            self._socket.settimeout(None if deadline is None else max(0.001, deadline - time.monotonic()))
            try:
                data = self._socket.recv(CHUNK)
            except TimeoutError as error:
                raise AskTimeoutError(f"the kernel did not answer within {timeout_s} s") from error
            except OSError as error:
                raise NodeUnavailableError(f"the kernel went away: {error}") from error
            if not data:
                raise NodeUnavailableError("the kernel went away before it answered")
            self._frames.extend(self._reader.feed(data))
        try:
            reply = msgspec.msgpack.decode(self._frames.pop(0), type=words.Reply)
        except (msgspec.MsgspecError, ValueError) as error:
            raise ProtocolError(f"the kernel answered what makes no sense: {error}") from error
        if isinstance(reply, words.Refused):
            raise KernelRefusedError(reply.kind, reply.text, declared=reply.declared)
        if not isinstance(reply, expected):
            raise ProtocolError(f"the kernel answered {type(reply).__name__} where {expected.__name__} was due")
        return reply
