"""Settings are right and frozen, or refused with every problem there is."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.errors import InvalidRequestError
from symphony.settings import Settings, read_settings

DEFAULTS = Settings(run_dir="/run/x", state_dir="/state/x")


def read(text, *, is_trusted=True):
    return read_settings(text, source="symphony.toml", folder="/project", defaults=DEFAULTS, is_trusted=is_trusted)


def problems_of(text, **given):
    with pytest.raises(InvalidRequestError) as caught:
        read(text, **given)
    return list(caught.value.problems)


def attempt(text):
    try:
        return read(text), []
    except InvalidRequestError as error:
        return None, list(error.problems)


def test_an_empty_file_changes_nothing_and_the_editor_is_our_own():
    assert read("") == DEFAULTS
    assert DEFAULTS.xi_command == (sys.executable, "-P", "-m", "xi")


@pytest.mark.parametrize("value", ["true", "false"])
def test_whether_faults_may_be_injected_is_a_setting_and_off_if_not_said(value):
    assert read(f"[faults]\nallow_injection = {value}\n").allow_fault_injection is (value == "true")
    assert DEFAULTS.allow_fault_injection is False
    assert problems_of('[faults]\nallow_injection = "yes"\n') == [
        "symphony.toml:2: faults.allow_injection: must be true or false"
    ]


def test_processes_are_kept_ready_if_the_settings_say_how_many():
    assert DEFAULTS.warm_spares == 0
    assert read("[nodes]\nwarm_spares = 2\n").warm_spares == 2
    for wrong in ("-1", "17", "true", "1.0", '"2"'):
        assert problems_of(f"[nodes]\nwarm_spares = {wrong}\n") == [
            "symphony.toml:2: nodes.warm_spares: must be a whole number from 0 to 16"
        ]


def test_what_the_file_says_is_taken():
    settings = read('[xi]\ncommand = ["xi-core", "--log"]\n[state]\ndir = "/elsewhere"\n')

    assert settings == Settings("/run/x", "/elsewhere", None, ("xi-core", "--log"))


def test_relative_paths_start_at_the_files_folder():
    settings = read('[xi]\ncommand = ["bin/xi"]\n[state]\ndir = "state"\n')

    assert (settings.xi_command, settings.state_dir) == (("/project/bin/xi",), "/project/state")


def test_every_problem_is_listed_with_its_line_and_key():
    text = '[xi]\ncomand = []\ncommand = "xi"\n\n[state]\ndir = 3\n\n[stat]\nx = 1\n'

    assert problems_of(text) == [
        'symphony.toml:2: xi.comand: is not a key here; did you mean "command"?',
        'symphony.toml:8: stat: is not a section of settings; did you mean "state"?',
        'symphony.toml:3: xi.command: must be a list of texts, none of them empty, as in ["xi-core", "--log"]',
        "symphony.toml:6: state.dir: must be the path of a folder",
    ]


def test_a_section_that_is_no_table_is_a_problem():
    assert problems_of("xi = 1\n") == ["symphony.toml:1: xi: must be a table, as in [xi]"]


@pytest.mark.parametrize("text", ["x = ", "[xi", "a = 1\na = 2", "a = " + "[" * 5000, "n = " + "9" * 5000])
def test_a_text_that_is_no_toml_is_one_problem_with_the_files_name(text):
    (problem,) = problems_of(text)

    assert problem.startswith("symphony.toml: is ")


def test_a_file_that_came_with_a_folder_may_not_name_a_program():
    """A stranger's project must not start anything by being opened."""
    (problem,) = problems_of('[xi]\ncommand = ["./evil"]\n', is_trusted=False)

    assert "use --config symphony.toml" in problem
    assert read('[state]\ndir = "s"\n', is_trusted=False).state_dir == "/project/s"


@given(st.text())
def test_any_text_is_settings_or_a_problem_in_its_file(text):
    settings, problems = attempt(text)

    assert settings == DEFAULTS or problems
    assert all(problem.startswith("symphony.toml") for problem in problems)


plain = st.recursive(
    st.integers(-9, 9) | st.text("ab\n") | st.booleans(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@given(st.dictionaries(st.sampled_from(["command", "dir", "other"]), plain), st.sampled_from(["xi", "state", "more"]))
def test_a_table_of_anything_is_settings_of_the_right_types_or_problems(table, section):
    def toml(value):
        if isinstance(value, list):
            return "[" + ", ".join(map(toml, value)) + "]"
        if isinstance(value, bool):
            return str(value).lower()
        return '"' + value.replace("\n", "\\n") + '"' if isinstance(value, str) else str(value)

    text = f"[{section}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in table.items())
    settings, problems = attempt(text)

    assert all(problem.startswith("symphony.toml:") for problem in problems)
    if settings is not None:
        assert settings.xi_command
        assert all(isinstance(part, str) and part for part in settings.xi_command)
        assert settings.state_dir.startswith("/")
