"""An error is the same on both sides of a process."""

import pytest

from symphony.domain.errors import KINDS, InvalidRequestError, InvariantError, error_from


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_error_crosses_as_its_kind_and_text(kind):
    error = KINDS[kind]("one\ntwo")

    back = error_from(type(error).__name__, str(error))

    assert type(back) is type(error)
    assert str(back) == "one\ntwo"


def test_every_problem_of_an_invalid_request_crosses():
    assert error_from("InvalidRequestError", str(InvalidRequestError("a", "b"))).problems == ("a", "b")


def test_an_undeclared_kind_is_a_bug_of_ours():
    error = error_from("KeyError", "'x'")

    assert isinstance(error, InvariantError)
    assert str(error) == "KeyError: 'x'"
