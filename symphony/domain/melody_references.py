"""References: how a step's arguments name what is known only when the melody runs.

`${inputs.NAME}` and `${steps.ID.OUTPUT}`. One that is the whole of a string stands for the value, with its type; within a longer
string it stands for the value as text. `$${` is a plain `${`.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from symphony.domain.errors import InvalidRequestError
from symphony.domain.ids import StepId
from symphony.domain.operations import kind_of
from symphony.domain.workflow import Plain

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
"""What inputs, steps, outputs and extensions may be called, so that a reference to each can be written."""

_TOKEN = re.compile(r"\$\$\{|\$\{([^{}]*)(\}?)")


class InputReference(Struct, frozen=True, tag=True):
    """`${inputs.name}`; `text` is how it was written."""

    name: str
    text: str


class OutputReference(Struct, frozen=True, tag=True):
    """`${steps.step.output}`; `text` is how it was written."""

    step: StepId
    output: str
    text: str


class Malformed(Struct, frozen=True, tag=True):
    """Something that opens as a reference and is none."""

    text: str


Part = str | InputReference | OutputReference | Malformed


def parts_of(text: str) -> list[Part]:
    """Cut `text` into plain strings and references, in order."""
    parts: list[Part] = []
    end = 0
    for token in _TOKEN.finditer(text):
        parts += [text[end : token.start()]] if token.start() > end else []
        parts.append("${" if token[0] == "$${" else _reference(token))
        end = token.end()
    return [*parts, text[end:]] if end < len(text) else parts


def _reference(token: re.Match[str]) -> Part:
    match token[1].split("."):
        case ["inputs", name] if token[2] and NAME.fullmatch(name):
            return InputReference(name, token[0])
        case ["steps", step, output] if token[2] and NAME.fullmatch(step) and NAME.fullmatch(output):
            return OutputReference(StepId(step), output, token[0])
        case _:
            return Malformed(token[0])


def references_in(value: Plain) -> Iterator[OutputReference]:
    """Give the references to other steps anywhere in `value`, in order."""
    match value:
        case str():
            yield from (part for part in parts_of(value) if isinstance(part, OutputReference))
        case list():
            for item in value:
                yield from references_in(item)
        case dict():
            for item in value.values():
                yield from references_in(item)
        case _:
            return


def resolve(
    arguments: Mapping[str, Plain],
    inputs: Mapping[str, Plain],
    outputs_by_step: Mapping[StepId, Mapping[str, Plain]],
) -> dict[str, Plain]:
    """Give `arguments` with every reference replaced by its value.

    Raises `InvalidRequestError` with every problem: an extension may not have given an output that the melody names, or a value
    that cannot stand within a text.
    """
    resolver = _Resolver(inputs, outputs_by_step)
    values = {name: resolver.resolved(value) for name, value in arguments.items()}
    if resolver.problems:
        raise InvalidRequestError(*dict.fromkeys(resolver.problems))
    return values


class _Resolver:
    """One call of `resolve`; the problems it meets are gathered."""

    def __init__(self, inputs: Mapping[str, Plain], outputs_by_step: Mapping[StepId, Mapping[str, Plain]]) -> None:
        self._inputs = inputs
        self._outputs_by_step = outputs_by_step
        self.problems: list[str] = []

    def resolved(self, value: Plain) -> Plain:
        match value:
            case str():
                parts = parts_of(value)
                if len(parts) == 1 and isinstance(parts[0], InputReference | OutputReference):
                    return self._value_of(parts[0])
                return "".join(self._piece_of(part) for part in parts)
            case list():
                return [self.resolved(item) for item in value]
            case dict():
                return {name: self.resolved(item) for name, item in value.items()}
            case _:
                return value

    def _value_of(self, part: InputReference | OutputReference) -> Plain:
        if isinstance(part, InputReference):
            name, known = part.name, self._inputs
        else:
            name, known = part.output, self._outputs_by_step.get(part.step, {})
        if name not in known:
            self.problems.append(f'"{part.text}" has no value; there is {", ".join(known) or "nothing"}')
        return known.get(name)

    def _piece_of(self, part: Part) -> str:
        if isinstance(part, str):
            return part
        if isinstance(part, Malformed):
            self.problems.append(f'"{part.text}" is not a reference')
            return ""
        match self._value_of(part):
            case bool() as value:
                return "true" if value else "false"
            case str() | int() | float() as value:
                return str(value)
            case value:
                self.problems.append(f'"{part.text}" is {kind_of(value)}, which cannot stand within a text')
                return ""
