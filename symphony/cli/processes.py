"""Processes of others, held by pidfds: to wait for their end, and to signal them and never a stranger that got the same pid."""

import os
import select
import signal
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self


class HeldProcesses:
    """A set of processes; use it as a context manager, since it owns a descriptor for each. For one thread."""

    def __init__(self, pids: Iterable[int] = ()) -> None:
        self._descriptors: dict[int, int] = {}
        for pid in pids:
            self.hold(pid)

    @property
    def pids(self) -> list[int]:
        """The pids of all that were taken in, ended or not."""
        return sorted(self._descriptors)

    def hold(self, pid: int) -> None:
        """Take in a process; one that has ended is not there to be held."""
        if pid > 0 and pid not in self._descriptors:
            try:
                self._descriptors[pid] = os.pidfd_open(pid)
            except ProcessLookupError:
                return

    def kill(self, pid: int) -> bool:
        """Kill a held process by SIGKILL; tells whether it was there to be killed."""
        return self.send(pid, signal.SIGKILL)

    def send(self, pid: int, number: signal.Signals) -> bool:
        """Send a held process a signal; tells whether it was there to be sent one."""
        if pid not in self._descriptors:
            return False
        try:
            signal.pidfd_send_signal(self._descriptors[pid], number)
        except ProcessLookupError:
            return False
        return True

    def wait_gone(self, timeout_s: float) -> list[int]:
        """Wait until all have ended, `timeout_s` seconds at most; gives the pids that are left."""
        deadline = time.monotonic() + timeout_s
        pids = {descriptor: pid for pid, descriptor in self._descriptors.items()}
        poll = select.poll()
        for descriptor in pids:
            poll.register(descriptor, select.POLLIN)
        while pids:
            ended = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            if not ended:
                break
            for descriptor, _ in ended:
                poll.unregister(descriptor)
                del pids[descriptor]
        return sorted(pids.values())

    def close(self) -> None:
        """Let go of them."""
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()
