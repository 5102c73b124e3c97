"""The worker process: serves one extension's operations on one inherited socket, one at a time.

Nothing that the extension raises or prints disturbs the channel: only messages are written there. The process ends with its
host: at the end of the channel, at once when idle, and within a second when an operation is running.
"""

import logging
import os
import select
import socket
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import NoReturn

import msgspec

import symphony
import symphony.sdk
from symphony.sdk.channel import Channel, MalformedFrameError, UnsendableError
from symphony.sdk.loading import load, make_importable
from symphony.sdk.message import LOADING, PROTOCOL, Failed, FromHost, FromWorker, Hello, Invoke, Log, Refused, Result, Stop
from symphony.sdk.operator import RefusedError
from symphony.sdk.signature import Operation

LAST_WORDS_S = 1.0
"""How long a busy worker outlives its host, so that an operation that is nearly done can finish its files."""

MAX_TRACEBACK = 32 * 1024
"""The most characters of a traceback that are sent; the end is kept, where the cause stands."""

_READ_SIZE = 256 * 1024


class _Connection:
    """The worker's end of the channel. `send` may be called from any thread, `receive` from the main thread."""

    def __init__(self, fd: int) -> None:
        os.set_inheritable(fd, False)  # a process started by the extension must not hold the channel open
        self._socket = socket.socket(fileno=fd)
        self._channel: Channel[FromHost] = Channel(FromHost)
        self._lock = Lock()

    def send(self, message: FromWorker) -> None:
        """Send `message` whole. Raises `UnsendableError`, and `ConnectionError` when the host is gone."""
        frame = self._channel.encode(message)
        with self._lock:
            self._socket.sendall(frame)

    def receive(self) -> FromHost | None:
        """Wait for a message; None is the end of the channel. Raises `MalformedFrameError`."""
        while (message := self._channel.next_message()) is None:
            data = self._socket.recv(_READ_SIZE)
            if not data:
                return None
            self._channel.feed(data)
        return message

    def end_process_with_host(self) -> None:
        """Wait for the host to hang up, then end this process, whatever its main thread is doing. Never returns."""
        poller = select.poll()
        poller.register(self._socket, 0)  # a hang-up is reported unasked
        poller.poll()
        time.sleep(LAST_WORDS_S)
        os._exit(os.EX_OK)


class _ChannelHandler(logging.Handler):
    """Sends the records of `logging` to the host."""

    def __init__(self, connection: _Connection) -> None:
        super().__init__(logging.INFO)
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; one that cannot be sent is reported on stderr, as logging does."""
        try:
            fields: dict[str, object] = {"level": record.levelname.lower(), "logger": record.name}
            if record.exc_info:
                fields["traceback"] = logging.Formatter().formatException(record.exc_info)[-MAX_TRACEBACK:]
            self._connection.send(Log(record.getMessage()[:MAX_TRACEBACK], fields))
        except Exception:  # logging's rule: a record that cannot be handled must not raise in the code that logs
            self.handleError(record)


def main(argv: Sequence[str]) -> NoReturn:
    """Run a worker: `argv` is the socket's number, our two roots, the extension's folder and its module:Class."""
    fd, sdk_root, msgspec_root, directory, entry = argv
    connection = _Connection(int(fd))
    Thread(target=connection.end_process_with_host, name="host-watch", daemon=True).start()
    logging.basicConfig(level=logging.INFO, handlers=[_ChannelHandler(connection)])
    make_importable(Path(directory), instead_of={sdk_root, msgspec_root})
    try:
        sys.exit(_run(connection, Path(directory), entry))
    except ConnectionError:  # the host is gone in the middle of a message: that is an end like any other
        sys.exit(os.EX_OK)


def _run(connection: _Connection, directory: Path, entry: str) -> int:
    try:
        operations = load(directory, entry)
    except BaseException as error:  # it is the author's code that raised, and the host that must hear of it
        connection.send(_failed(LOADING, error))
        return os.EX_SOFTWARE
    connection.send(
        Hello(
            PROTOCOL,
            entry,
            {name: tuple(parameter.name for parameter in found.parameters) for name, found in operations.items()},
            os.getpid(),
            {package.__name__: str(package.__file__) for package in (symphony, symphony.sdk, msgspec)},
        )
    )
    try:
        return _serve(connection, operations)
    except MalformedFrameError as error:
        sys.stderr.write(f"symphony worker of {entry}: ended, because its host sent what is no message: {error}\n")
        return os.EX_DATAERR


def _serve(connection: _Connection, operations: Mapping[str, Operation]) -> int:
    while (message := connection.receive()) is not None and not isinstance(message, Stop):
        answer = _answer(operations, message)
        try:
            connection.send(answer)
        except UnsendableError as error:
            text = f"what {message.operation} gave {error}"
            connection.send(Failed(message.correlation, type(error).__name__, text, ""))
    return os.EX_OK


def _answer(operations: Mapping[str, Operation], invoke: Invoke) -> Result | Refused | Failed:
    found = operations.get(invoke.operation)
    if found is None:
        return Refused(invoke.correlation, f"{invoke.operation}: there is no such operation; there are {', '.join(operations)}")
    try:
        value = found.call(invoke.arguments)
    except RefusedError as error:
        return Refused(invoke.correlation, _text_of(error))
    except BaseException as error:  # whatever an operation raises, sys.exit included, is its answer and ends nothing
        return _failed(invoke.correlation, error)
    if not isinstance(value, dict):
        text = f"{invoke.operation} gave {type(value).__name__}; an operation gives a dict"
        return Failed(invoke.correlation, TypeError.__name__, text, "")
    return Result(invoke.correlation, value)


def _failed(correlation: int, error: BaseException) -> Failed:
    trace = "".join(traceback.format_exception(error))
    return Failed(correlation, type(error).__name__, _text_of(error), _sendable(trace[-MAX_TRACEBACK:]))


def _text_of(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as second:  # the author's __str__ may raise anything, and the first error must still be told
        text = f"(its text raised {type(second).__name__})"
    return _sendable(text[:MAX_TRACEBACK])


def _sendable(text: str) -> str:
    """Give `text` without lone surrogates: an exception may name a file whose name is not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
