"""Be a kernel: `python -P -m actors.runtime.kernel LOCK_FD LIFELINE_FD WORDS_FD PLAN_FD WARDEN`."""

import os
import sys

from .kernel import main

if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Not sys.exit: threads of multiprocessing and of stuck actors must not hold an ended kernel up.
    os._exit(code)
