"""How long a hung child is away, and whether it is known where it hung.

Method. A node whose actor may take HANG_S = 3 s for a message, and whose process may be silent for as long, is told to hang:
once in a loop in Python, once in a C call that keeps the interpreter's lock. The time runs from the message that hangs it to
the first answer of its replacement. Then the tree is asked how the last life ended: it must say that it hung, and have its
stack.
"""

import contextlib
import time

from actors.runtime.control.client import ControlClient, KernelRefusedError

from .report import at_most, below, row_of
from .restart_part import Part, wait_until
from .running_tree import running_tree

REPLACED_MS = 5000.0
KINDS = {"spin": "in Python", "hold_gil": "with the GIL held"}


def hangs(rounds: int) -> Part:
    """Hang a child `rounds` times in each of the two ways."""
    rows, bars, without_stack = [], [], 0
    with running_tree("hanging") as client:
        for kind, named in KINDS.items():
            replaced = []
            for _ in range(rounds):
                replaced.append(_hang(client, kind))
                without_stack += not _has_stack(client)
            rows.append(row_of("symphony node", f"hang {named} to replaced", "ms", replaced))
            bars.append(below(f"hang {named} to replaced, worst", REPLACED_MS, "ms", max(replaced)))
    return Part(tuple(rows), (*bars, at_most("hangs whose stack is not kept", 0, "", without_stack)))


def _hang(client: ControlClient, kind: str) -> float:
    hung_at = time.monotonic()
    with contextlib.suppress(KernelRefusedError):
        client.ask("/one", {"hang": kind}, timeout_s=0.1)

    def answers() -> bool:
        try:
            return bool(client.ask("/one", {"is": "there"}, timeout_s=0.05) == {"is": "there"})
        except KernelRefusedError:
            return False

    wait_until(answers, "a hung child was not replaced", pause_s=0.01)
    return (time.monotonic() - hung_at) * 1000


def _has_stack(client: ControlClient) -> bool:
    one = client.tree().tree.root.find("/one")
    ended = None if one is None else one.last_exit
    return ended is not None and ended.reason == "hung" and bool(ended.stack) and "restart_actors" in str(ended.stack)
