"""Faults: every kind of harm that chaos does, what it aims at, and what the tree must have so that it can heal.

| kind | is | notices it |
|---|---|---|
| kill, segfault | SIGKILL or SIGSEGV to a node | the pidfd |
| stop | SIGSTOP to a node, never continued | the missing beat |
| batch | SIGKILL to several nodes at once | the pidfds |
| forkserver | SIGKILL to the fork server, then to a node, which must come back without it | the pidfd |
| exit | a handler that ends its process by `os._exit` | the pidfd |
| raise | a handler that raises | the actor's own cell |
| spin, block | a handler that never returns: by `while True: pass`, or by waiting for a lock | its age |
| hold_gil | a handler in a C call that keeps the interpreter's lock | the missing beat |
| memory | a handler that allocates until there is no memory left (RLIMIT_AS) | the actor's own cell, or the pidfd |
| kernel | SIGKILL to the kernel | the warden |

What a signal can do is done from outside, where the tree has no part in it. The rest needs a hand inside the node, and so a tree
that allows it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from msgspec import Struct

FaultKind = Literal[
    "kill", "stop", "segfault", "batch", "exit", "raise", "spin", "block", "hold_gil", "memory", "forkserver", "kernel"
]
InsideKind = Literal["exit", "raise", "spin", "block", "hold_gil", "memory"]
"""Those that a handler commits, in the node itself."""

KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
INSIDE: tuple[InsideKind, ...] = get_args(InsideKind)


class FaultRule(Struct, frozen=True):
    """One kind. `ends` is what does not survive it; `noticed_by` is the spec's bound that makes it a hang, None for a death."""

    summary: str
    aims_at: Literal["node", "actor", "tree"]
    ends: Literal["process", "actor", "either"]
    noticed_by: Literal["heartbeat_timeout", "hang_after"] | None = None


RULES: Mapping[FaultKind, FaultRule] = MappingProxyType(
    {
        "kill": FaultRule("SIGKILL", "node", "process"),
        "stop": FaultRule("SIGSTOP", "node", "process", "heartbeat_timeout"),
        "segfault": FaultRule("SIGSEGV", "node", "process"),
        "batch": FaultRule("SIGKILL to several at once", "node", "process"),
        "exit": FaultRule("os._exit in a handler", "actor", "process"),
        "raise": FaultRule("an exception in a handler", "actor", "actor"),
        "spin": FaultRule("a handler that loops for ever", "actor", "process", "hang_after"),
        "block": FaultRule("a handler that waits for ever", "actor", "process", "hang_after"),
        "hold_gil": FaultRule("a C call that keeps the interpreter's lock", "actor", "process", "heartbeat_timeout"),
        "memory": FaultRule("a handler that uses up all memory", "actor", "either"),
        "forkserver": FaultRule("SIGKILL to the fork server, then to a node", "node", "process"),
        "kernel": FaultRule("SIGKILL to the kernel", "tree", "process"),
    }
)
