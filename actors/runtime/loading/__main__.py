"""The loader's process: `python -P -m actors.runtime.loading`; hears on standard input, answers on the descriptor it is given.

It imports the user's code, which may do anything: so its output is somebody else's to show, and a timer and the death of its
parent end it.
"""

import ctypes
import os
import signal
import sys

import msgspec

from ..errors import SpecError
from ..supervision.spec import decode_spec, encode_spec
from .checks import check_tree, spec_of
from .words import Answer, Load, Loaded, Refused

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Be a loader: `ANSWER_FD PARENT SECONDS`."""
    answer_fd, parent, seconds = int(arguments[0]), int(arguments[1]), float(arguments[2])
    os.set_inheritable(answer_fd, False)
    _end_with(parent, seconds)
    question = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Load)
    sys.path.extend(question.search_path)
    answer = msgspec.msgpack.encode(answer_to(question))
    sys.stdout.flush()
    with os.fdopen(answer_fd, "wb") as stream:
        stream.write(answer)
    return 0


def answer_to(question: Load) -> Answer:
    """Load what is asked for."""
    try:
        tree = spec_of(question.target, question.search_path) if question.target else decode_spec(question.spec)
        return Loaded(encode_spec(check_tree(tree, question.search_path)))
    except SpecError as error:
        return Refused(tuple(error.problems))


def _end_with(parent: int, seconds: float) -> None:
    """End when the time is over, or with the parent: nobody else would end a module that never returns."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


if __name__ == "__main__":
    # Not sys.exit: threads that the user's modules may have started must not hold it up.
    os._exit(main(sys.argv[1:]))
