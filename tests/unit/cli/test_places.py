"""All commands come to the same run directory, by a rule that can be said in a sentence."""

import pytest

from actors.runtime.run_directory import RunDirectory
from symphony.cli.places import choose_places
from symphony.domain.errors import InvalidRequestError, NotFoundError


@pytest.fixture
def environ(tmp_path):
    (tmp_path / "runtime").mkdir()
    return {"XDG_RUNTIME_DIR": str(tmp_path / "runtime"), "XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}


def test_without_anything_it_is_the_users(environ, tmp_path):
    places = choose_places(None, None, environ, tmp_path)

    assert places == (tmp_path / "runtime/symphony/user", tmp_path / "state/symphony/user", None)


@pytest.mark.parametrize("runtime", [None, "relative", "/no/such/folder"])
def test_without_a_runtime_folder_it_is_in_the_state_folder(environ, tmp_path, runtime):
    environ["XDG_RUNTIME_DIR"] = runtime or ""

    assert choose_places(None, None, environ, tmp_path).run_dir == tmp_path / "state/symphony/run/user"


def test_without_any_variable_it_is_below_the_home_folder(tmp_path):
    places = choose_places(None, None, {"HOME": "/home/user"}, tmp_path)

    assert str(places.run_dir) == "/home/user/.local/state/symphony/run/user"
    assert str(places.state_dir) == "/home/user/.local/state/symphony/user"


def test_a_run_directory_that_is_given_comes_first_and_holds_the_state_too(environ, tmp_path):
    environ["SYMPHONY_RUN_DIR"] = "/tmp/second"

    assert str(choose_places("/tmp/first", None, environ, tmp_path).state_dir) == "/tmp/first/state"
    assert str(choose_places(None, None, environ, tmp_path).run_dir) == "/tmp/second"


def test_a_folder_with_settings_is_a_workspace_for_all_below_it(environ, tmp_path):
    workspace = tmp_path / "My Project"
    (workspace / "a" / "b").mkdir(parents=True)
    (workspace / "symphony.toml").touch()

    here = choose_places(None, None, environ, workspace)

    assert here.workspace == workspace
    assert here.run_dir.name.startswith("my-project-")
    assert choose_places(None, None, environ, workspace / "a" / "b") == here
    assert choose_places(None, str(workspace), environ, tmp_path) == here


def test_a_workspace_that_was_named_once_is_found_again_from_inside(environ, tmp_path):
    workspace = tmp_path / "project"
    (workspace / "sub").mkdir(parents=True)
    named = choose_places(None, str(workspace), environ, tmp_path)
    named.run_dir.mkdir(parents=True)

    assert choose_places(None, None, environ, workspace / "sub") == named


def test_two_workspaces_of_one_name_have_two_run_directories(environ, tmp_path):
    for parent in ("a", "b"):
        (tmp_path / parent / "project").mkdir(parents=True)
    first, second = (choose_places(None, str(tmp_path / parent / "project"), environ, tmp_path) for parent in ("a", "b"))

    assert first.run_dir != second.run_dir


def test_the_name_of_a_workspace_leaves_room_for_sockets(environ, tmp_path):
    workspace = tmp_path / ("long" * 30)
    workspace.mkdir()
    environ["XDG_RUNTIME_DIR"] = "/tmp"

    assert len(str(RunDirectory(choose_places(None, str(workspace), environ, tmp_path).run_dir).path)) <= 40


def test_a_workspace_that_is_no_folder_is_refused(environ, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(NotFoundError):
        choose_places(None, str(tmp_path / "none"), environ, tmp_path)
    with pytest.raises(InvalidRequestError):
        choose_places(None, str(tmp_path / "file"), environ, tmp_path)


def test_a_current_folder_that_is_gone_is_no_workspace(environ):
    assert choose_places(None, None, environ, None).workspace is None
