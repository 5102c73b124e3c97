"""The command line's own errors: what only somebody at a terminal, or a script, can be told.

    CommandError
    ├── NotRunningError              no kernel: start one first
    ├── TimedOutError                the command's own bound is over; the text says what is still open
    ├── RefusedError                 it is not done in the present state; the text says why
    ├── RefusalError                 a kernel refused, for a reason that only it knows
    ├── FailedError                  what was asked for was tried and failed
    ├── ProblemsFoundError           a check found problems, all of them listed
    └── ReportedError                another process of the command line ended with an error, as data

`exit_codes` says what each means to a script.
"""

from collections.abc import Sequence

from .error_report import ErrorReport


class CommandError(Exception):
    """Base of the command line's errors; raise one of the leaves."""


class NotRunningError(CommandError):
    """No kernel has the run directory."""

    def __init__(self, text: str = "not running: start it with `symphony up`") -> None:
        super().__init__(text)


class TimedOutError(CommandError):
    """The command's own bound is over."""


class RefusedError(CommandError):
    """It is not done in the present state."""


class RefusalError(CommandError):
    """A kernel refused; `kind` is the class name of its error, which is none that is known here."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class FailedError(CommandError):
    """What was asked for was tried and failed."""


class ProblemsFoundError(CommandError):
    """A check found problems; `problems` lists every one."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems: Sequence[str] = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


class ReportedError(CommandError):
    """Another process of the command line ended with an error; `report` is what it said."""

    def __init__(self, report: ErrorReport) -> None:
        super().__init__("; ".join(report.problems))
        self.report = report
