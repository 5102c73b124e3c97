"""ActorExtensionAdapter: ExtensionPort by the extension host's actors, in this process or another.

Installing goes to the registry; a call goes to its extension's own host, so that one which hangs delays no other. What cannot be
sent is refused here, with its place, before anything leaves. The events are published from what the actors have acknowledged.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Literal

import msgspec

from actors.extensions.host import host_name
from actors.extensions.messages import MAX_ARGUMENTS, Install, Invoke, ListExtensions, Uninstall
from actors.runtime.errors import InvalidPathError
from actors.runtime.ref import ActorRef, RefFactory
from adapters.asking import ask
from adapters.event_stream import EventStream
from symphony.domain.errors import (
    DeadlineExceededError,
    ExtensionFailedError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from symphony.domain.ids import ExtensionId
from symphony.ports.extension import ExtensionEvent, ExtensionState, Value
from symphony.sdk.plain import plain_problem

TIMEOUT_S = 45.0
"""How long the registry may take: a worker's start, behind another's that hangs, and some."""

MARGIN_S = 0.5
"""What a call may take beyond its deadline, so that the host's own answer, which says more than a timeout, comes first."""

LONGEST_S = 24 * 3600.0
"""A deadline beyond this is this: every wait has a bound."""


class ActorExtensionAdapter:
    """The extensions at `path`. Call from one event loop. `ref_of` gives refs; `timeout_s` bounds each call to the registry."""

    def __init__(self, ref_of: RefFactory, *, path: str = "/extensions", timeout_s: float = TIMEOUT_S) -> None:
        self._ref_of = ref_of
        self._path = path
        self._timeout_s = timeout_s
        self._registry = ref_of(f"{path}/registry")
        self._events: EventStream[ExtensionEvent] = EventStream()

    async def install(self, directory: str) -> ExtensionState:
        """Read the manifest in `directory`, start the extension, and give its state; again is the same as once."""
        if not _can_be_sent(directory):
            raise InvalidRequestError(f"{directory!r}: a folder's path must be text that UTF-8 can encode")
        done = await ask(self._registry, Install(directory), timeout_s=self._timeout_s)
        if done.is_new:
            self._publish("installed", done.state.id, done.state.version)
        return done.state

    async def uninstall(self, extension: ExtensionId) -> None:
        """Stop the extension and forget it."""
        if not _can_be_sent(extension):
            raise NotFoundError(f"no extension {extension!r} is installed")
        await ask(self._registry, Uninstall(extension), timeout_s=self._timeout_s)
        self._publish("uninstalled", extension)

    async def extensions(self) -> tuple[ExtensionState, ...]:
        """Give the installed extensions, sorted by id."""
        return await ask(self._registry, ListExtensions(), timeout_s=self._timeout_s)

    async def invoke(
        self, extension: ExtensionId, operation: str, arguments: Mapping[str, Value], *, deadline_s: float
    ) -> dict[str, Value]:
        """Call `operation` and give its result, within `deadline_s` seconds."""
        host = self._host(extension)
        request = _request(extension, operation, arguments, deadline_s)
        try:
            result = await ask(host, request, timeout_s=request.deadline_s + MARGIN_S)
        except ExtensionFailedError as error:
            self._publish("failed", extension, str(error))
            raise
        except DeadlineExceededError:
            raise
        except UnavailableError:
            # Nobody took it, at once. Only the registry can tell an extension that is away from one that is not there.
            if not await self._may_be_installed(extension, request.deadline_s):
                raise NotFoundError(f"no extension {extension!r} is installed") from None
            raise
        self._publish("invoked", extension, operation)
        return result

    def events(self) -> AsyncIterator[ExtensionEvent]:
        """Give what happens from now on, until the iterator is closed."""
        return self._events.subscribe()

    def close(self) -> None:
        """End every `events()`."""
        self._events.close()

    async def _may_be_installed(self, extension: ExtensionId, timeout_s: float) -> bool:
        try:
            installed = await ask(self._registry, ListExtensions(), timeout_s=timeout_s)
        except UnavailableError:
            return True
        return any(state.id == extension for state in installed)

    def _host(self, extension: ExtensionId) -> ActorRef:
        try:
            return self._ref_of(f"{self._path}/{host_name(extension)}")
        except InvalidPathError:
            raise NotFoundError(f"no extension {extension!r} is installed") from None

    def _publish(
        self, kind: Literal["installed", "uninstalled", "invoked", "failed"], extension: ExtensionId, detail: str = ""
    ) -> None:
        self._events.publish(ExtensionEvent(kind, extension, detail))


def _request(extension: ExtensionId, operation: str, arguments: Mapping[str, Value], deadline_s: float) -> Invoke:
    """Give the message that can be sent. Raises `InvalidRequestError`, `NotFoundError` and `DeadlineExceededError`."""
    if not operation.isidentifier():
        raise NotFoundError(f"{extension}: it has no operation {operation!r}")
    if not deadline_s > 0:
        raise DeadlineExceededError(f"{extension}: {operation}: the deadline had passed before the call; nothing was sent")
    request = Invoke(operation, dict(arguments), min(deadline_s, LONGEST_S))
    problem = plain_problem(request.arguments)
    if problem is not None:
        raise InvalidRequestError(f"{extension}: {operation}: arguments{problem}")
    try:
        size = len(msgspec.msgpack.encode(request))
    except (TypeError, ValueError, OverflowError) as error:  # an int over 64 bits; a lone surrogate
        raise InvalidRequestError(f"{extension}: {operation}: arguments: {error}") from error
    if size > MAX_ARGUMENTS:
        raise InvalidRequestError(f"{extension}: {operation}: arguments are {size} bytes long; {MAX_ARGUMENTS} is the most")
    return request


def _can_be_sent(text: str) -> bool:
    """Tell whether UTF-8 can encode `text`: a lone surrogate, which stands for a file name's odd byte, cannot be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
