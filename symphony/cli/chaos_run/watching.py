"""Watching: a thread that follows the tree's events, across the deaths of its kernel, and tells every open fault of them."""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from actors.runtime.chaos.ledger import Entry
from actors.runtime.control.client import ControlClient
from actors.runtime.errors import ActorRuntimeError
from actors.runtime.run_directory import RunDirectory

from .healing import Healing

PAUSE_S = 0.02
WAIT_S = 1.0
LEAVE_S = 5.0


class Watch:
    """Follows the events of one run directory's tree. Use it as a context manager; it owns a thread and a connection."""

    def __init__(self, run_dir: RunDirectory) -> None:
        self._run_dir = run_dir
        self._news = threading.Condition()
        self._open: list[Healing] = []
        self._done: list[Healing] = []
        self._leaving = threading.Event()
        self._kernel = 0
        self._seq = 0
        self._thread = threading.Thread(target=self._follow_for_ever, name="chaos-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._leaving.set()
        self._thread.join(LEAVE_S)

    def expect(self, healing: Healing) -> None:
        """Follow a fault from now on. Before it is injected, so that nothing about it is missed."""
        with self._news:
            self._open.append(healing)

    def forget(self, healing: Healing) -> None:
        """Follow a fault no longer that was not injected after all."""
        with self._news:
            self._open = [one for one in self._open if one is not healing]

    def wait_healed(self, timeout_s: float) -> bool:
        """Wait until no fault is open; tells whether that is so."""
        with self._news:
            return self._news.wait_for(lambda: not self._open, timeout_s)

    def open_faults(self) -> Sequence[Healing]:
        """Give the faults that have not healed yet, the oldest first."""
        with self._news:
            return tuple(self._open)

    def entries(self) -> tuple[Entry, ...]:
        """Give every fault so far, in their order; what has not healed has a problem."""
        with self._news:
            closed = [healing.entry() for healing in self._done]
            still = [healing.entry(problem="not healed when the run ended") for healing in self._open]
        return tuple(sorted((*closed, *still), key=lambda entry: entry.number))

    def _follow_for_ever(self) -> None:
        while not self._leaving.is_set():
            try:
                self._follow()
            except ActorRuntimeError:
                # The kernel is gone, or a second passed without events: another look, perhaps at another kernel.
                self._leaving.wait(PAUSE_S)

    def _follow(self) -> None:
        with ControlClient(self._run_dir.control_socket, timeout_s=WAIT_S) as client:
            kernel = client.ping().kernel
            if kernel != self._kernel:
                self._kernel, self._seq = kernel, 0
            for batch in client.events(since=self._seq, follow=True, wait_s=WAIT_S):
                with self._news:
                    for event in batch.events:
                        for healing in self._open:
                            healing.hear(event)
                    self._seq = batch.events[-1].seq
                    self._done += [healing for healing in self._open if healing.is_over]
                    self._open = [healing for healing in self._open if not healing.is_over]
                    self._news.notify_all()
                if self._leaving.is_set():
                    return
