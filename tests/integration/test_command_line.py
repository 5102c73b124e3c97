"""The command line as real processes, without a kernel: what it prints, exits with and imports."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.architecture.checkout import PACKAGES, ROOT

SCRIPT = Path(sys.executable).with_name("symphony")
HEAVY = ("rich", "structlog", "psutil", "zmq", "pykka", "asyncio", "multiprocessing", "symphony.cli.tree", "symphony.cli.up")


@pytest.fixture
def environ(tmp_path):
    """An environment in which nothing is running, whatever runs on this machine."""
    # A short name: the path of a unix socket may have 107 bytes.
    run_dir = tempfile.mkdtemp(prefix="sy-")
    yield {**os.environ, "SYMPHONY_RUN_DIR": run_dir, "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    shutil.rmtree(run_dir)


def symphony(*arguments, environ, cwd=None, program=(sys.executable, "-P", "-m", "symphony")):
    return subprocess.run(
        [*program, *map(str, arguments)], env=environ, cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def hostile(tmp_path):
    """A folder whose packages have our names, and leave a mark when any of their code runs."""
    folder = tmp_path / "project"
    for package in (*PACKAGES, "click", "msgspec"):
        (folder / package).mkdir(parents=True)
        for module in ("__init__.py", "__main__.py", "settings.py"):
            (folder / package / module).write_text(f"open({str(folder / 'imported')!r}, 'a').write(__name__)\n")
    return folder


def test_the_help_is_printed_and_exits_0(environ):
    done = symphony("--help", environ=environ)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Commands:" in done.stdout


def test_the_version_is_printed(environ):
    assert re.fullmatch(r"symphony \d+\.\d+\.\d+\n", symphony("--version", environ=environ).stdout)


def test_an_unknown_command_is_exit_2(environ):
    done = symphony("statsu", environ=environ)

    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'status'" in done.stderr


def test_a_command_that_is_not_built_yet_is_exit_6(environ):
    assert symphony("shell", environ=environ).returncode == 6


def test_without_a_kernel_it_is_exit_3(environ):
    done = symphony("tree", environ=environ)

    assert (done.returncode, done.stderr) == (3, "symphony: not running: start it with `symphony up`\n")


def test_asking_for_what_is_not_running_makes_no_folder(environ, tmp_path):
    symphony("tree", "--run-dir", tmp_path / "none", environ=environ)

    assert not (tmp_path / "none").exists()


def test_the_doctor_finds_nothing_to_do_here(environ):
    done = symphony("doctor", "--json", environ=environ, cwd=ROOT)

    findings = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert [finding for finding in findings.values() if not finding["is_well"]] == []
    assert {"python", "packages", "run directory", "editor", *(f"package {name}" for name in PACKAGES)} <= set(findings)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ('["/no/such/program"]', "does not start"),
        (f'["{sys.executable}", "-c", "pass"]', "does not answer new_view"),
        (f'["{sys.executable}", "-c", "import sys; sys.stdin.read()"]', "does not answer new_view"),
        ("3", "must be a list of texts"),
    ],
)
def test_the_doctor_says_what_to_do_about_an_editor_that_does_not_answer(environ, tmp_path, command, said):
    (tmp_path / "s.toml").write_text(f"[xi]\ncommand = {command}\n")
    done = symphony("doctor", "--config", tmp_path / "s.toml", environ=environ)

    assert done.returncode == 1
    assert said in done.stdout
    assert "    do: correct" in done.stdout


def test_a_simple_command_imports_nothing_heavy(environ):
    """The start-up of every command is paid for by whoever types it."""
    code = "import sys; from symphony.cli.program import run; run(['--help']); sys.stderr.write(' '.join(sys.modules))"
    done = symphony(environ=environ, program=(sys.executable, "-P", "-c", code))

    assert not set(HEAVY) & set(done.stderr.split())


@pytest.mark.skipif(not SCRIPT.exists(), reason="the project is not installed beside this Python")
@pytest.mark.parametrize("arguments", [["--help"], ["tree"], ["doctor"], ["up", "--help-config"], ["melody", "check", "x"]])
def test_nothing_of_the_current_folder_is_ever_imported(environ, hostile, arguments):
    symphony(*arguments, environ=environ, cwd=hostile, program=(SCRIPT,))

    assert not (hostile / "imported").exists()


def test_python_without_p_replaces_itself_by_one_that_is_safe(environ, tmp_path):
    code = "import sys; sys.argv = ['symphony', 'doctor']; from symphony.cli.main import main; main()"
    done = symphony(environ=environ, cwd=tmp_path, program=(sys.executable, "-c", code))

    assert "✓ python" in done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["tree", "--json"]])
def test_a_reader_that_leaves_early_is_no_reason_to_complain(environ, arguments):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as output:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "symphony", *arguments],
            env=environ,
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )

    assert (done.returncode, done.stderr) == (1, b"")


def test_a_terminal_that_knows_ascii_only_is_no_reason_to_fail(environ):
    done = symphony("doctor", environ={**environ, "PYTHONIOENCODING": "ascii"})

    assert done.returncode == 0
    assert " python: Python 3." in done.stdout
