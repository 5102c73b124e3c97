"""The import contracts of pyproject.toml hold."""

import subprocess
import sys

from tests.architecture.checkout import ROOT


def test_every_import_contract_is_kept():
    """lint-imports finds no broken contract."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
