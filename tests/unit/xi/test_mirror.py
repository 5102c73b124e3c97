"""The frontend's line cache, fed with operations as xi-core would send them."""

import pytest

from xi.protocol import Line, LineCache, LineCacheError, Op, Update


def cache_of(*texts):
    cache = LineCache()
    cache.apply(Update([Op("ins", len(texts), [Line(text, [], ln=n) for n, text in enumerate(texts, 1)])], pristine=True))
    return cache


def texts_of(cache):
    return [line and line.text for line in cache.lines(0, 99)]


def numbers_of(cache):
    return [line and line.number for line in cache.lines(0, 99)]


def test_operations_are_walked_as_the_protocol_says():
    cache = cache_of("a", "b", "c", "d")
    cache.apply(
        Update(
            [Op("copy", 1, ln=1), Op("skip", 1), Op("ins", 2, [Line("x", [], ln=2), Line("y", [], ln=3)]), Op("copy", 2, ln=4)],
            False,
        )
    )

    assert texts_of(cache) == ["a", "x", "y", "c", "d"]
    assert numbers_of(cache) == [1, 2, 3, 4, 5]
    assert not cache.is_pristine


def test_invalid_lines_are_counted_and_unknown():
    cache = cache_of("a")
    cache.apply(Update([Op("copy", 1, ln=1), Op("invalidate", 150_000)], True))

    assert len(cache) == 150_001
    assert cache.line(0) is not None
    assert cache.line(70_000) is None
    with pytest.raises(IndexError, match="150001 lines"):
        cache.line(150_001)


def test_an_update_changes_cursors_and_nothing_else():
    cache = cache_of("a", "b")
    cache.apply(Update([Op("update", 2, [Line(cursor=[1]), Line()])], True))
    assert [line.cursor for line in cache.lines(0, 2)] == [(1,), ()]

    cache.apply(Update([Op("update", 2, [Line(), Line(styles=[0, 1, 0])])], True))
    assert [(line.text, line.cursor, line.styles) for line in cache.lines(0, 2)] == [("a", (), ()), ("b", (), (0, 1, 0))]


def test_rows_of_a_wrapped_line_have_no_number_and_are_passed_over_when_renumbering():
    cache = LineCache()
    rows = [Line("a ", [], ln=1), Line("b\n", []), Line("c\n", [], ln=2), Line("d", [], ln=3)]
    cache.apply(Update([Op("ins", 4, rows)], True))
    assert numbers_of(cache) == [1, None, 2, 3]

    cache.apply(Update([Op("ins", 1, [Line("x\n", [], ln=1)]), Op("copy", 4, ln=2)], True))
    assert numbers_of(cache) == [1, 2, None, 3, 4]
    cache.apply(Update([Op("skip", 2), Op("copy", 1, ln=1), Op("copy", 2, ln=2)], True))
    assert numbers_of(cache) == [None, 2, 3]


@pytest.mark.parametrize(
    "op",
    [
        Op("copy", 3), Op("skip", 3), Op("copy", -1), Op("ins", 2, [Line("x")]), Op("ins", 1), Op("ins", 1, [Line()]),
        Op("update", 1, []), Op("update", 3, [Line(), Line(), Line()]),
    ],
)  # fmt: skip
def test_an_update_that_does_not_fit_changes_nothing(op):
    cache = cache_of("a", "b")
    with pytest.raises(LineCacheError):
        cache.apply(Update([op], False))

    assert texts_of(cache) == ["a", "b"]
    assert cache.is_pristine
