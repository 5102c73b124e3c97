"""Actors that leave processes behind, or do not want to leave themselves."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from actors.runtime import Actor


class ParentActor(Actor):
    """Starts a process that only a signal ends, and stands for it."""

    dispatcher = "pinned"

    def on_start(self) -> None:
        command = [sys.executable, "-I", "-S", "-c", "import signal; signal.pause()"]
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        self.context.set_os_process(self.child.pid, command[0])

    def on_receive(self, message: Any) -> Any:
        return message


class StubbornActor(Actor):
    """Never finishes `on_stop`."""

    dispatcher = "pinned"

    def on_stop(self) -> None:
        threading.Event().wait()

    def on_receive(self, message: Any) -> Any:
        return message


class FlaggedActor(Actor):
    """Does not start while there is a file at the path that the variable SYMPHONY_TEST_FLAG names."""

    def on_start(self) -> None:
        if Path(os.environ["SYMPHONY_TEST_FLAG"]).exists():
            raise RuntimeError("the flag is up")

    def on_receive(self, message: Any) -> Any:
        if message == "fail":
            raise RuntimeError("as it was told")
        return message
