"""Exit codes: what each error means to a script, in one place, and how it is said.

Scripts rely on the numbers. Errors are matched in order, so that a narrow class stands before the class it belongs to.
"""

from enum import IntEnum

from actors.runtime import errors as runtime
from symphony.domain import errors as domain

from .error_report import ErrorReport
from .errors import CommandError, NotRunningError, ProblemsFoundError, RefusalError, RefusedError, ReportedError, TimedOutError


class ExitCode(IntEnum):
    """What a command ends with."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    NOT_RUNNING = 3
    NOT_FOUND = 4
    DEGRADED = 5
    REFUSED = 6
    TIMED_OUT = 7


_RULES: tuple[tuple[tuple[type[Exception], ...], ExitCode], ...] = (
    ((NotRunningError,), ExitCode.NOT_RUNNING),
    ((TimedOutError, domain.DeadlineExceededError, runtime.AskTimeoutError), ExitCode.TIMED_OUT),
    ((RefusedError, domain.ConflictError, domain.NotBuiltError, runtime.NotBuiltError), ExitCode.REFUSED),
    ((runtime.RunDirectoryError, runtime.RejectedError, runtime.NameTakenError), ExitCode.REFUSED),
    ((domain.NotFoundError, runtime.NoSuchActorError), ExitCode.NOT_FOUND),
    ((domain.InvalidRequestError, runtime.UsageError), ExitCode.WRONG_USAGE),
    ((domain.UnavailableError, runtime.NodeUnavailableError, runtime.TerminatedError), ExitCode.DEGRADED),
)
_DECLARED = (domain.SymphonyError, runtime.ActorRuntimeError, CommandError)


def is_declared(error: Exception) -> bool:
    """Tell whether somebody meant `error` for the user; anything else is a bug."""
    return isinstance(error, _DECLARED)


def exit_code_of(error: Exception) -> ExitCode:
    """Give the exit code of a command that ends with `error`."""
    return next((code for kinds, code in _RULES if isinstance(error, kinds)), ExitCode.FAILED)


def report_of(error: Exception) -> ErrorReport:
    """Say `error` as data."""
    if isinstance(error, ReportedError):
        return error.report
    problems: tuple[str, ...] = (str(error),)
    if isinstance(error, domain.InvalidRequestError | runtime.SpecError | ProblemsFoundError):
        problems = tuple(error.problems)
    kind = error.kind if isinstance(error, RefusalError) else type(error).__name__
    return ErrorReport(kind, tuple(problem or kind for problem in problems) or (kind,), int(exit_code_of(error)))
