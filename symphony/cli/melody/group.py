"""`symphony melody`: the table of its commands."""

from collections.abc import Mapping
from types import MappingProxyType

from ..command_table import LazyGroup, Row

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "run": Row("symphony.cli.melody.run", "Check a melody, run it, and wait for its end."),
        "check": Row("symphony.cli.melody.check", "Check a melody, and run nothing."),
        "status": Row("symphony.cli.melody.status", "Say how far a run has come."),
        "list": Row("symphony.cli.melody.runs", "List the runs, oldest first."),
    }
)

command = LazyGroup(name="melody", rows=ROWS, help="Check and run workflows.")
