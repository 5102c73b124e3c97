"""The arguments of a step: plain data and references, each held against the type that the operation wants there."""

from collections.abc import Mapping
from posixpath import join

from symphony.domain.ids import StepId
from symphony.domain.melody_problems import Problems
from symphony.domain.melody_references import InputReference, Malformed, OutputReference, Part, parts_of
from symphony.domain.operations import ARTICLED, OPERATIONS, is_of_type, kind_of, type_fits
from symphony.domain.workflow import Plain, PortType

MAX_DEPTH = 32
WITHIN_TEXT = frozenset({"text", "path", "integer", "number", "boolean", "any"})
FROM_TEXT = frozenset({"text", "path", "any"})


class ArgumentReader:
    """Reads the `with` of steps, knowing every input's type and every step's operation."""

    def __init__(self, inputs: Mapping[str, PortType], steps: dict[str, str], folder: str, problems: Problems) -> None:
        self._inputs = inputs
        self.steps = steps
        self._folder = folder
        self._problems = problems

    def read(self, table: object, path: str, step: StepId, operation: str) -> dict[str, Plain]:
        """Give the arguments at `path`; what is wrong with them goes to the problems."""
        if not isinstance(table, dict):
            self._problems.add(path, "must be a table, as in with = { NAME = VALUE }")
            return {}
        known = OPERATIONS.get(operation)
        is_open = known is None or known.is_open
        parameters = {} if known is None else known.parameters
        for name in table:
            if not is_open and name not in parameters:
                self._problems.add(
                    f"{path}.{name}", f"{operation} takes no such argument{self._problems.did_you_mean(name, parameters)}"
                )
        for name, parameter in parameters.items():
            if parameter.is_required and name not in table:
                self._problems.add(f"{path}.{name}", f"is missing; {operation} needs {ARTICLED[parameter.type]} there")
        types = {name: parameters[name].type if name in parameters else "any" for name in table}
        return {name: self._value(value, types[name], f"{path}.{name}", step, 1) for name, value in table.items()}

    def _value(self, value: object, wanted: PortType, path: str, step: StepId, depth: int) -> Plain:
        if depth > MAX_DEPTH:
            self._problems.add(path, f"is nested more than {MAX_DEPTH} deep")
            return None
        match value:
            case str():
                return self._text(value, wanted, path, step)
            case list() if wanted == "any":
                return [self._value(item, "any", f"{path}[{n}]", step, depth + 1) for n, item in enumerate(value)]
            case dict() if wanted == "any":
                return {name: self._value(item, "any", f"{path}.{name}", step, depth + 1) for name, item in value.items()}
            case bool() | int() | float() | list() | dict():
                if not is_of_type(value, wanted):
                    self._problems.add(path, f"must be {ARTICLED[wanted]}, not {kind_of(value)}")
                elif isinstance(value, int) and not -(2**63) <= value < 2**63:
                    self._problems.add(path, "does not fit into 64 bits")
                return value
            case _:
                self._problems.add(path, "a date or time is not plain data; write it as a text")
                return None

    def _text(self, text: str, wanted: PortType, path: str, step: StepId) -> str:
        parts = parts_of(text)
        for part in parts:
            given = self._type_of(part, path, step)
            if isinstance(part, str) or given is None:
                continue
            if len(parts) == 1:
                if not type_fits(given, wanted):
                    self._problems.add(path, f'must be {ARTICLED[wanted]}, and "{part.text}" is {ARTICLED[given]}')
            elif given not in WITHIN_TEXT:
                self._problems.add(path, f'"{part.text}" is {ARTICLED[given]}, which cannot stand within a text')
        is_reference = len(parts) == 1 and not isinstance(parts[0], str)
        if not is_reference and wanted not in FROM_TEXT:
            needed = "a reference to " if wanted in {"buffer", "artifact"} else ""
            self._problems.add(path, f"must be {needed}{ARTICLED[wanted]}, not {kind_of(text)}")
        elif wanted == "path" and not text:
            self._problems.add(path, "must be a path, not an empty text")
        elif wanted == "path" and isinstance(parts[0], str) and not text.startswith("/"):
            return join(self._folder, text)
        return text

    def _type_of(self, part: Part, path: str, step: StepId) -> PortType | None:
        """Give the type of what `part` stands for, or None where that is a problem, which is noted."""
        match part:
            case str():
                return "text"
            case Malformed(text=text):
                self._problems.add(
                    path, f'"{text}" is not a reference; write ${{inputs.NAME}} or ${{steps.ID.OUTPUT}}, or $${{ for ${{'
                )
            case InputReference(name=name, text=text):
                if name in self._inputs:
                    return self._inputs[name]
                self._problems.add(path, f'"{text}" names no input{self._problems.did_you_mean(name, self._inputs)}')
            case OutputReference():
                return self._output_type(part, path, step)
        return None

    def _output_type(self, part: OutputReference, path: str, step: StepId) -> PortType | None:
        if part.step == step:
            self._problems.add(path, f'"{part.text}" refers to its own step')
            return None
        if part.step not in self.steps:
            self._problems.add(path, f'"{part.text}" names no step{self._problems.did_you_mean(part.step, self.steps)}')
            return None
        known = OPERATIONS.get(self.steps[part.step])
        if known is None or known.is_open:
            return "any"
        if part.output not in known.outputs:
            gives = f'"{part.step}" gives {", ".join(known.outputs)}'
            self._problems.add(
                path, f'"{part.text}" names no output; {gives}{self._problems.did_you_mean(part.output, known.outputs)}'
            )
            return None
        return known.outputs[part.output]
