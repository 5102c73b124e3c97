"""HeldThread: which thread a turn of an actor is stuck on, read off the threads' stacks.

To note it with every turn would cost each message something; this costs nothing until somebody is given up.
"""

import sys
from types import FrameType

_TURNS = frozenset({"turn", "run", "turn_async", "run_async", "handle", "ask_inline"})
"""Functions whose `cell` or `self` is the cell that they run."""


def thread_held_by(cell: object) -> int | None:
    """Give the thread on which a turn of this cell is being run now; None where it waits for its turn, or awaits something."""
    frames = sys._current_frames()  # noqa: SLF001  # its public name for debuggers
    return next((thread for thread, frame in frames.items() if _runs(frame, cell)), None)


def _runs(frame: FrameType | None, cell: object) -> bool:
    while frame is not None:
        if frame.f_code.co_name in _TURNS:
            names = frame.f_locals
            if names.get("cell") is cell or names.get("self") is cell:
                return True
        frame = frame.f_back
    return False
