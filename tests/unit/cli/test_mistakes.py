"""Slips of the hand that would otherwise do something else than was meant."""

import pytest
from click import BadParameter

from symphony.cli.edit import utf8_text
from symphony.cli.melody.melody_file import load_melody
from symphony.cli.places import choose_places
from symphony.domain.errors import InvalidRequestError


@pytest.mark.parametrize("option", ["--no-save", "--insert", "--json"])
def test_an_option_is_not_taken_for_a_text_that_was_forgotten(option):
    with pytest.raises(BadParameter, match="the text is missing"):
        utf8_text(option)


def test_a_text_that_begins_with_dashes_is_a_text():
    assert utf8_text("-- a signature") == "-- a signature"


def test_an_empty_run_directory_is_a_mistake_and_not_the_user_s_own():
    with pytest.raises(InvalidRequestError, match="--run-dir is empty"):
        choose_places("", None, {}, None)


def test_a_melody_s_check_finds_what_is_wrong_with_its_extensions(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "extension.toml").write_text('manifest = 1\nid = "x"\nkind = "operator"\n')
    melody = tmp_path / "m.melody.toml"
    melody.write_text(
        'melody = 1\nname = "m"\nsummary = "m"\n[extensions.one]\npath = "one"\n[extensions.two]\npath = "two"\n'
        '[[steps]]\nid = "a"\ndoes = "extension.invoke"\nextension = "one"\noperation = "o"\n'
        '[[steps]]\nid = "b"\ndoes = "extension.invoke"\nextension = "two"\noperation = "o"\n'
    )

    with pytest.raises(InvalidRequestError) as wrong:
        load_melody(str(melody))

    assert any("one/extension.toml" in problem for problem in wrong.value.problems)
    assert any("two/extension.toml: no such file" in problem for problem in wrong.value.problems)
