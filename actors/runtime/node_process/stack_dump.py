"""Stack dump: a node writes down where all of its threads are, when it is sent a signal, whatever holds it up.

`faulthandler` does that in the signal's own handler, in C: while a handler loops, and also while a call into C keeps the
interpreter's lock. The signal is SIGURG, because what a process does by default with that one is nothing: it may be sent before
this is set up and after it has failed, and the user's signals stay the user's. (SIGUSR1 kills who is not ready for it.)
"""

import faulthandler
from pathlib import Path
from typing import IO

from ..log import Log
from ..node.stacks import DUMP_SIGNAL

_log = Log()


def write_stacks_to(path: Path) -> IO[bytes] | None:
    """Write the stacks of all threads to the file at `path` whenever the signal comes; only on the main thread.

    Keep what it returns, which the file stays open with. None where it cannot be written: then there will be no stacks.
    """
    try:
        file = path.open("ab")
    except OSError:
        _log.exception("node.stacks_not_written", file=str(path))
        return None
    faulthandler.register(DUMP_SIGNAL, file=file, all_threads=True, chain=False)
    return file
