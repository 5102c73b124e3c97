"""Condemner: one thread that has the stacks of lives which hang written down, and then kills them, whatever became of that.

It is there before anything hangs, because when something does it may be too late for another thread; and it is one, since half a
machine may hang at once. So that nobody waits long for the dumps of the others, a life that has been in the queue for a second is
killed without one.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from ..log import Log
from .stacks import Dump

_log = Log()

PATIENCE_S = 1.0
TOO_MANY = Dump(None, f"too many hang at once: its turn did not come within {PATIENCE_S} s")
FAILED = Dump(None, "to take them failed; the log says how")
CLOSE_WAIT_S = 1.0


class Case(NamedTuple):
    """One life that hangs. `dump` takes its stacks, `tell` says what became of them, and `end`, if there is one, kills it."""

    dump: Callable[[], Dump]
    tell: Callable[[Dump], None]
    end: Callable[[Dump], None] | None


class Condemner:
    """The thread and its queue. Any thread may call. `close` it."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._cases: queue.SimpleQueue[tuple[float, Case] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="node-stacks", daemon=True)
        self._thread.start()

    def put(self, case: Case) -> None:
        """Have a case dealt with soon. Never blocks."""
        self._cases.put((self._now(), case))

    def close(self) -> None:
        """End the thread after the cases that it has, and wait a second at most."""
        self._cases.put(None)
        self._thread.join(CLOSE_WAIT_S)

    def _work(self) -> None:
        while (entry := self._cases.get()) is not None:
            since, case = entry
            dumped = FAILED
            try:
                dumped = TOO_MANY if self._now() - since > PATIENCE_S else case.dump()
                case.tell(dumped)
            except Exception:  # whatever goes wrong with the stacks of one, it is killed, and the next one has its turn
                _log.exception("node.stacks_failed")
            finally:
                self._end(case, dumped)

    def _end(self, case: Case, dumped: Dump) -> None:
        if case.end is None:
            return
        try:
            case.end(dumped)
        except Exception:  # as above: the next one has its turn
            _log.exception("node.condemn_failed")
