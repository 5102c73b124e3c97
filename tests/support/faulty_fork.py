"""Preloaded by a fork server: a fork that does what the file at SYMPHONY_TEST_FORK says, if there is one.

`kill` and `stop` are done once, to the fork server itself; `eagain` is raised for as long as the file is there.
"""

import errno
import os
import signal
from pathlib import Path

_fork = os.fork


def fork() -> int:
    """Fork, or not."""
    order = Path(os.environ["SYMPHONY_TEST_FORK"])
    what = order.read_text() if order.exists() else ""
    if what == "eagain":
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    if what:
        order.unlink()
        os.kill(os.getpid(), {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}[what])
    return _fork()


os.fork = fork
