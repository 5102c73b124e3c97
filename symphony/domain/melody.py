"""Melody: a workflow as its author writes it, in TOML, read into a checked `Workflow`.

    melody = 1                                  the version of this format
    name = "tidy"
    summary = "Tidy a text."

    [inputs.file]                               what whoever runs it must give
    type = "path"                               text path buffer artifact integer number boolean any

    [extensions.tidy]                           a folder, relative to this file's
    path = "../extensions/tidy"

    [[steps]]
    id = "open"
    does = "text.open"                          an operation of `symphony.domain.operations`
    after = []                                  steps to wait for, beside those that are referred to
    with = { path = "${inputs.file}" }          arguments; references as in `symphony.domain.melody_references`
    retries = 3                                 how often it may be tried again
    timeout_s = 30.0                            how long one try may take

Nothing starts before everything has been checked, and a wrong melody is answered with all that is wrong with it.
"""

import re
import tomllib
from posixpath import join, normpath
from typing import Any, get_args

from symphony.domain.errors import InvalidRequestError
from symphony.domain.melody_problems import Problems
from symphony.domain.melody_references import NAME, resolve
from symphony.domain.melody_steps import read_steps
from symphony.domain.workflow import Input, PortType, Workflow

__all__ = ["MAX_BYTES", "VERSION", "read_melody", "resolve"]

VERSION = 1
MAX_BYTES = 1024 * 1024
TYPES: tuple[PortType, ...] = get_args(PortType)

_TOO_DOTTED = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}""")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_melody(text: str, *, source: str, folder: str) -> Workflow:
    """Read a melody. `source` is the file's name, for problems; `folder` the absolute path of the folder it is in.

    Raises `InvalidRequestError` whose `problems` are all there are, each as `FILE:LINE: KEY: RULE`; steps count from 0.
    """
    document = _parse(text, source)
    problems = Problems(source, text)
    version = document.get("melody")
    if type(version) is not int:
        problems.add("melody", f"must be the version of the format, as in melody = {VERSION}")
    elif version != VERSION:
        # Another version may mean anything else by the rest, so nothing more can be said.
        problems.add("melody", f"melody = {version} is not built yet; write melody = {VERSION}")
        raise InvalidRequestError(*problems.found)
    known = ("melody", "name", "summary", "inputs", "extensions", "steps")
    for unknown in (key for key in document if key not in known):
        problems.add(unknown, f"is not a key of a melody{problems.did_you_mean(unknown, known)}")
    name = _text(document, "name", "name", problems, is_required=True)
    summary = _text(document, "summary", "summary", problems)
    inputs = _read_inputs(document.get("inputs", {}), problems)
    extensions = _read_extensions(document.get("extensions", {}), folder, problems)
    steps = read_steps(document.get("steps"), inputs, extensions, folder, problems)
    if problems.found:
        raise InvalidRequestError(*problems.found)
    return Workflow(name, summary, inputs, steps, extensions)


def _parse(text: str, source: str) -> dict[str, Any]:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise InvalidRequestError(f"{source}: has {size} bytes; a melody has {MAX_BYTES} at most")
    # tomllib takes quadratic time over a dotted name: minutes for one that fills the file.
    if dotted := _TOO_DOTTED.search(text):
        line = text.count("\n", 0, dotted.start()) + 1
        raise InvalidRequestError(f"{source}:{line}: is nested too deeply: a name has more than 32 parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise InvalidRequestError(f"{source}: is nested too deeply") from None
    except ValueError as error:  # its TOMLDecodeError, and Python's own for an integer of thousands of digits
        place = _PLACE.search(str(error))
        where = f"{source}:{place[1]}" if place and place[1] else source
        column = f", at column {place[2]}" if place and place[2] else ", at the end" if place else ""
        raise InvalidRequestError(f"{where}: is not TOML: {_PLACE.sub('', str(error))}{column}") from error


def _text(table: dict[str, Any], key: str, path: str, problems: Problems, *, is_required: bool = False) -> str:
    value = table.get(key, None if is_required else "")
    if value is None:
        problems.add(path, "is missing")
    elif not isinstance(value, str) or (is_required and not value.strip()):
        problems.add(path, "must be a text that is not empty" if is_required else "must be a text")
    else:
        return value
    return ""


def _tables(value: object, section: str, keys: tuple[str, ...], problems: Problems) -> dict[str, dict[str, Any]]:
    """Give the tables of a section that can be read further; what is wrong with the others is a problem."""
    if not isinstance(value, dict):
        problems.add(section, f"must be tables, as in [{section}.NAME]")
        return {}
    tables: dict[str, dict[str, Any]] = {}
    for name, table in value.items():
        path = f"{section}.{name}"
        if not NAME.fullmatch(name):
            problems.add(path, "a name has letters, digits, _ and - only, and does not start with a digit or -")
        if not isinstance(table, dict):
            problems.add(path, f"must be a table, as in [{path}]")
            continue
        for key in table:
            if key not in keys:
                problems.add(f"{path}.{key}", f"is not a key here{problems.did_you_mean(key, keys)}")
        tables[name] = table
    return tables


def _read_inputs(value: object, problems: Problems) -> tuple[Input, ...]:
    inputs = []
    for name, table in _tables(value, "inputs", ("type", "summary"), problems).items():
        given = table.get("type")
        type_: PortType = next((type_ for type_ in TYPES if type_ == given), "any")
        if type_ != given:
            wrong = "is missing" if given is None else f"must be one of {', '.join(TYPES)}, not {given!r}"
            problems.add(f"inputs.{name}.type", wrong)
        inputs.append(Input(name, type_, _text(table, "summary", f"inputs.{name}.summary", problems)))
    return tuple(inputs)


def _read_extensions(value: object, folder: str, problems: Problems) -> dict[str, str]:
    extensions = {}
    for name, table in _tables(value, "extensions", ("path",), problems).items():
        path = _text(table, "path", f"extensions.{name}.path", problems, is_required=True)
        extensions[name] = normpath(join(folder, path))
    return extensions
