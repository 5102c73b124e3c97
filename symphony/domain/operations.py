"""The operations that a step may name, with the types of their inputs and outputs.

One table, read by the melody reader before anything starts and by whoever runs a step, so that both hold the same opinion.
`extension.invoke` is open: an extension's arguments and outputs are known to its author only, and are checked when they arrive.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from symphony.domain.errors import InvalidRequestError
from symphony.domain.workflow import Plain, PortType


class Parameter(Struct, frozen=True):
    """One argument of an operation."""

    type: PortType
    is_required: bool = True


class Operation(Struct, frozen=True):
    """What an operation takes and gives. `is_open` means: any arguments, any outputs."""

    summary: str
    parameters: dict[str, Parameter] = {}
    outputs: dict[str, PortType] = {}
    is_open: bool = False


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "text.open": Operation(
            "Open a file in the editor.",
            {"path": Parameter("path")},
            {"buffer": "buffer", "text": "text", "revision": "integer"},
        ),
        "text.apply": Operation(
            "Turn the text of a buffer into another, by edits.",
            {"buffer": Parameter("buffer"), "text": Parameter("text")},
            {"revision": "integer", "edits": "integer"},
        ),
        "text.save": Operation(
            "Write the text of a buffer to its file.",
            {"buffer": Parameter("buffer")},
            {"sha256": "text", "size": "integer"},
        ),
        "extension.invoke": Operation("Call an operation of an extension.", is_open=True),
        "artifact.put": Operation(
            "Keep a text as an artifact.",
            {"text": Parameter("text"), "media_type": Parameter("text"), "path": Parameter("path", is_required=False)},
            {"artifact": "artifact"},
        ),
    }
)

ARTICLED: Mapping[PortType, str] = MappingProxyType(
    {
        "text": "a text",
        "path": "a path",
        "buffer": "a buffer",
        "artifact": "an artifact",
        "integer": "an integer",
        "number": "a number",
        "boolean": "a boolean",
        "any": "anything",
    }
)

KINDS_OF_VALUES: Mapping[type, str] = MappingProxyType(
    {
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "a table",
        type(None): "nothing",
    }
)


def is_of_type(value: Plain, type_: PortType) -> bool:
    """Say whether `value` is of `type_`. An integer is a number; a boolean, though an `int` to Python, is neither."""
    match type_:
        case "text":
            return isinstance(value, str)
        case "path" | "buffer" | "artifact":
            return isinstance(value, str) and value != ""
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "any":
            return True


def type_fits(given: PortType, wanted: PortType) -> bool:
    """Say whether what is declared as `given` may be handed to what is declared as `wanted`."""
    return given == wanted or "any" in {given, wanted} or (given, wanted) == ("integer", "number")


def check_arguments(operation: str, arguments: Mapping[str, Plain]) -> None:
    """Hold resolved `arguments` against the operation's table.

    Raises `InvalidRequestError` with every problem: an argument that came out of an extension is known only now.
    """
    known = OPERATIONS.get(operation)
    if known is None:
        raise InvalidRequestError(f'"{operation}" is not an operation; there are {", ".join(OPERATIONS)}')
    if known.is_open:
        return
    problems = [f'{operation}: has no argument "{name}"' for name in arguments if name not in known.parameters]
    for name, parameter in known.parameters.items():
        if name not in arguments:
            if parameter.is_required:
                problems.append(f'{operation}: the argument "{name}" is missing')
        elif not is_of_type(arguments[name], parameter.type):
            wanted, given = ARTICLED[parameter.type], kind_of(arguments[name])
            problems.append(f'{operation}: the argument "{name}" must be {wanted}, not {given}')
    if problems:
        raise InvalidRequestError(*problems)


def kind_of(value: object) -> str:
    """Name what `value` is, in the words of this table where it has one."""
    return "an empty text" if value == "" else KINDS_OF_VALUES.get(type(value), f"a {type(value).__name__}")
