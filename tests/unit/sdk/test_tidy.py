"""The example extension symphony.tidy, as a class; tests/unit/actors runs it as a process."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from symphony.domain.manifest import read_manifest
from symphony.sdk.signature import operations_of

DIRECTORY = Path(__file__).parents[3] / "examples/extensions/tidy"


def loaded():
    spec = spec_from_file_location("tidy_example", DIRECTORY / "tidy.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Tidy()


TIDY = loaded()
TEXTS = st.text(st.sampled_from("ab \t\r\n\u2028é"), max_size=40) | st.text(max_size=40)


def test_the_manifest_is_right_and_its_ports_are_the_operations():
    manifest = read_manifest((DIRECTORY / "extension.toml").read_text(), source="extension.toml")
    operation = operations_of(TIDY)["tidy"]

    assert manifest.id == "symphony.tidy"
    assert [port.name for port in manifest.inputs] == [parameter.name for parameter in operation.parameters]
    assert [port.name for port in manifest.outputs] == list(TIDY.tidy(""))


@pytest.mark.parametrize(
    ("text", "tidied", "changes"),
    [
        ("", "", 0),
        ("a\n", "a\n", 0),
        ("a\n\nb\n", "a\n\nb\n", 0),
        ("a", "a\n", 1),
        ("a \t\nb\n", "a\nb\n", 1),
        ("a\r\nb\rc\n", "a\nb\nc\n", 2),
        ("a\n\n\n\nb\n", "a\n\nb\n", 2),
        ("a\n \nb\n", "a\n\nb\n", 1),
        ("a\n\n\n", "a\n", 2),
        ("\n\na\n", "\na\n", 1),
        (" \n\t", "", 2),
        ("\n", "", 1),
        ("  a\n", "  a\n", 0),
        ("a\u2028 b\n", "a\u2028 b\n", 0),
        ("line  \nbreak\n", "line\nbreak\n", 1),
    ],
)
def test_a_text_is_tidied_as_the_readme_says(text, tidied, changes):
    assert TIDY.tidy(text) == {"text": tidied, "changes": changes}


@given(TEXTS)
@example("\r\r\n\n")
def test_tidying_twice_is_the_same_as_once(text):
    once = TIDY.tidy(text)["text"]

    assert TIDY.tidy(once) == {"text": once, "changes": 0}


@given(TEXTS)
def test_changes_is_zero_exactly_when_the_text_stays(text):
    found = TIDY.tidy(text)

    assert (found["changes"] == 0) == (found["text"] == text)


@given(TEXTS)
def test_nothing_but_white_space_is_lost_and_no_untidiness_is_left(text):
    tidied = TIDY.tidy(text)["text"]

    assert re.sub(r"[ \t\r\n]", "", tidied) == re.sub(r"[ \t\r\n]", "", text)
    assert not re.search(r"[ \t]\n|\r|\n\n\n|[ \t]\Z", tidied)
    assert tidied == "" or (tidied.endswith("\n") and not tidied.endswith("\n\n"))
