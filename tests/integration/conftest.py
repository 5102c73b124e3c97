"""A tree of a user's own: where it runs, the folder of its target, and the command line beside it."""

import pytest

from tests.support.own_trees import Shell, short_run_dir, write_shop


@pytest.fixture
def run_dir():
    with short_run_dir() as path:
        yield path


@pytest.fixture
def app(tmp_path):
    return write_shop(tmp_path)


@pytest.fixture
def symphony(run_dir, app):
    return Shell(run_dir, app)
