"""InMemoryExtensions: ExtensionPort over plain functions; no process, no folder.

What crosses to an operation and back is encoded and decoded as it would be on the way to a process, so that neither side can hold
the other's objects.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from hashlib import sha256
from inspect import isawaitable
from typing import Literal

import msgspec
from msgspec import Struct

from adapters.event_stream import EventStream
from symphony.domain.errors import (
    ConflictError,
    DeadlineExceededError,
    ExtensionFailedError,
    InvalidRequestError,
    NotFoundError,
    SymphonyError,
)
from symphony.domain.ids import ExtensionId
from symphony.ports.extension import ExtensionEvent, ExtensionState, Value

Operation = Callable[[dict[str, Value]], object | Awaitable[object]]


class FakeExtension(Struct, frozen=True):
    """An extension as functions: each takes the arguments as one dict and gives a dict, or an awaitable of one.

    An operation that raises `InvalidRequestError` refuses its arguments; one that raises anything else has failed. One that
    awaits something which never comes stands for one that hangs.
    """

    id: ExtensionId
    version: str
    operations: dict[str, Operation]
    kind: str = "operator"


class _Installed:
    """An extension that runs: one call at a time, in the order they were made."""

    def __init__(self, extension: FakeExtension, state: ExtensionState) -> None:
        self.extension = extension
        self.state = state
        self.turn = asyncio.Lock()


class InMemoryExtensions:
    """Extensions without processes. Call from one event loop.

    Drive it by `folders`, which is yours: absolute folder to what is in it. A `SymphonyError` in place of an extension is what
    installing that folder raises, as a wrong manifest does. Change an entry to change what is on the disk. `close_stream` ends
    every `events()`.
    """

    def __init__(self, folders: Mapping[str, FakeExtension | SymphonyError]) -> None:
        self._folders = folders
        self._installed: dict[ExtensionId, _Installed] = {}
        self._events: EventStream[ExtensionEvent] = EventStream()

    async def install(self, directory: str) -> ExtensionState:
        """Read the manifest in `directory`, start the extension, and give its state; again is the same as once."""
        found = self._folders.get(directory)
        if found is None:
            raise NotFoundError(f"there is no extension in {directory}")
        if isinstance(found, SymphonyError):
            raise found
        state = ExtensionState(
            found.id, found.kind, found.version, directory, _digest(found), tuple(sorted(found.operations)), "none"
        )
        known = self._installed.get(found.id)
        if known is None:
            self._installed[found.id] = _Installed(found, state)
            self._publish("installed", found.id, found.version)
            return state
        if known.state.digest != state.digest:
            raise ConflictError(
                f"{found.id} is installed with another content, from {known.state.directory}; uninstall that first"
            )
        return known.state

    async def uninstall(self, extension: ExtensionId) -> None:
        """Stop the extension and forget it."""
        self._find(extension)
        del self._installed[extension]
        self._publish("uninstalled", extension)

    async def extensions(self) -> tuple[ExtensionState, ...]:
        """Give the installed extensions, sorted by id."""
        return tuple(self._installed[extension].state for extension in sorted(self._installed))

    async def invoke(
        self, extension: ExtensionId, operation: str, arguments: Mapping[str, Value], *, deadline_s: float
    ) -> dict[str, Value]:
        """Call `operation` and give its result, within `deadline_s` seconds."""
        installed = self._find(extension)
        if operation not in installed.extension.operations:
            known = ", ".join(installed.state.operations)
            raise NotFoundError(f'{extension} has no operation "{operation}"; it has {known}')
        try:
            sent = _carried(dict(arguments))
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidRequestError(f"arguments: {error}") from error
        try:
            async with asyncio.timeout(deadline_s), installed.turn:
                result = await _call(installed.extension.operations[operation], sent)
        except TimeoutError as error:
            raise DeadlineExceededError(f"{extension} gave no answer to {operation} within {deadline_s} s") from error
        except ExtensionFailedError as error:
            self._publish("failed", extension, str(error))
            raise
        self._publish("invoked", extension, operation)
        return result

    def events(self) -> AsyncIterator[ExtensionEvent]:
        """Give what happens from now on, until the iterator is closed."""
        return self._events.subscribe()

    def close_stream(self) -> None:
        """End every `events()`, as an adapter does that is shut down."""
        self._events.close()

    def _find(self, extension: ExtensionId) -> _Installed:
        if extension not in self._installed:
            raise NotFoundError(f'no extension "{extension}" is installed')
        return self._installed[extension]

    def _publish(
        self, kind: Literal["installed", "uninstalled", "invoked", "failed"], extension: ExtensionId, detail: str = ""
    ) -> None:
        self._events.publish(ExtensionEvent(kind, extension, detail))


async def _call(operation: Operation, arguments: dict[str, Value]) -> dict[str, Value]:
    try:
        result = operation(arguments)
        if isawaitable(result):
            result = await result
        carried = _carried(result)
    except (InvalidRequestError, ExtensionFailedError):
        raise
    except Exception as error:  # an extension's code may raise anything, and that is its failure and not ours
        raise ExtensionFailedError(f"{type(error).__name__}: {error}") from error
    return carried


def _carried(value: object) -> dict[str, Value]:
    """Give `value` as it arrives on the other side of a wire. Raises `TypeError` or `ValueError` where it is no plain data."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=dict[str, Value])


def _digest(extension: FakeExtension) -> str:
    content = f"{extension.id} {extension.version} {extension.kind} {sorted(extension.operations)}"
    return sha256(content.encode()).hexdigest()
