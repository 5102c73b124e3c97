"""The testing room's face: what it declares is there, and its examples run as they are written."""

import doctest
import inspect

import pytest

from actors.runtime import testing


def test_every_name_is_declared_once_in_order_and_is_there():
    assert testing.__all__ == sorted(set(testing.__all__))
    assert [name for name in testing.__all__ if not hasattr(testing, name)] == []


@pytest.mark.parametrize("name", testing.__all__)
def test_every_tool_says_what_it_is(name):
    assert inspect.getdoc(getattr(testing, name))


def test_the_examples_run_as_they_are_written():
    result = doctest.testmod(testing)

    assert result.attempted > 20
    assert result.failed == 0
