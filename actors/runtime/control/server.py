"""ControlServer: the kernel's side of the control socket.

Each connection has a thread of its own, a few at most, so that one slow client delays no other and nothing here can hold the
tree up. Only processes of the same user are answered: the run directory keeps others out, and the peer's credentials are
checked as well.
"""

import contextlib
import os
import queue
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from ..errors import ActorRuntimeError, ProtocolError, RejectedError, RunDirectoryError
from ..event import Event
from ..events import EventLog
from ..wire.framing import FrameReader, frame
from . import words

_log = structlog.get_logger("actors.runtime")

MAX_CLIENTS = 32
MAX_BEHIND = 10_000
"""Events that a follower may be behind before it is cut off."""
MAX_QUESTION = 16 * 1024 * 1024
BATCH = 500
CHUNK = 64 * 1024
SEND_TIMEOUT_S = 5.0
IDLE_S = 60.0
"""How long a client may say nothing before its place is given to another."""
PAUSE_S = 0.1
BEAT_S = 1.0
"""How often a follower's connection is looked at while nothing happens, so that one that left is noticed."""

Answerer = Callable[[words.Question], words.Reply]


class ControlServer:
    """Listens at a unix socket. It owns the socket, its file and the clients' threads; `close` it."""

    def __init__(self, path: Path, answer: Answerer, events: EventLog) -> None:
        self._path = path
        self._answer = answer
        self._events = events
        self._clients = threading.Semaphore(MAX_CLIENTS)
        self._closing = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.bind(str(path))
            self._socket.listen(MAX_CLIENTS)
        except OSError as error:
            self._socket.close()
            raise RunDirectoryError(f"cannot listen at {path}: {error.strerror}") from error
        self._thread = threading.Thread(target=self._accept_forever, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more, and remove the socket's file."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)
        self._thread.join(1.0)

    def _accept_forever(self) -> None:
        while not self._closing.is_set():
            try:
                self._accept()
            except (OSError, RuntimeError) as error:  # no descriptor or no thread is left for it: the next one may have more luck
                if self._closing.wait(PAUSE_S):
                    return
                _log.warning("control.accept_failed", reason=str(error))

    def _accept(self) -> None:
        client, _ = self._socket.accept()
        client.settimeout(IDLE_S)
        if _uid_of(client) != os.geteuid():
            client.close()
        elif not self._clients.acquire(blocking=False):
            with client:
                _send(client, words.Refused(RejectedError.__name__, f"{MAX_CLIENTS} clients are connected already: try again"))
        else:
            try:
                threading.Thread(target=self._serve, args=(client,), name="control-client", daemon=True).start()
            except RuntimeError:
                self._clients.release()
                client.close()
                raise

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, contextlib.suppress(OSError):  # the client has left
                self._converse(client)
        finally:
            self._clients.release()

    def _converse(self, client: socket.socket) -> None:
        reader = FrameReader(limit=MAX_QUESTION)
        try:
            while data := client.recv(CHUNK):
                for payload in reader.feed(data):
                    self._handle(client, payload)
        except ProtocolError as error:
            _log.warning("control.frame_rejected", reason=str(error))
            self._events.publish("frame.rejected", "/", peer="control", reason=str(error))
            _send(client, words.Refused("ProtocolError", str(error)))

    def _handle(self, client: socket.socket, payload: bytes) -> None:
        try:
            question = msgspec.msgpack.decode(payload, type=words.Question)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise ProtocolError(f"no question: {error}") from error
        if isinstance(question, words.FollowEvents):
            self._follow(client, question)
            return
        try:
            reply = self._answer(question)
        except ActorRuntimeError as error:
            reply = words.Refused(type(error).__name__, str(error))
        _send(client, reply)

    def _follow(self, client: socket.socket, question: words.FollowEvents) -> None:
        fresh: queue.SimpleQueue[Event] = queue.SimpleQueue()
        stop = self._events.listen(fresh.put) if question.follow else _nothing
        try:
            last = question.since
            kept = self._events.since(last)
            while kept:
                _send(client, words.Events(list(kept[:BATCH])))
                last, kept = kept[:BATCH][-1].seq, kept[BATCH:]
            while question.follow and not self._closing.is_set():
                batch = _drain(fresh, last)
                if batch:
                    _send(client, words.Events(batch))
                    last = batch[-1].seq
                elif _has_left(client):
                    return
                if fresh.qsize() > MAX_BEHIND:
                    _send(client, words.Refused(RejectedError.__name__, f"more than {MAX_BEHIND} events behind"))
                    return
            _send(client, words.Events([]))
        finally:
            stop()


def _drain(fresh: "queue.SimpleQueue[Event]", last: int) -> list[Event]:
    """Wait for an event, a second at most, and give it and those right behind it that are newer than `last`."""
    batch: list[Event] = []
    with contextlib.suppress(queue.Empty):
        batch.append(fresh.get(timeout=BEAT_S))
        while len(batch) < BATCH:
            batch.append(fresh.get_nowait())
    return [event for event in batch if event.seq > last]


def _has_left(client: socket.socket) -> bool:
    """Tell whether the client has closed its end; anything that it says while it follows is an end as well."""
    try:
        client.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _send(client: socket.socket, reply: words.Reply) -> None:
    client.settimeout(SEND_TIMEOUT_S)
    client.sendall(frame(msgspec.msgpack.encode(reply)))
    client.settimeout(IDLE_S)


def _uid_of(client: socket.socket) -> int:
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


def _nothing() -> None:
    """Stop nothing."""
