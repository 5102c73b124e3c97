"""The messages of the worker channel, which joins an extension's process to its host.

The worker says `Hello` once, or `Failed` with correlation 0 where its class could not be loaded. After that each `Invoke` has
exactly one answer with its correlation: `Result`, `Refused` or `Failed`. `Log` may come at any time. `Stop` asks the worker to
leave.
"""

from typing import TypeAlias

from msgspec import Struct

PROTOCOL = 1
"""The version of these messages. A worker of another version is refused."""

LOADING = 0
"""The correlation of a `Failed` that stands in place of the `Hello`."""


class Hello(Struct, frozen=True, array_like=True, tag="hello", forbid_unknown_fields=True):
    """The worker is ready. `operations` maps each name to its parameters' names; `origins` each of our packages to its file."""

    protocol: int
    entry: str
    operations: dict[str, tuple[str, ...]]
    pid: int
    origins: dict[str, str]


class Invoke(Struct, frozen=True, array_like=True, tag="invoke", forbid_unknown_fields=True):
    """Call `operation` with `arguments`."""

    correlation: int
    operation: str
    arguments: dict[str, object]


class Result(Struct, frozen=True, array_like=True, tag="result", forbid_unknown_fields=True):
    """The operation gave `value`."""

    correlation: int
    value: dict[str, object]


class Refused(Struct, frozen=True, array_like=True, tag="refused", forbid_unknown_fields=True):
    """The operation refused its arguments; `text` has one problem a line."""

    correlation: int
    text: str


class Failed(Struct, frozen=True, array_like=True, tag="failed", forbid_unknown_fields=True):
    """The extension's code raised an exception of class `kind`."""

    correlation: int
    kind: str
    text: str
    traceback: str


class Log(Struct, frozen=True, array_like=True, tag="log", forbid_unknown_fields=True):
    """The extension logged `event`."""

    event: str
    fields: dict[str, object]


class Stop(Struct, frozen=True, array_like=True, tag="stop", forbid_unknown_fields=True):
    """Finish what is being done, then leave."""


FromWorker: TypeAlias = Hello | Result | Refused | Failed | Log
FromHost: TypeAlias = Invoke | Stop
