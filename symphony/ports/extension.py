"""ExtensionPort: code of others, each in a process of its own."""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from msgspec import Struct

from symphony.domain.errors import (
    ConflictError,
    DeadlineExceededError,
    ExtensionFailedError,
    InvalidRequestError,
    NotBuiltError,
    NotFoundError,
    UnavailableError,
)
from symphony.domain.ids import ExtensionId
from symphony.ports.declared import raises

if TYPE_CHECKING:
    Value = None | bool | int | float | str | bytes | list["Value"] | dict[str, "Value"]
    """What crosses to an extension and back: plain data."""
else:
    # msgspec refuses a recursive alias, and a union of str with bytes.
    Value = Any


class ExtensionState(Struct, frozen=True):
    """An installed extension. `isolation` is the level of its jail: full, standard, degraded or none."""

    id: ExtensionId
    kind: str
    version: str
    directory: str
    digest: str
    operations: tuple[str, ...]
    isolation: str


class ExtensionEvent(Struct, frozen=True):
    """Something that happened to an extension; events of one extension arrive in order."""

    kind: Literal["installed", "uninstalled", "invoked", "failed"]
    extension: ExtensionId
    detail: str = ""


class ExtensionPort(Protocol):
    """Install extensions and call their operations. Call from the core's event loop."""

    @raises(
        InvalidRequestError,
        NotFoundError,
        ConflictError,
        NotBuiltError,
        ExtensionFailedError,
        UnavailableError,
        DeadlineExceededError,
    )
    async def install(self, directory: str) -> ExtensionState:
        """Read the manifest in `directory`, start the extension, and give its state; again is the same as once.

        `NotFoundError`: no such folder or no manifest. `InvalidRequestError`: the manifest is wrong; every problem is listed.
        `ConflictError`: the id is installed with another content. `NotBuiltError`: it asks for what is not built yet.
        `ExtensionFailedError`: its process did not become ready.
        """
        ...

    @raises(NotFoundError, UnavailableError, DeadlineExceededError)
    async def uninstall(self, extension: ExtensionId) -> None:
        """Stop the extension and forget it. `NotFoundError`: it is not installed."""
        ...

    @raises(UnavailableError, DeadlineExceededError)
    async def extensions(self) -> tuple[ExtensionState, ...]:
        """Give the installed extensions, sorted by id."""
        ...

    @raises(NotFoundError, InvalidRequestError, ExtensionFailedError, UnavailableError, DeadlineExceededError)
    async def invoke(
        self, extension: ExtensionId, operation: str, arguments: Mapping[str, Value], *, deadline_s: float
    ) -> dict[str, Value]:
        """Call `operation` and give its result, within `deadline_s` seconds.

        `NotFoundError`: no such extension or operation. `InvalidRequestError`: the operation refused its arguments.
        `ExtensionFailedError`: it raised or its process died. Calls to one extension are handled in the order they were made.
        """
        ...

    @raises(UnavailableError)
    def events(self) -> AsyncIterator[ExtensionEvent]:
        """Give what happens from now on, until the iterator is closed.

        A reader that falls behind by 1,000 events gets `UnavailableError` and must look at the states again.
        """
        ...
