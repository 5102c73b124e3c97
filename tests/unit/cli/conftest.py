"""Fixtures: a run directory with a short name, and the command line run in this process."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

from actors.runtime.run_directory import RunDirectory
from symphony.cli.program import run


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def run_dir():
    """Not pytest's own folder: the path of a unix socket may have 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="sy-"))
    yield RunDirectory(path)
    shutil.rmtree(path)


@pytest.fixture
def symphony(run_dir, monkeypatch, capfd):
    """Run a command line against `run_dir`, which the environment names."""
    monkeypatch.setenv("SYMPHONY_RUN_DIR", str(run_dir.path))

    def call(*arguments: str | os.PathLike[str]) -> Done:
        code = run([os.fspath(argument) for argument in arguments])
        return Done(int(code), *capfd.readouterr())

    return call
