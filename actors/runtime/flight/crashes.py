"""Crashes of the interpreter: the stacks that it writes when a process ends by a fault of its own, and who reads them."""

import faulthandler
from typing import IO

from msgspec import structs

from ..log import Log
from ..snapshot import ExitSnapshot
from .crash_signals import CRASHES
from .files import life_files
from .reader import read_crash

_log = Log()


def record_crashes(files: str) -> IO[bytes] | None:
    """Have the stacks of a crash of this process written to the file of this life; give the file, to be kept open.

    None, and a log line, where that file cannot be made; the stacks then go to standard error.
    """
    life = life_files(files)
    try:
        if life is None:
            raise OSError(f"{files!r} names no life")  # noqa: TRY301  # told as every other reason is
        life.folder.mkdir(mode=0o700, exist_ok=True)
        file = life.crash.open("wb")
    except OSError as error:
        _log.warning("flight.unavailable", reason=str(error))
        faulthandler.enable()
        return None
    faulthandler.enable(file)
    return file


def with_crash(ended: ExitSnapshot, files: str) -> ExitSnapshot:
    """Give how a life ended together with the stacks of its crash, where it ended by one and has written them."""
    life = life_files(files)
    if ended.signal not in CRASHES or ended.stack is not None or life is None:
        return ended
    return structs.replace(ended, stack=read_crash(life.crash) or None)
