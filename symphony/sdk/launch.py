"""How a worker process is started: a fresh interpreter that sees nothing of the user's.

`-I` leaves out the current folder, the environment's PYTHON* and the user's site; `-S` leaves out site-packages and whatever
their .pth files would run; `-B` keeps the extension's folder as it was installed; `-u` keeps the last words of a killed worker.
The environment is built from nothing, so no secret of the host is in it.
"""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

BOOT = "import sys; sys.path += sys.argv[2:4]; from symphony.sdk.worker import main; main(sys.argv[1:])"
"""Our two roots come after the standard library; the worker takes them away again before it imports the extension."""


class Command(Struct, frozen=True):
    """What to execute, with which whole environment."""

    argv: tuple[str, ...]
    env: dict[str, str]


def worker_command(*, executable: str, fd: int, directory: Path, entry: str) -> Command:
    """Give the command of a worker that speaks on `fd` and runs `entry` (module:Class) from the absolute `directory`."""
    return Command(
        (
            executable,
            *("-I", "-S", "-B", "-u", "-X", "utf8", "-X", "faulthandler"),
            *("-c", BOOT),
            str(fd),
            str(Path(__file__).parents[2]),
            str(Path(msgspec.__file__).parents[1]),
            str(directory),
            entry,
        ),
        {"LANG": "C.UTF-8", "PATH": os.defpath},
    )
