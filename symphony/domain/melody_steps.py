"""The steps of a melody: each read by itself first, then held against the others.

Two passes, because a reference may name a step that stands further down.
"""

from collections import Counter
from math import isfinite
from typing import Any

from symphony.domain.ids import StepId
from symphony.domain.melody_arguments import ArgumentReader
from symphony.domain.melody_problems import Problems
from symphony.domain.melody_references import NAME, references_in
from symphony.domain.operations import OPERATIONS
from symphony.domain.step_graph import cycle_in
from symphony.domain.workflow import Input, Plain, Step

__all__ = ["read_steps"]

KEYS = ("id", "does", "after", "with", "extension", "operation", "retries", "timeout_s")
NOT_BUILT_KEYS = frozenset(
    {"at_most_once", "backoff", "compensate", "condition", "fallback", "for_each", "foreach", "if", "kind", "loop", "on_failure"}
    | {"optional", "parallel", "repeat", "skip", "unless", "until", "when", "while"}
)
DEFAULTS = Step(StepId(""), "", {})
MAX_RETRIES = 100
MAX_TIMEOUT_S = 86_400.0


def read_steps(
    value: object, inputs: tuple[Input, ...], extensions: dict[str, str], folder: str, problems: Problems
) -> tuple[Step, ...]:
    """Read the steps; what is wrong with them goes to `problems`, and then the steps given are of no use."""
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        problems.add("steps", "are missing; write [[steps]]" if value is None else "must be tables, as in [[steps]]")
        return ()
    if not value:
        problems.add("steps", "there are none; a melody has one step at least")
    operations = _operations_by_step(value, problems)
    arguments = ArgumentReader({given.name: given.type for given in inputs}, operations, folder, problems)
    steps = tuple(
        _StepReader(table, f"steps[{number}]", problems).read(arguments, extensions) for number, table in enumerate(value)
    )
    if cycle := cycle_in({step.id: step.needs for step in steps}):
        number = next(number for number, step in enumerate(steps) if step.id == cycle[0])
        problems.add(f"steps[{number}]", " needs ".join(f'"{name}"' for name in cycle) + ": a cycle, which could never start")
    return steps


def _operations_by_step(tables: list[dict[str, Any]], problems: Problems) -> dict[str, str]:
    """Give the operation of each step that has an id; a second use of an id is a problem."""
    operations: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for number, table in enumerate(tables):
        if isinstance(id_ := table.get("id"), str):
            counts[id_] += 1
            if counts[id_] == 2:
                problems.add(f"steps[{number}].id", f'"{id_}" is the id of another step, too')
            operations.setdefault(id_, str(table.get("does")))
    return operations


class _StepReader:
    """Reads one `[[steps]]` table."""

    def __init__(self, table: dict[str, Any], path: str, problems: Problems) -> None:
        self._table = table
        self._path = path
        self._problems = problems

    def read(self, arguments: ArgumentReader, extensions: dict[str, str]) -> Step:
        self._refuse_unknown_keys()
        id_ = self._id()
        operation = self._operation()
        extension, extension_operation = self._extension(operation, extensions)
        values = arguments.read(self._table.get("with", {}), f"{self._path}.with", id_, operation)
        return Step(
            id_,
            operation,
            values,
            self._needs(id_, values, arguments.steps),
            extension,
            extension_operation,
            int(self._number("retries", DEFAULTS.retries, MAX_RETRIES)),
            float(self._number("timeout_s", DEFAULTS.timeout_s, MAX_TIMEOUT_S)),
        )

    def _refuse_unknown_keys(self) -> None:
        for key in self._table:
            if key in NOT_BUILT_KEYS:
                self._problem(key, "is not built yet")
            elif key not in KEYS:
                self._problem(key, f"is not a key of a step{self._problems.did_you_mean(key, KEYS)}")

    def _id(self) -> StepId:
        id_ = self._table.get("id")
        if id_ is None:
            self._problem("id", "is missing")
        elif not isinstance(id_, str) or not NAME.fullmatch(id_):
            self._problem("id", "must be a text of letters, digits, _ and -, which does not start with a digit or -")
        # A step whose id is wrong still needs one that is its own, so that the rest of it can be checked.
        return StepId(id_ if isinstance(id_, str) else self._path)

    def _operation(self) -> str:
        does = self._table.get("does")
        if does is None:
            self._problem("does", f"is missing; there are {', '.join(OPERATIONS)}")
        elif not isinstance(does, str) or does not in OPERATIONS:
            near = self._problems.did_you_mean(str(does), OPERATIONS) or f"; there are {', '.join(OPERATIONS)}"
            self._problem("does", f'"{does}" is not an operation{near}')
        return str(does)

    def _extension(self, operation: str, extensions: dict[str, str]) -> tuple[str | None, str | None]:
        names = [self._table.get("extension"), self._table.get("operation")]
        for key, name in zip(("extension", "operation"), names, strict=True):
            if operation != "extension.invoke":
                if name is not None and operation in OPERATIONS:
                    self._problem(key, f"is for extension.invoke only, and this step does {operation}")
            elif name is None:
                self._problem(key, "is missing; extension.invoke needs it")
            elif not isinstance(name, str) or not name:
                self._problem(key, "must be a text that is not empty")
            elif key == "extension" and name not in extensions:
                self._problem(key, f'"{name}" names no extension{self._problems.did_you_mean(name, extensions)}')
        extension, extension_operation = (name if isinstance(name, str) else None for name in names)
        return extension, extension_operation

    def _needs(self, id_: StepId, values: dict[str, Plain], steps: dict[str, str]) -> tuple[StepId, ...]:
        after = self._table.get("after", [])
        if not isinstance(after, list) or not all(isinstance(name, str) for name in after):
            self._problem("after", "must be a list of steps' ids")
            after = []
        for number, name in enumerate(after):
            if name == id_:
                self._problem(f"after[{number}]", "a step cannot come after itself")
            elif name not in steps:
                self._problem(f"after[{number}]", f'"{name}" names no step{self._problems.did_you_mean(name, steps)}')
        named = [StepId(name) for name in after] + [reference.step for reference in references_in(values)]
        return tuple(dict.fromkeys(name for name in named if name in steps and name != id_))

    def _number(self, key: str, default: float, most: float) -> float:
        value = self._table.get(key, default)
        is_whole = key == "retries"
        wanted = int if is_whole else int | float
        if not isinstance(value, wanted) or isinstance(value, bool) or not isfinite(value):
            self._problem(key, f"must be {'an integer' if is_whole else 'a number'}")
        elif not (value >= 0 if is_whole else value > 0) or value > most:
            self._problem(key, f"must be {'from 0' if is_whole else 'more than 0,'} to {most:g}, not {value}")
        else:
            return value
        return default

    def _problem(self, key: str, rule: str) -> None:
        self._problems.add(f"{self._path}.{key}", rule)
