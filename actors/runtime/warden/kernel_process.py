"""KernelProcess: a kernel as its warden has it: a process, its pidfd, and the two pipes to it. For the warden's one thread.

Nothing here blocks, whatever the kernel does: the plan may be larger than a pipe, so it is handed over as a file in memory.
"""

import contextlib
import os
import signal
import subprocess
import sys
from typing import NamedTuple

import msgspec

from ..kernel.plan import KernelPlan, KernelWord, WardenWord, encode_plan
from ..memory_file import memory_file

KERNEL_MODULE = "actors.runtime.kernel"


class Heard(NamedTuple):
    """What a kernel has said since; `goes_on` is False where it has closed its pipe."""

    words: list[KernelWord]
    goes_on: bool


class KernelProcess:
    """One kernel. Making it starts it; it owns three descriptors, which `close` closes."""

    def __init__(self, plan: KernelPlan, lock_fd: int, module: str = KERNEL_MODULE) -> None:
        self._buffer = b""
        self._status: int | None = None
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            plan_fd = memory_file("kernel-plan", encode_plan(plan))
            theirs.callback(os.close, plan_fd)
            lifeline, self._tell_fd = os.pipe2(os.O_CLOEXEC)
            theirs.callback(os.close, lifeline)
            ours.callback(os.close, self._tell_fd)
            self.words_fd, words_write = os.pipe2(os.O_CLOEXEC)
            theirs.callback(os.close, words_write)
            ours.callback(os.close, self.words_fd)
            # A kernel that is stopped reads nothing.
            os.set_blocking(self._tell_fd, False)
            passed = (lock_fd, lifeline, words_write, plan_fd)
            command = [sys.executable, "-P", "-m", module, *map(str, passed), str(os.getpid())]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=passed, start_new_session=True)
            self.pid = self._process.pid
            self.pidfd = os.pidfd_open(self.pid)
            ours.pop_all()

    def tell(self, word: WardenWord) -> None:
        """Say a word to the kernel; one that reads nothing any more misses it, and its silence is noticed."""
        with contextlib.suppress(BrokenPipeError, BlockingIOError):
            os.write(self._tell_fd, word.value)

    def hear(self) -> Heard:
        """Give what the kernel has said since."""
        data = os.read(self.words_fd, 64 * 1024)
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return Heard([msgspec.json.decode(line, type=KernelWord) for line in lines], bool(data))

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def reap(self) -> int:
        """Give the status of the dead process: negative for a signal."""
        with contextlib.suppress(ChildProcessError):
            _, status = os.waitpid(self.pid, 0)
            self._status = os.waitstatus_to_exitcode(status)
        # Popen would wait for it again when it is collected.
        self._process.returncode = self._status if self._status is not None else -1
        return self._process.returncode

    def close(self) -> None:
        """Close the descriptors; a kernel that still lives sees the end of its lifeline and leaves."""
        for descriptor in (self._tell_fd, self.words_fd, self.pidfd):
            os.close(descriptor)
