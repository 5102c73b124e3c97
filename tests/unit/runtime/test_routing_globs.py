"""Which paths a pattern fits, and which patterns are none."""

import re
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.address import MAX_LENGTH
from actors.runtime.errors import InvalidPathError
from actors.runtime.globs import compile_glob, matches


class Charset(NamedTuple):
    """The members of a set, as single characters and ranges, and whether it is negated."""

    is_negated: bool
    single: str
    ranges: tuple[tuple[str, str], ...]
    hyphen: str

    def __str__(self):
        first, last = {"first": ("-", ""), "last": ("", "-"), "none": ("", "")}[self.hyphen]
        ranges = "".join(f"{low}-{high}" for low, high in self.ranges)
        return f"[{'!' if self.is_negated else ''}{first}{ranges}{self.single}{last}]"

    def has(self, character):
        found = (
            character in self.single
            or any(low <= character <= high for low, high in self.ranges)
            or (self.hyphen != "none" and character == "-")
        )
        return found != self.is_negated


# Few characters, so that patterns fit often.
CHARACTERS = "abc.1"
RANGES = st.tuples(st.sampled_from(CHARACTERS), st.sampled_from(CHARACTERS)).map(lambda pair: tuple(sorted(pair)))
SETS = st.builds(
    Charset, st.booleans(), st.text(CHARACTERS, max_size=2), st.lists(RANGES, max_size=2).map(tuple), st.sampled_from(["none"])
).filter(lambda made: made.single or made.ranges) | st.builds(
    Charset,
    st.booleans(),
    st.text(CHARACTERS, max_size=2),
    st.lists(RANGES, max_size=2).map(tuple),
    st.sampled_from(["first", "last"]),
)
TOKENS = st.lists(st.sampled_from([*CHARACTERS, "-", "*", "?"]) | SETS, min_size=1, max_size=5).filter(
    lambda tokens: "**" not in "".join(map(str, tokens))
)
PARTS = st.lists(st.just(["**"]) | st.just(["*"]) | TOKENS, max_size=5)
NAMES = st.lists(st.from_regex(r"[abc1][abc1.-]{0,4}", fullmatch=True), max_size=6)


def naive(parts, names):
    """Try every way to part the names among the parts."""
    if not parts:
        return not names
    first, rest = parts[0], parts[1:]
    if first == ["**"]:
        return any(naive(rest, names[taken:]) for taken in range(len(names) + 1))
    return bool(names) and naive_name(first, names[0]) and naive(rest, names[1:])


def naive_name(tokens, name):
    """Try every way to part the characters of a name among the tokens."""
    if not tokens:
        return not name
    first, rest = tokens[0], tokens[1:]
    if first == "*":
        return any(naive_name(rest, name[taken:]) for taken in range(len(name) + 1))
    fits = name and (first == "?" or (first.has(name[0]) if isinstance(first, Charset) else first == name[0]))
    return bool(fits) and naive_name(rest, name[1:])


@given(PARTS, st.lists(NAMES, max_size=8))
def test_a_pattern_fits_what_a_naive_matcher_says(parts, paths):
    fits = compile_glob("/" + "/".join("".join(map(str, tokens)) for tokens in parts))

    for names in paths:
        assert fits("/" + "/".join(names)) == naive(parts, names)


@given(NAMES)
def test_a_path_is_a_pattern_that_fits_itself_and_any_depth_fits_every_path(names):
    path = "/" + "/".join(names)

    assert matches(path, path)
    assert matches("/**", path)
    assert matches("/**/**", path)


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("/", ["/"], ["/a"]),
        ("/pool/*", ["/pool/a", "/pool/a-1"], ["/pool", "/pool/a/b", "/pools/a", "/"]),
        ("/pool/**", ["/pool", "/pool/a", "/pool/a/b"], ["/pools", "/", "/a/pool"]),
        ("/pool/*/**", ["/pool/a", "/pool/a/b/c"], ["/pool"]),
        ("/**/worker", ["/worker", "/a/worker", "/a/b/worker"], ["/worker/a", "/a/xworker"]),
        ("/*", ["/a"], ["/", "/a/b"]),
        ("/**", ["/", "/a", "/a/b"], ["", "a"]),
        ("/w-?", ["/w-1"], ["/w-", "/w-12", "/W-1"]),
        ("/w[0-3]", ["/w0", "/w3"], ["/w4", "/w", "/w03"]),
        ("/w[!0-3_-]", ["/w4", "/wa"], ["/w0", "/w-", "/w_"]),
        ("/a.c", ["/a.c"], ["/abc"]),
        ("/**/a/**/b", ["/a/b", "/x/a/y/b", "/a/a/b/b"], ["/b/a", "/a/b/c"]),
    ],
)
def test_what_patterns_fit(pattern, fitting, others):
    fits = compile_glob(pattern)

    assert [path for path in fitting if not fits(path)] == []
    assert [path for path in others if fits(path)] == []


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "does not start at the root: write `/name`"),
        ("pool/*", "does not start at the root"),
        ("**", "does not start at the root"),
        ("//a", "a name is empty: no `//`, and no `/` at the end"),
        ("/a/", "a name is empty"),
        ("/a**", "`**` in 'a**' stands for whole names"),
        ("/***", "`**` in '***' stands for whole names"),
        ("/a[bc", "'a[bc' has brackets that are no set"),
        ("/a]", "'a]' has brackets that are no set"),
        ("/[a/b]", "a set does not reach past a `/`"),
        ("/[]a]", "'[]a]' has brackets that are no set"),
        ("/[]", "'[]' holds no character"),
        ("/[!]", "'[!]' holds no character"),
        ("/[^a]", "brackets that are no set: write `[abc]`, `[a-z]` or `[!0-9]`"),
        ("/[a-c-e]", "a hyphen first or last"),
        ("/[z-a]", "the range z-a is empty: write a-z"),
        ("/[a9-0]", "the range 9-0 is empty: write 0-9"),
        ("/a b", "has characters that are in no name"),
        ("/wörker", "has characters that are in no name: use letters, digits"),
        ("/a\n", "has characters that are in no name"),
        ("/" + "a" * MAX_LENGTH, f"they have {MAX_LENGTH} at most"),
    ],
)
def test_a_pattern_that_no_path_fits_is_refused_with_what_is_wrong_and_what_to_do(pattern, said):
    with pytest.raises(InvalidPathError, match=re.escape(said)):
        compile_glob(pattern)


@given(st.text())
def test_any_text_is_a_pattern_or_is_refused(text):
    """Nothing else is raised, be it a pattern or a path."""
    try:
        fits = compile_glob(text)
    except InvalidPathError:
        return
    assert fits("/a/b") in {True, False}


@given(st.text())
def test_a_compiled_pattern_takes_any_text_and_fits_no_text_that_does_not_start_at_the_root(text):
    assert compile_glob("/**")(text) == text.startswith("/")


def test_a_pattern_that_makes_naive_matchers_try_for_ever_is_quick():
    """A regular expression over the whole path would need longer than anybody waits."""
    assert not matches("/**/a" * 60 + "/b", "/a" * 249)
    assert not matches("/" + "*a" * 200 + "*b", "/" + "a" * 499)
