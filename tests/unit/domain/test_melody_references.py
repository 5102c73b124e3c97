"""References are found, kept apart from plain text, and replaced by values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.errors import InvalidRequestError
from symphony.domain.melody_references import InputReference, Malformed, OutputReference, parts_of, references_in, resolve
from tests.support.plain_data import PLAIN


def test_a_text_is_cut_into_plain_strings_and_references():
    assert parts_of("a ${inputs.x} b ${steps.s-1.out}") == [
        "a ",
        InputReference("x", "${inputs.x}"),
        " b ",
        OutputReference("s-1", "out", "${steps.s-1.out}"),
    ]


@pytest.mark.parametrize(
    "text", ["${}", "${inputs}", "${inputs.}", "${inputs.a.b}", "${steps.a}", "${steps.a.b.c}", "${env.HOME}", "${ inputs.a}"]
)
def test_what_opens_as_a_reference_and_is_none_is_malformed(text):
    assert parts_of(text) == [Malformed(text)]


def test_a_reference_that_is_never_closed_is_malformed():
    assert parts_of("x ${inputs.a") == ["x ", Malformed("${inputs.a")]


def test_a_doubled_dollar_gives_a_plain_one():
    assert parts_of("$${inputs.a}") == ["${", "inputs.a}"]
    assert resolve({"t": "cost $5, $${x}"}, {}, {}) == {"t": "cost $5, ${x}"}


@given(text=st.text().filter(lambda text: "${" not in text))
def test_a_text_without_references_stands_for_itself(text):
    assert resolve({"t": text}, {}, {}) == {"t": text}


@given(value=PLAIN)
def test_a_whole_reference_keeps_the_value_and_its_type(value):
    given = resolve({"t": "${inputs.x}"}, {"x": value}, {})["t"]

    assert repr(given) == repr(value)


def test_a_reference_within_a_text_gives_text():
    text = "${inputs.s} ${inputs.i} ${inputs.f} ${steps.a.b}"

    given = resolve({"t": text}, {"s": "x", "i": 1, "f": 1.5}, {"a": {"b": True}})

    assert given == {"t": "x 1 1.5 true"}


def test_a_value_that_came_from_a_reference_is_not_read_again():
    """A file's text may hold what looks like a reference; it is data, not a melody."""
    assert resolve({"t": "${inputs.x}", "u": "a${inputs.x}"}, {"x": "${inputs.secret}"}, {}) == {
        "t": "${inputs.secret}",
        "u": "a${inputs.secret}",
    }


def test_references_are_found_and_replaced_at_any_depth():
    arguments = {"a": [{"b": "${steps.s.x}"}], "c": "and ${steps.t.y}", "d": 1}

    assert [reference.step for reference in references_in(arguments)] == ["s", "t"]
    assert resolve(arguments, {}, {"s": {"x": [1]}, "t": {"y": 2}}) == {"a": [{"b": [1]}], "c": "and 2", "d": 1}


def test_every_reference_without_a_value_is_listed_once():
    with pytest.raises(InvalidRequestError) as caught:
        resolve({"a": "${steps.s.y}", "b": "${steps.s.y}", "c": "x${inputs.n}", "d": "x${inputs.l}"}, {"l": []}, {"s": {"x": 1}})

    assert caught.value.problems == (
        '"${steps.s.y}" has no value; there is x',
        '"${inputs.n}" has no value; there is l',
        '"${inputs.n}" is nothing, which cannot stand within a text',
        '"${inputs.l}" is a list, which cannot stand within a text',
    )
