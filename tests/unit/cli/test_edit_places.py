"""Places in a text as people give them, and edits in the order in which they are given."""

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.control import words
from symphony.cli.edit import command as edit
from symphony.cli.edit import position, span, utf8_text
from symphony.domain.text import Edit, Position, Span
from tests.unit.cli.fake_kernel import FakeKernel, answering

numbers = st.integers(1, 10**9 - 1)
TEXT = {"path": "/x", "text": "hello\n", "revision": 4, "pristine": True, "sha256": "00"}


@given(numbers, numbers)
def test_a_place_counts_from_one_and_the_core_from_zero(line, column):
    assert position(f"{line}:{column}") == Position(line - 1, column - 1)


@given(st.text(max_size=12))
def test_any_other_text_is_no_place(text):
    try:
        found = position(text)
    except click.BadParameter:
        return
    assert text == f"{found.line + 1}:{found.column + 1}"


@pytest.mark.parametrize("text", ["0:1", "1:0", "1", "1:", ":1", "-1:1", "1:1:1", " 1:1", "1:1\n", "\u0663:\u0661"])
def test_what_only_looks_like_a_place_is_refused(text):
    with pytest.raises(click.BadParameter, match="LINE:COL, both from 1"):
        position(text)


def test_a_span_is_two_places():
    assert span("1:2-3:4") == Span(Position(0, 1), Position(2, 3))


@pytest.mark.parametrize("text", ["1:1", "1:5-1:4", "2:1-1:9", "1:1-", "1:1-x"])
def test_a_span_that_is_none_is_refused(text):
    with pytest.raises(click.BadParameter):
        span(text)


def test_bytes_that_are_no_utf8_are_refused():
    with pytest.raises(click.BadParameter, match="not UTF-8"):
        utf8_text("\udcff")


def test_edits_are_sent_in_the_order_given_whichever_option_gives_them(run_dir, symphony, tmp_path):
    asked = []
    with FakeKernel(run_dir, answering(core=lambda message: asked.append(message) or TEXT)):
        done = symphony(
            "edit", tmp_path / "a", "--delete", "1:1-1:2", "--insert", "1:1", "X", "--delete=2:1-2:2", "--insert", "3:1", "-x"
        )

    assert done == (0, f"{tmp_path / 'a'}: revision 4, saved\n", "")
    (message,) = asked
    assert message["save"] is True
    assert message["path"] == str(tmp_path / "a")
    assert [(each["span"]["start"], each["text"]) for each in message["edits"]] == [
        ({"line": 0, "column": 0}, ""),
        ({"line": 0, "column": 0}, "X"),
        ({"line": 1, "column": 0}, ""),
        ({"line": 2, "column": 0}, "-x"),
    ]


def test_an_edit_need_not_be_saved(run_dir, symphony):
    def core(message):
        return {**TEXT, "pristine": message["save"]}

    with FakeKernel(run_dir, answering(core=core)):
        done = symphony("edit", "a", "--insert", "1:1", "X", "--no-save")

    assert done.out == "a: revision 4, not saved\n"


def test_nothing_to_do_is_wrong_usage(symphony):
    assert symphony("edit", "a").code == 2


def test_a_place_outside_the_text_says_how_it_is_counted(run_dir, symphony):
    refused = words.Refused("InvalidRequestError", "line 8 is past the last line, 1", declared=True)
    with FakeKernel(run_dir, answering(core=lambda _: refused)):
        done = symphony("edit", "a", "--insert", "9:1", "X")

    assert done.code == 2
    assert "line 8 is past the last line" in done.err
    assert "counted from 0" in done.err


def test_the_help_says_where_counting_begins():
    assert "count from 1" in CliRunner().invoke(edit, ["--help"]).output


def test_the_edit_sent_is_the_cores_own_type():
    assert Edit(span("1:1-1:2"), "x").span.end.column == 1
