"""The import contracts of pyproject.toml hold."""

import subprocess
import sys


def test_every_import_contract_is_kept():
    """lint-imports finds no broken contract."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
