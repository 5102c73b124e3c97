"""The table of commands, and how the command line says what is wrong."""

import json
from importlib import import_module

import click
import pytest

from symphony.cli import program
from symphony.cli.melody import group
from symphony.domain import errors as domain
from symphony.domain.errors import SymphonyError

ROWS = [*program.ROWS.items(), *group.ROWS.items()]


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[row.module for _, row in ROWS])
def test_a_row_names_a_command_and_says_its_help_as_it_does(name, row):
    command = import_module(row.module).command

    assert isinstance(command, click.Command)
    assert command.name == name
    assert (command.help or "").splitlines()[0] == row.help


@pytest.mark.parametrize("row", [row for _, row in ROWS if not row.module.endswith(".group")], ids=lambda row: row.module)
def test_every_command_takes_the_options_that_all_have(row):
    options = {option for parameter in import_module(row.module).command.params for option in parameter.opts}

    assert {"--json", "--run-dir", "--timeout"} <= options


def test_no_name_is_built_and_not_built():
    assert not set(program.ROWS) & program.NOT_BUILT


def test_the_help_lists_every_command(symphony):
    done = symphony("--help")

    assert done.code == 0
    assert all(f"  {name} " in done.out for name in program.ROWS)


@pytest.mark.parametrize("name", sorted(program.NOT_BUILT))
def test_what_is_not_built_yet_is_refused_as_such(symphony, name):
    assert symphony(name, "--what", "ever") == (6, "", f"symphony: `symphony {name}` is not built yet\n")


def test_an_unknown_command_gets_the_nearest_name(symphony):
    done = symphony("tre")

    assert done.code == 2
    assert done.err == "symphony: there is no command 'tre'; did you mean 'tree'?\nTry `symphony --help`.\n"


@pytest.mark.parametrize(
    "line",
    [
        ["--nonsense"],
        ["tree", "--nonsense"],
        ["tree", "a", "b"],
        ["tree", "engine"],
        ["tree", "/../x"],
        ["tree", "--depth", "-1"],
        ["tree", "--timeout", "0"],
        ["tree", "--timeout", "nan"],
        ["tree", "--timeout", "inf"],
        ["kill"],
        ["events", "--since", "yesterday"],
        ["melody", "rnu"],
        ["melody", "status", "../x"],
        ["cat", ""],
        ["down", "--drain", "soon"],
        [],
        ["melody"],
    ],
)
def test_wrong_usage_is_exit_2_and_says_something(symphony, line):
    done = symphony(*line)

    assert (done.code, done.out) == (2, "")
    assert done.err


@pytest.mark.parametrize(
    "line",
    [
        ["tree"],
        ["status"],
        ["status", "/xi"],
        ["events"],
        ["kill", "/xi"],
        ["cat", "a"],
        ["edit", "a", "--insert", "1:1", "x"],
        ["down"],
        ["down", "--now"],
        ["melody", "list"],
        ["melody", "status", "r1"],
    ],
)
def test_without_a_kernel_it_is_exit_3_and_says_what_to_do(symphony, line):
    assert symphony(*line) == (3, "", "symphony: not running: start it with `symphony up`\n")


def test_with_json_an_error_is_one_document(symphony):
    done = symphony("tree", "--json")

    assert json.loads(done.out) == {
        "schema": "symphony.error/1",
        "error": "NotRunningError",
        "problems": ["not running: start it with `symphony up`"],
        "exit_code": 3,
    }
    assert (done.code, done.err) == (3, "")


def test_with_json_wrong_usage_is_a_document_too(symphony):
    done = symphony("tree", "--json", "--depth", "x")

    assert (done.code, json.loads(done.out)["error"], done.err) == (2, "UsageError", "")


def test_a_kernel_that_has_the_directory_and_is_silent_is_named(symphony, run_dir):
    from actors.runtime.run_directory import Holder

    run_dir.claim()
    run_dir.sign(Holder(kernel=4711, warden=4710))
    try:
        done = symphony("tree")
    finally:
        run_dir.release()

    assert done.code == 5
    assert "kernel pid 4711" in done.err
    assert "symphony down --now" in done.err


def test_options_that_are_for_the_other_kind_of_tree_are_refused(symphony):
    assert symphony("up", "--app-dir", ".").code == 2
    assert symphony("up", "package:tree", "--config", "x.toml").code == 2
    assert symphony("up", "package:tree", "--app-dir", "/no/such/folder").code == 4


def test_draining_is_not_built_yet(symphony):
    assert symphony("down", "--drain", "3").code == 6


def test_a_bug_says_that_it_is_one_and_where(symphony, monkeypatch):
    def fail(*_):
        raise KeyError("the reason")

    monkeypatch.setattr("symphony.cli.invocation.choose_places", fail)
    done = symphony("tree")

    assert done.code == 1
    assert "This is a bug in Symphony" in done.err
    assert "Traceback" in done.err
    assert "the reason" in done.err


def test_a_full_disk_is_no_bug(symphony, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("symphony.cli.invocation.choose_places", fail)

    assert symphony("tree") == (1, "", "symphony: [Errno 28] No space left on device\n")


def test_the_keys_of_the_settings_can_be_listed(symphony):
    assert "xi.command" in symphony("up", "--help-config").out
    assert {key["key"] for key in json.loads(symphony("up", "--help-config", "--json").out)["keys"]} >= {
        "xi.command",
        "state.dir",
    }


def test_wrong_settings_start_nothing(symphony, tmp_path, run_dir):
    file = tmp_path / "symphony.toml"
    file.write_text("[xi]\ncommand = 3\n[stat]\n")
    done = symphony("up", "--config", file)

    assert done.code == 2
    assert done.err.count(f"symphony: {file}") == 2
    assert list(run_dir.path.iterdir()) == []


@pytest.mark.parametrize(("make", "code"), [(lambda _: None, 4), (lambda path: path.mkdir(), 2)])
def test_settings_that_are_no_file_are_said_to_be_so(symphony, tmp_path, make, code):
    make(tmp_path / "symphony.toml")

    assert symphony("up", "--config", tmp_path / "symphony.toml").code == code


def test_every_kind_of_the_domains_errors_is_declared():
    assert all(issubclass(kind, SymphonyError) for kind in domain.KINDS.values())
