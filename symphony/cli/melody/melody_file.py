"""A melody's file, read and checked; and the inputs that the user gives it. Nothing is sent anywhere before both are right."""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

from symphony.domain.errors import InvalidRequestError, NotFoundError
from symphony.domain.manifest import FILE_NAME, read_manifest
from symphony.domain.melody import read_melody
from symphony.domain.melody_problems import Problems
from symphony.domain.workflow import Input, Plain, PortType, Workflow

from ..file_paths import absolute, read_text_file


def load_melody(file: str) -> Workflow:
    """Read and check the melody in `file`, and the manifests of its extensions.

    Raises `NotFoundError` or `FailedError` where it cannot be read, `InvalidRequestError` with all problems, and `NotBuiltError`
    where an extension asks for what is not built yet.
    """
    workflow = read_melody(read_text_file(file), source=file, folder=str(Path(absolute(file)).parent))
    problems: list[str] = []
    for name, folder in workflow.extensions.items():
        manifest = Path(folder) / FILE_NAME
        try:
            read_manifest(read_text_file(str(manifest)), source=str(manifest))
        except InvalidRequestError as error:
            problems += error.problems
        except NotFoundError as error:
            problems.append(f"{file}: extensions.{name}: {error}")
    if problems:
        raise InvalidRequestError(*problems)
    return workflow


def read_inputs(workflow: Workflow, given: Sequence[str]) -> dict[str, Plain]:
    """Read `NAME=VALUE` for each input of `workflow`, by its type.

    Paths are made absolute and must exist. Raises `InvalidRequestError` with every problem.
    """
    melody = Problems("--input", "")
    problems = melody.found
    known = {wanted.name: wanted for wanted in workflow.inputs}
    values: dict[str, Plain] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            problems.append(f"--input {text!r}: write it as NAME=VALUE")
        elif name not in known:
            problems.append(f"--input {name}: {workflow.name} has no such input{melody.did_you_mean(name, known)}")
        elif name in values:
            problems.append(f"--input {name}: is given twice")
        else:
            values[name] = _read(known[name], value, problems)
    for missing in (name for name in known if name not in values):
        what = f" ({known[missing].summary})" if known[missing].summary else ""
        problems.append(f"--input {missing}: is missing: give {missing}=VALUE, {known[missing].type}{what}")
    if problems:
        raise InvalidRequestError(*problems)
    return values


def _read(wanted: Input, text: str, problems: list[str]) -> Plain:
    try:
        text.encode()
        return _value(wanted.type, text)
    except InvalidRequestError as error:
        problems.extend(f"--input {wanted.name}: {problem}" for problem in error.problems)
    except UnicodeEncodeError:
        problems.append(f"--input {wanted.name}: {text!r} is not UTF-8")
    return None


def _value(type_: PortType, text: str) -> Plain:
    match type_:
        case "path":
            return _existing(text)
        case "integer":
            return _integer(text)
        case "number":
            return _number(text)
        case "boolean":
            return _boolean(text)
        case "any":
            return _any(text)
        case "text" | "buffer" | "artifact":
            return text


def _existing(text: str) -> str:
    path = absolute(text)
    try:
        Path(path).stat()
    except OSError as error:
        raise InvalidRequestError(f"{text}: {(error.strerror or 'cannot be read').lower()}") from error
    return path


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise InvalidRequestError(f"{text!r} must be true or false")
    return text == "true"


def _integer(text: str) -> int:
    try:
        value = int(text) if len(text) <= 20 else 2**64
    except ValueError:
        raise InvalidRequestError(f"{text!r} must be an integer") from None
    if not -(2**63) <= value < 2**63:
        raise InvalidRequestError("does not fit into 64 bits")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidRequestError(f"{text!r} must be a number")
    return value


def _any(text: str) -> Plain:
    """Read JSON where it is such, else take it as a text."""
    try:
        value: Plain = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return value
