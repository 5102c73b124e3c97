"""ErrorReport: an error as data, as `--json` prints it and as one process of the command line tells another."""

from msgspec import Struct


class ErrorReport(Struct, frozen=True, rename={"schema_": "schema"}):
    """An error. `error` is the class name, for programs; `problems` are for people, at least one."""

    error: str
    problems: tuple[str, ...]
    exit_code: int
    schema_: str = "symphony.error/1"
