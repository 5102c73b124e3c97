"""What the extension host's actors understand: the first three the registry, the others each extension's host."""

from msgspec import Struct

from actors.runtime import Request
from symphony.domain.ids import ExtensionId
from symphony.ports.extension import ExtensionState, Value

MAX_ARGUMENTS = 60 * 1024 * 1024
"""The most bytes, encoded, of an operation's arguments: what the way to a worker takes, less its envelopes."""


class Installation(Struct, frozen=True):
    """An installed extension; `is_new` where it was not installed before."""

    state: ExtensionState
    is_new: bool


class Install(Request[Installation], frozen=True, tag=True):
    """Install what is in `directory`, an absolute path; again is the same as once."""

    directory: str


class Uninstall(Request[None], frozen=True, tag=True):
    """Stop an extension and forget it."""

    extension: ExtensionId


class ListExtensions(Request[tuple[ExtensionState, ...]], frozen=True, tag=True):
    """Give every installed extension, sorted by id."""


class Describe(Request[tuple[str, ...]], frozen=True, tag=True):
    """Give the names of the extension's operations, sorted."""


class Invoke(Request[dict[str, Value]], frozen=True, tag=True):
    """Call an operation; `deadline_s` counts from when the host begins with it."""

    operation: str
    arguments: dict[str, Value]
    deadline_s: float
