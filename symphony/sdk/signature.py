"""An operation's signature: which arguments it takes, of which types, and whether given ones fit."""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from symphony.sdk.operator import Operator, RefusedError, is_operation


class Parameter(Struct, frozen=True):
    """One argument of an operation; `type` is `object` where the author said nothing."""

    name: str
    type: Any
    required: bool


class Operation(Struct, frozen=True):
    """An operation bound to its operator, and the arguments that it takes."""

    name: str
    method: Callable[..., object]
    parameters: tuple[Parameter, ...]

    def call(self, arguments: Mapping[str, object]) -> object:
        """Check `arguments`, then call. Raises `RefusedError` with every problem, and whatever the operation raises."""
        return self.method(**self._fitted(arguments))

    def _fitted(self, arguments: Mapping[str, object]) -> dict[str, object]:
        known = [parameter.name for parameter in self.parameters]
        unknown = [name for name in arguments if name not in known]
        problems = [f"{name}: {self.name} takes no such argument{_suggestion(name, known)}" for name in unknown]
        fitted: dict[str, object] = {}
        for parameter in self.parameters:
            if parameter.name not in arguments:
                if parameter.required:
                    problems.append(f"{parameter.name}: {self.name} needs this argument")
                continue
            try:
                # Without bytes among the builtin types, text would be taken for base64 and decoded.
                fitted[parameter.name] = msgspec.convert(arguments[parameter.name], parameter.type, builtin_types=(bytes,))
            except msgspec.ValidationError as error:
                problems.append(f"{parameter.name}: {error}")
        if problems:
            raise RefusedError("\n".join(problems))
        return fitted


def operations_of(operator: Operator) -> dict[str, Operation]:
    """Give the operations of `operator` by name. Raises `TypeError` where an annotation is of no use."""
    kind = type(operator)
    return {name: _operation(operator, name, member) for name, member in inspect.getmembers_static(kind) if is_operation(member)}


def _operation(operator: Operator, name: str, function: Callable[..., object]) -> Operation:
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception as error:  # evaluating an annotation runs the author's code, which may raise anything
        raise TypeError(f"{function.__qualname__}: its annotations cannot be read: {error}") from error
    parameters = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        kind = hints.get(parameter.name, object)
        try:
            msgspec.msgpack.Decoder(kind)
        except TypeError as error:
            raise TypeError(f"{function.__qualname__}: {parameter.name}: nothing can be checked as {kind}: {error}") from error
        parameters.append(Parameter(parameter.name, kind, parameter.default is inspect.Parameter.empty))
    return Operation(name, getattr(operator, name), tuple(parameters))


def _suggestion(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; it takes {', '.join(known)}" if known else "; it takes none"
