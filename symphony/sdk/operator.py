"""What an Operator is: a class whose marked methods other programs may call.

The marks are checked where the method is defined, so that a mistake is reported with the author's own line.
"""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])

_MARK = "__symphony_operation__"
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class RefusedError(Exception):
    """The arguments are wrong and the caller must correct them; one problem a line, each with the argument's name.

    Raise it from an operation. Every other exception means that the extension itself failed.
    """


class Operator:
    """A utility or a transformation of data. Derive from it and mark its methods with `operation`.

    One instance is made, without arguments, when the extension starts, and its operations are called one at a time on the main
    thread of the extension's process. What an operation raises is its answer: the instance lives on. Records of `logging` at
    level INFO and above reach Symphony's log, and so does what is printed.
    """


def operation(method: Method) -> Method:
    """Mark a method of an `Operator` as callable from outside, under its own name.

    Arguments arrive by name. An annotated one is checked, and converted where msgspec can (a `datetime` from its text); one with
    a default may be left out. It gives a dict of plain data: None, bool, int, float, str, bytes, list and dict with text keys.
    Raises `TypeError` where the method cannot be called so.
    """
    if not inspect.isfunction(method):
        raise TypeError(f"@operation marks a method, not {method!r}; put it nearest to the def")
    name = method.__qualname__
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method) or inspect.isgeneratorfunction(method):
        raise TypeError(f"{name}: an operation is a plain method; coroutines and generators are not built yet")
    if method.__name__.startswith("_"):
        raise TypeError(f"{name}: an operation's name does not start with an underscore")
    parameters = list(inspect.signature(method).parameters.values())
    if not parameters or parameters[0].kind not in {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}:
        raise TypeError(f"{name}: an operation's first parameter is self")
    unnamed = [str(parameter) for parameter in parameters[1:] if parameter.kind not in _NAMED]
    if unnamed:
        raise TypeError(f"{name}: arguments arrive by name, so these parameters cannot be given: {', '.join(unnamed)}")
    setattr(method, _MARK, True)
    return method


def is_operation(member: object) -> bool:
    """Whether `member` was marked."""
    return inspect.isfunction(member) and getattr(member, _MARK, False) is True
