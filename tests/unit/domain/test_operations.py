"""The table of operations, held against values."""

import pytest

from symphony.domain.errors import InvalidRequestError
from symphony.domain.operations import check_arguments, is_of_type, kind_of, type_fits


@pytest.mark.parametrize(
    ("value", "types"),
    [
        ("x", {"text", "path", "buffer", "artifact", "any"}),
        ("", {"text", "any"}),
        (1, {"integer", "number", "any"}),
        (1.5, {"number", "any"}),
        (True, {"boolean", "any"}),
        (None, {"any"}),
        ([], {"any"}),
        ({}, {"any"}),
    ],
)
def test_a_value_is_of_its_types_and_no_others(value, types):
    every = ("text", "path", "buffer", "artifact", "integer", "number", "boolean", "any")

    assert {type_ for type_ in every if is_of_type(value, type_)} == types


def test_a_type_fits_itself_any_and_a_wider_one():
    assert type_fits("buffer", "buffer")
    assert type_fits("any", "buffer")
    assert type_fits("buffer", "any")
    assert type_fits("integer", "number")
    assert not type_fits("number", "integer")
    assert not type_fits("path", "text")


def test_arguments_that_fit_are_accepted():
    check_arguments("text.open", {"path": "/a"})
    check_arguments("artifact.put", {"text": "", "media_type": "text/plain"})
    check_arguments("extension.invoke", {"anything": [1, {"x": None}]})


def test_every_problem_of_arguments_is_listed():
    with pytest.raises(InvalidRequestError) as caught:
        check_arguments("text.apply", {"text": 5, "txt": "x"})

    assert caught.value.problems == (
        'text.apply: has no argument "txt"',
        'text.apply: the argument "buffer" is missing',
        'text.apply: the argument "text" must be a text, not an integer',
    )


def test_an_unknown_operation_is_refused():
    with pytest.raises(InvalidRequestError, match="is not an operation"):
        check_arguments("text.burn", {})


def test_a_kind_is_named_in_words():
    assert [kind_of(value) for value in (True, 1, 1.0, "", "x", [], {}, None, b"")] == [
        "a boolean", "an integer", "a number", "an empty text", "a text", "a list", "a table", "nothing", "a bytes",
    ]  # fmt: skip
