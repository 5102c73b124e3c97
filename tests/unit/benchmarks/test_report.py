import math

import msgspec
import pytest

from benchmarks.__main__ import worst
from benchmarks.report import Bar, Report, Row, at_most, below, not_measured

HELD = Bar("held", "<= 1 ms", 0.5, holds=True)
MISSED = Bar("missed", "<= 1 ms", 2.0, holds=False)
UNKNOWN = not_measured(HELD, "the anchor was too unsteady")


def report(*bars, rows=(), notes=()):
    return Report("inprocess", 7, rows, bars, notes)


@pytest.mark.parametrize(
    ("bars", "code"),
    [([HELD], 0), ([HELD, MISSED], 1), ([HELD, UNKNOWN], 2), ([UNKNOWN, MISSED], 1)],
)
def test_the_exit_code_says_held_missed_or_not_measured(bars, code):
    assert report(*bars).exit_code == code


@pytest.mark.parametrize(("codes", "code"), [([0, 0], 0), ([0, 2], 2), ([2, 1], 1)])
def test_of_several_questions_a_missed_bar_outweighs_the_rest(codes, code):
    assert worst(codes) == code


def test_what_was_not_measured_does_not_hold():
    assert not report(UNKNOWN).all_hold


def test_json_has_the_contracts_names():
    row = Row("symphony shared", "tell", "msg/s", 1.2e6, versus="pykka", ratio=6.1)

    document = msgspec.json.decode(report(HELD, rows=(row,)).as_json())

    assert document["schema"] == "symphony.bench/1"
    assert (document["name"], document["rounds"]) == ("inprocess", 7)
    assert document["rows"][0].items() >= {"system": "symphony shared", "p99": None, "versus": "pykka", "ratio": 6.1}.items()
    assert document["bars"][0].items() >= {"metric": "held", "bar": "<= 1 ms", "measured": 0.5, "holds": True}.items()


def test_a_figure_that_there_is_not_is_null_in_json_and_blank_in_text():
    there_is_none = report(not_measured(at_most("size", 1, "kB", math.nan), "no statm"))

    assert msgspec.json.decode(there_is_none.as_json())["bars"][0]["measured"] is None
    assert "nan" not in there_is_none.as_text()


def test_the_text_says_why_a_bar_was_not_measured_and_what_else_there_is_to_know():
    text = report(UNKNOWN, notes=("xoscar is not installed",)).as_text()

    assert "held: not measured: the anchor was too unsteady" in text
    assert "xoscar is not installed" in text


def test_below_is_missed_at_its_limit_and_at_most_is_not():
    assert (below("t", 2, "s", 2.0).holds, at_most("t", 2, "s", 2.0).holds) == (False, True)
