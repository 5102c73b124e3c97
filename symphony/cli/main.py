"""The console script's entry: makes sure that nothing of the current folder is ever imported, then hands over to the program.

Symphony is run inside other people's projects, and its packages have names that such a project may well have too. `python -P`
leaves the current folder and the script's folder off the search path; without it the interpreter is replaced by one that has it.
"""

import os
import sys


def main() -> int:
    """Run the command line on this process's arguments; return the exit code. The main thread calls it, once."""
    arguments = sys.argv[1:]
    if not sys.flags.safe_path:
        os.execv(sys.executable, [sys.executable, "-P", "-m", "symphony", *arguments])  # noqa: S606  # no shell, on purpose
    from .program import run

    return run(arguments)
