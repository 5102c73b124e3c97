"""Settings: what `symphony.toml` says, read once into frozen values, or an error that lists every problem with its key.

One table describes every key, so that the reader, its errors and `symphony up --help-config` cannot disagree. Nothing else in the
program reads the file: whoever needs a setting is handed its value.
"""

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from symphony.domain.errors import InvalidRequestError
from symphony.domain.melody_problems import Problems

FILE_NAME = "symphony.toml"
MAX_BYTES = 256 * 1024
OUR_XI = (sys.executable, "-P", "-m", "xi")
MOST_SPARES = 16


class Settings(Struct, frozen=True):
    """All that can be set. Paths are absolute. `workspace` is None where Symphony runs for a user and not for a folder."""

    run_dir: str
    state_dir: str
    workspace: str | None = None
    xi_command: tuple[str, ...] = OUR_XI
    allow_fault_injection: bool = False
    warm_spares: int = 0


class Key(NamedTuple):
    """One key of the file. `check` gives the rule that a value breaks, empty for none."""

    name: str
    type: str
    default: str
    summary: str
    check: Callable[[object], str]
    starts_a_program: bool = False


def _check_command(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(part, str) and part and "\0" not in part for part in value):
        return ""
    return 'must be a list of texts, none of them empty, as in ["xi-core", "--log"]'


def _check_switch(value: object) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _check_spares(value: object) -> str:
    # A truth value is a whole number to Python, and no number to anybody else.
    is_right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_SPARES
    return "" if is_right else f"must be a whole number from 0 to {MOST_SPARES}"


def _check_folder(value: object) -> str:
    return "" if isinstance(value, str) and value.strip() and "\0" not in value else "must be the path of a folder"


KEYS = (
    Key(
        "xi.command",
        "list of texts",
        "Symphony's own editor",
        "The program that holds buffers and edits them, with its arguments; it speaks xi's frontend protocol on stdin and "
        "stdout. Only a file that is given by --config may set it.",
        _check_command,
        starts_a_program=True,
    ),
    Key(
        "state.dir",
        "path",
        "the user's state folder; DIR/state with --run-dir DIR",
        "Where artifacts, runs, decisions and edits that are not saved are kept. A relative path starts at this file's folder.",
        _check_folder,
    ),
    Key(
        "faults.allow_injection",
        "true or false",
        "false",
        "Whether `symphony chaos` may make actors fail, hang or use up memory from inside of their processes.",
        _check_switch,
    ),
    Key(
        "nodes.warm_spares",
        f"whole number from 0 to {MOST_SPARES}",
        "0",
        "How many processes are started beforehand, with nothing in them yet, so that a part of Symphony whose process has died "
        "is back sooner. Each takes some 10 MB of memory.",
        _check_spares,
    ),
)


def read_settings(text: str, *, source: str, folder: str, defaults: Settings, is_trusted: bool) -> Settings:
    """Read a settings file; `source` is its name, for problems, and `folder` the absolute path of the folder it is in.

    A file that was found and not named by the user is not `is_trusted`: it comes with a folder that may be a stranger's, so it
    may not name a program to start. Raises `InvalidRequestError` whose `problems` are all there are, as `FILE:LINE: KEY: RULE`.
    """
    document = _parse(text, source)
    problems = Problems(source, text)
    values = dict(_flat(document, problems))
    for key in KEYS:
        if key.name not in values:
            continue
        if rule := key.check(values[key.name]):
            problems.add(key.name, rule)
        elif key.starts_a_program and not is_trusted:
            problems.add(key.name, f"names a program to start, so this file must be given by hand: use --config {source}")
    if problems.found:
        raise InvalidRequestError(*problems.found)
    command = values.get("xi.command")
    state_dir = values.get("state.dir")
    return Settings(
        run_dir=defaults.run_dir,
        state_dir=defaults.state_dir if state_dir is None else _absolute(state_dir, folder),
        workspace=defaults.workspace,
        xi_command=defaults.xi_command if command is None else _from_folder(tuple(command), folder),
        allow_fault_injection=values.get("faults.allow_injection", defaults.allow_fault_injection),
        warm_spares=values.get("nodes.warm_spares", defaults.warm_spares),
    )


def _parse(text: str, source: str) -> dict[str, Any]:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise InvalidRequestError(f"{source}: has {size} bytes; settings have {MAX_BYTES} at most")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InvalidRequestError(f"{source}: is nested too deeply") from None
    except ValueError as error:  # its TOMLDecodeError, and Python's own for an integer of thousands of digits
        raise InvalidRequestError(f"{source}: is not TOML: {error}") from error


def _flat(document: dict[str, Any], problems: Problems) -> list[tuple[str, Any]]:
    """Give the known keys as `section.key` with their values; what is no key is a problem."""
    sections = {key.name.partition(".")[0] for key in KEYS}
    found = []
    for section, table in document.items():
        if section not in sections:
            problems.add(section, f"is not a section of settings{problems.did_you_mean(section, sections)}")
        elif not isinstance(table, dict):
            problems.add(section, f"must be a table, as in [{section}]")
        else:
            names = {key.name.partition(".")[2] for key in KEYS if key.name.startswith(f"{section}.")}
            for name, value in table.items():
                if name in names:
                    found.append((f"{section}.{name}", value))
                else:
                    problems.add(f"{section}.{name}", f"is not a key here{problems.did_you_mean(name, names)}")
    return found


def _from_folder(command: tuple[str, ...], folder: str) -> tuple[str, ...]:
    """Make a program that is named by a relative path absolute, as a shell would in `folder`; plain names are found by PATH."""
    program, *arguments = command
    return (_absolute(program, folder) if "/" in program else program, *arguments)


def _absolute(path: str, folder: str) -> str:
    try:
        return str(Path(folder) / Path(path).expanduser())
    except RuntimeError:  # "~name" of a user that there is not
        return str(Path(folder) / path)
