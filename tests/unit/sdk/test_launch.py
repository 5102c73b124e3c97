"""How a worker is started; tests/unit/actors/test_worker_process.py starts real ones."""

import ast
from pathlib import Path

import msgspec

import symphony
from symphony.sdk.launch import BOOT, worker_command


def test_the_command_is_an_isolated_interpreter_with_our_two_roots_and_the_extension():
    command = worker_command(executable="/usr/bin/python3", fd=7, directory=Path("/ext/tidy"), entry="tidy:Tidy")

    executable, *flags = command.argv[: command.argv.index("-c")]
    assert executable == "/usr/bin/python3"
    assert {"-I", "-S", "-B"} <= set(flags)
    assert command.argv[command.argv.index("-c") + 1 :] == (
        BOOT,
        "7",
        str(Path(symphony.__file__).parents[1]),
        str(Path(msgspec.__file__).parents[1]),
        "/ext/tidy",
        "tidy:Tidy",
    )


def test_nothing_of_the_hosts_environment_is_handed_on(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")

    command = worker_command(executable="python", fd=3, directory=Path("/ext"), entry="a:A")

    assert sorted(command.env) == ["LANG", "PATH"]


def test_the_boot_imports_sys_and_the_worker_alone():
    imported = [node for node in ast.walk(ast.parse(BOOT)) if isinstance(node, ast.Import | ast.ImportFrom)]

    assert [getattr(node, "module", None) or node.names[0].name for node in imported] == ["sys", "symphony.sdk.worker"]
