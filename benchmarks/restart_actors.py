"""Actors that fail, hang, fork or stay, for the trees whose restarts are measured."""

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from actors.runtime import Actor

MUTEX_BYTES = 256


class EchoActor(Actor):
    """Answers with what it is told."""

    def on_receive(self, message: Any) -> Any:
        """Give it back."""
        return message


class ParentActor(Actor):
    """Has a child process that holds copies of every descriptor of its node, as any library that forks would."""

    dispatcher = "pinned"

    def on_start(self) -> None:
        """Fork, and never exec."""
        if os.fork() == 0:
            _wait_for_ever()

    def on_receive(self, message: Any) -> Any:
        """Give it back."""
        return message


class FamilyActor(Actor):
    """Has a child program, and a daemon: a grandchild in a session of its own that its parent no longer knows."""

    dispatcher = "pinned"

    def on_start(self) -> None:
        """Start both."""
        program = "import signal; signal.pause()"
        self.child = subprocess.Popen([sys.executable, "-I", "-S", "-c", program], stdin=subprocess.DEVNULL)
        first = os.fork()
        if first == 0:
            os.setsid()
            if os.fork() == 0:
                _wait_for_ever()
            os._exit(0)
        os.waitpid(first, 0)

    def on_receive(self, message: Any) -> Any:
        """Give it back."""
        return message


class HangingActor(Actor):
    """Hangs when told to: `spin` in Python, `hold_gil` in a C call that keeps the interpreter's lock."""

    def on_receive(self, message: Any) -> Any:
        """Hang, or give it back."""
        match message:
            case {"hang": "spin"}:
                while True:
                    pass
            case {"hang": "hold_gil"}:
                library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(MUTEX_BYTES)
                library.pthread_mutex_lock(mutex)
                library.pthread_mutex_lock(mutex)
        return message


class CrashingActor(Actor):
    """Ends its process `after_s` seconds after it is ready, from when the file `go` is there: a tree starts in peace."""

    def __init__(self, after_s: float, go: str) -> None:
        self._after_s = after_s
        self._go = Path(go)

    def on_start(self) -> None:
        """Set the time, again and again."""
        self.context.tell_every(self._after_s, "crash")

    def on_receive(self, message: Any) -> None:
        """End the process, or wait on."""
        del message
        if self._go.exists():
            os._exit(1)


class FailingActor(Actor):
    """Fails `after_s` seconds after it is ready, from when the file `go` is there; its supervisor is in the same process."""

    def __init__(self, after_s: float, go: str) -> None:
        self._after_s = after_s
        self._go = Path(go)

    def on_start(self) -> None:
        """Set the time, again and again."""
        self.context.tell_every(self._after_s, "fail")

    def on_receive(self, message: Any) -> None:
        """Fail, or wait on."""
        if self._go.exists():
            raise RuntimeError(f"{message}, on purpose")


def _wait_for_ever() -> NoReturn:
    # After a fork without exec: nothing of the parent's threads and locks may be touched.
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    while True:
        signal.pause()
