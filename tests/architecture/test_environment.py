"""The environment is what pyproject.toml asks for, pinned to the last package; and make says what it will not do."""

import os
import re
import shutil
import subprocess
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.checkout import PACKAGES, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WANTED = [
    *PROJECT["project"]["dependencies"],
    *PROJECT["dependency-groups"]["dev"],
    *PROJECT["build-system"]["requires"],
]
LINES = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
MAKE = shutil.which("make") or ""
needs_make = pytest.mark.skipif(not MAKE, reason="make is not on the path")


def make(*arguments, folder=ROOT):
    """Run make as from a fresh shell, not as a part of the make that may be running these tests."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run([MAKE, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("line", LINES)
def test_a_constraint_is_one_exact_version_and_nothing_else(line):
    """No hash, no marker, no place to fetch from: it holds for every supported Python and every registry."""
    assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line)


@pytest.mark.parametrize("requirement", WANTED)
def test_what_the_project_asks_for_is_pinned_to_a_version_that_it_allows(requirement):
    pins = {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in LINES}
    wanted = Requirement(requirement)

    assert pins[canonicalize_name(wanted.name)] in wanted.specifier


@needs_make
@pytest.mark.parametrize("version", ["3.10.13", "2.7.18"])
def test_an_older_python_gets_one_clear_line(version, tmp_path):
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\necho {version}\n")
    python.chmod(0o755)

    done = make("setup", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}")

    assert done.returncode != 0
    assert re.fullmatch(rf".*needs Python 3\.11 or newer, and \S+ is Python {version}; name one: .*\n", done.stderr)
    assert done.stdout == ""
    assert not (tmp_path / "venv").exists()


@needs_make
def test_clean_removes_what_make_made_and_leaves_a_folder_that_it_did_not_make(tmp_path):
    """VENV can name any folder."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in (*PACKAGES, "tests", "benchmarks", "examples", "mine", "made", "xi/rope/__pycache__", ".mypy_cache"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / "made" / ".made-by-make").touch()

    for folder in ("mine", "made"):
        assert make("clean", f"VENV={folder}", folder=tmp_path).returncode == 0

    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert left == {"Makefile", *PACKAGES, "tests", "benchmarks", "examples", "mine", "xi/rope"}


@needs_make
def test_fuzz_is_refused_as_not_built_yet():
    done = make("fuzz")

    assert done.returncode == 2
    assert "not built yet" in done.stderr
