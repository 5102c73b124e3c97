"""Every error has one exit code and one way to be said, wherever it comes from."""

import pytest

from actors.runtime import errors as runtime
from actors.runtime.control.client import KernelRefusedError
from symphony.cli.error_report import ErrorReport
from symphony.cli.errors import FailedError, NotRunningError, ProblemsFoundError, RefusedError, ReportedError, TimedOutError
from symphony.cli.exit_codes import ExitCode, exit_code_of, is_declared, report_of
from symphony.cli.refusals import unwrapped
from symphony.domain import errors as domain


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotRunningError(), 3),
        (TimedOutError("late"), 7),
        (RefusedError("no"), 6),
        (FailedError("broke"), 1),
        (ProblemsFoundError("a", "b"), 1),
        (domain.InvalidRequestError("wrong"), 2),
        (domain.NotFoundError("none"), 4),
        (domain.ConflictError("changed"), 6),
        (domain.NotBuiltError("not yet"), 6),
        (domain.UnavailableError("away"), 5),
        (domain.DeadlineExceededError("late"), 7),
        (domain.ExtensionFailedError("raised"), 1),
        (domain.InvariantError("ours"), 1),
        (runtime.SpecError("wrong"), 2),
        (runtime.InvalidPathError("x"), 2),
        (runtime.NotBuiltError("not yet"), 6),
        (runtime.NoSuchActorError("none"), 4),
        (runtime.NodeUnavailableError("away"), 5),
        (runtime.TerminatedError("ended"), 5),
        (runtime.AskTimeoutError("late"), 7),
        (runtime.RunDirectoryError("closed"), 6),
        (runtime.RunDirectoryBusyError("busy", holder=1), 6),
        (runtime.ActorFailedError("raised"), 1),
        (runtime.ProtocolError("nonsense"), 1),
    ],
)
def test_an_error_has_its_exit_code(error, code):
    assert exit_code_of(error) == code
    assert is_declared(error)


def test_the_codes_are_the_documented_ones():
    assert [int(code) for code in ExitCode] == list(range(8))


def test_an_exception_that_nobody_declared_is_a_bug():
    assert not is_declared(KeyError("x"))
    assert exit_code_of(KeyError("x")) == ExitCode.FAILED


def test_all_problems_of_a_file_are_said():
    report = report_of(domain.InvalidRequestError("a.toml:1: x: wrong", "a.toml:2: y: wrong"))

    assert report == ErrorReport("InvalidRequestError", ("a.toml:1: x: wrong", "a.toml:2: y: wrong"), 2)


def test_an_error_without_a_text_is_said_by_its_name():
    assert report_of(domain.NotFoundError("")).problems == ("NotFoundError",)


def test_what_another_process_reported_is_passed_on_as_it_is():
    report = ErrorReport("RunDirectoryBusyError", ("in use by kernel pid 7",), 6)

    assert report_of(ReportedError(report)) is report


@pytest.mark.parametrize("kind", domain.KINDS.values())
def test_an_error_that_an_actor_declared_comes_back_as_its_class(kind):
    assert type(unwrapped(KernelRefusedError(kind.__name__, "text", declared=True))) is kind


@pytest.mark.parametrize(
    "kind", [runtime.NoSuchActorError, runtime.RejectedError, runtime.NodeUnavailableError, runtime.SpecError]
)
def test_an_error_of_the_kernel_comes_back_as_its_class(kind):
    assert type(unwrapped(KernelRefusedError(kind.__name__, "text", declared=False))) is kind


def test_a_refusal_of_an_unknown_kind_keeps_its_kind():
    error = unwrapped(KernelRefusedError("NobodyKnowsError", "text", declared=False))

    assert is_declared(error)
    assert report_of(error).error == "NobodyKnowsError"
    assert exit_code_of(error) == ExitCode.FAILED
