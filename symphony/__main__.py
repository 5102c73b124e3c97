"""`python -P -m symphony`: the command line. Only the standard library is imported before the search path is known to be safe."""

import sys

if __name__ == "__main__":
    from symphony.cli.main import main

    sys.exit(main())
