"""SignalInbox: signals as something to read, in the order in which they came, for a main thread that waits on a selector."""

import contextlib
import os
import signal
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Self


class SignalInbox:
    """Takes over `numbers` while it is entered; use it as a context manager, since it owns two descriptors and the handlers."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._numbers = tuple(numbers)

    def fileno(self) -> int:
        """Give the descriptor that is readable when a signal has come."""
        return self._read_fd

    def take(self) -> list[signal.Signals]:
        """Give the signals that have come since, without waiting."""
        with contextlib.suppress(BlockingIOError):
            return [signal.Signals(number) for number in os.read(self._read_fd, 512) if number in self._numbers]
        return []

    def __enter__(self) -> Self:
        self._read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before = {number: signal.signal(number, _nothing) for number in self._numbers}
        # The interpreter itself writes each signal's number there.
        self._wakeup_before = signal.set_wakeup_fd(self._write_fd, warn_on_full_buffer=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read_fd)
        os.close(self._write_fd)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Let the signal do nothing by itself."""
