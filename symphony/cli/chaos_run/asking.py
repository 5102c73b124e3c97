"""Asking: asks that go to the targets throughout a run, each of which must end: answered, or with an error that says why.

What is asked is the value of an attribute that no actor has: the actor itself answers that, in its turn, and nothing in it
changes.
"""

import itertools
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec

from actors.runtime.chaos.ledger import Asks
from actors.runtime.control.client import ControlClient, KernelRefusedError
from actors.runtime.errors import ActorRuntimeError, AskTimeoutError
from actors.runtime.messages import ProxyGet
from actors.runtime.run_directory import RunDirectory

ATTRIBUTE = "attribute_that_chaos_asks_for"
THREADS = 2
EVERY_S = 0.05
DEADLINE_S = 2.0
MARGIN_S = 3.0
"""How long after its deadline an ask may still be under way through the kernel."""
LEAVE_S = 10.0


class Asking:
    """Asks the actors at `paths` in turn, from threads of its own. Use it as a context manager; then `counts` stands."""

    def __init__(self, run_dir: RunDirectory, paths: Sequence[str]) -> None:
        self._run_dir = run_dir
        self._paths = itertools.cycle(paths)
        self._lock = threading.Lock()
        self._counts = Asks()
        self._leaving = threading.Event()
        self._threads = [threading.Thread(target=self._ask_for_ever, name="chaos-ask", daemon=True) for _ in range(THREADS)]

    @property
    def counts(self) -> Asks:
        """What became of the asks so far."""
        with self._lock:
            return self._counts

    def wait_answered(self, timeout_s: float) -> bool:
        """Wait until one more ask is answered than by now; tells whether that is so."""
        before, deadline = self.counts.answered, time.monotonic() + timeout_s
        while self.counts.answered == before and time.monotonic() < deadline:
            self._leaving.wait(EVERY_S)
        return self.counts.answered > before

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._leaving.set()
        for thread in self._threads:
            thread.join(LEAVE_S)

    def _ask_for_ever(self) -> None:
        while not self._leaving.is_set():
            try:
                with ControlClient(self._run_dir.control_socket, timeout_s=MARGIN_S) as client:
                    while not self._leaving.wait(EVERY_S):
                        if not self._ask(client):
                            break
            except ActorRuntimeError:
                # No kernel to connect to: chaos has just killed it, and it is on its way.
                self._leaving.wait(EVERY_S)

    def _ask(self, client: ControlClient) -> bool:
        """Ask once; False where the connection is of no more use."""
        with self._lock:
            path = next(self._paths)
        asked_at = time.monotonic()
        try:
            client.ask(path, ProxyGet(ATTRIBUTE), timeout_s=DEADLINE_S)
            outcome, goes_on = "answered", True
        except KernelRefusedError as refused:
            outcome, goes_on = "answered" if ATTRIBUTE in refused.text else "refused", True
        except AskTimeoutError:
            # The kernel itself said nothing, long after the ask's own deadline.
            outcome, goes_on = "unresolved", False
        except ActorRuntimeError:
            outcome, goes_on = "lost_with_kernel", False
        took_ms = round((time.monotonic() - asked_at) * 1000, 1)
        with self._lock:
            now = self._counts
            counted = {"sent": now.sent + 1, outcome: getattr(now, outcome) + 1, "worst_ms": max(now.worst_ms, took_ms)}
            self._counts = msgspec.structs.replace(now, **counted)
        return goes_on
