"""Where a process is to be killed: at a step of a node's start or of a kernel's life.

A folder says so, which is there for as long as a test wants that. Its file `due` has four words: who is to reach which step, who
is killed then (`self` or `kernel`), and whether once or always. `steps` has a line for each step reached: who, pid, step.
`overlaps` has one for each life that began while an earlier one of the same kind had not ended.

Run as a module, it is a kernel that is killed where the folder says so. What only processes of one kind need is imported there: a
warden knows of this module too.
"""

import os
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, NoReturn

from tests.support.process_ends import has_ended

NODE_MAIN = "tests.support.crash_points:run_node_that_may_die"
KERNEL_MODULE = "tests.support.crash_points"


class Reached(NamedTuple):
    """One step that one process has reached."""

    who: str
    pid: int
    step: str


class CrashPoints:
    """The folder, as the test and the processes see it.

    It is found by the mark of the session, which every process has; a variable of one test would not reach the fork server, which
    goes on from test to test.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"crash-points-{os.environ['SYMPHONY_TEST_SESSION']}"

    def open(self) -> None:
        """Let processes be killed from now on."""
        self._folder.mkdir()

    def close(self) -> None:
        """Let them live."""
        shutil.rmtree(self._folder)

    def are_wanted(self) -> bool:
        """Tell whether a test uses them now."""
        return self._folder.exists()

    def kill_at(self, who: str, step: str, victim: str = "self", *, always: bool = False) -> None:
        """Have `victim` killed when `who` (`node` or `kernel`) reaches `step`: the first time from now, or each time."""
        (self._folder / "new").write_text(f"{who} {step} {victim} {'always' if always else 'once'}")
        (self._folder / "new").rename(self._folder / "due")

    def was_hit(self) -> bool:
        """Tell whether somebody has been killed."""
        return (self._folder / "done").exists()

    def steps(self) -> list[Reached]:
        """Give what has been reached, in order."""
        with suppress(FileNotFoundError):
            lines = (self._folder / "steps").read_text().splitlines()
            return [Reached(who, int(pid), step) for who, pid, step in map(str.split, lines)]
        return []

    def overlaps(self) -> list[str]:
        """Give the lives that began too early."""
        with suppress(FileNotFoundError):
            return (self._folder / "overlaps").read_text().splitlines()
        return []

    def reach(self, who: str, step: str) -> None:
        """Be at a step: note it, and kill whom the test wants killed."""
        before = self.steps()
        if (who, os.getpid()) not in {(reached.who, reached.pid) for reached in before}:
            self._note("overlaps", [f"{one.who} {one.pid}" for one in before if one.who == who and not has_ended(one.pid)])
        self._note("steps", [f"{who} {os.getpid()} {step}"])
        with suppress(FileNotFoundError):
            due = (self._folder / "due").read_text().split()
            if due[:2] == [who, step]:
                (self._folder / "done").touch()
                if due[3] == "once":
                    (self._folder / "due").unlink()
                os.kill(self._pid_of(due[2]), signal.SIGKILL)

    def _pid_of(self, victim: str) -> int:
        return os.getpid() if victim == "self" else next(one.pid for one in reversed(self.steps()) if one.who == victim)

    def _note(self, file: str, lines: list[str]) -> None:
        with (self._folder / file).open("a", encoding="utf-8") as notes:
            notes.write("".join(f"{line}\n" for line in lines))


def run_node_that_may_die(sock: socket.socket) -> NoReturn:
    """Be a node that is killed where the folder says so."""
    from actors.runtime.node_process.main import run_node

    run_node(sock, at_step=partial(CrashPoints().reach, "node"))


if __name__ == "__main__":
    from actors.runtime.kernel.kernel import main

    code = main(sys.argv[1:], at_step=partial(CrashPoints().reach, "kernel"))
    os._exit(code)
