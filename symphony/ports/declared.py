"""Declared errors: what a port method may raise is part of its signature, and can be read by a program."""

from collections.abc import Callable
from typing import Any, TypeVar

from symphony.domain.errors import SymphonyError

Method = TypeVar("Method", bound=Callable[..., Any])


def raises(*errors: type[SymphonyError]) -> Callable[[Method], Method]:
    """Declare every error that a port method may raise; the contract suites hold the adapters to it."""

    def declare(method: Method) -> Method:
        method.__dict__["declared_errors"] = errors
        return method

    return declare


def declared_errors(method: Callable[..., Any]) -> tuple[type[SymphonyError], ...] | None:
    """Give what `method` declares, or None where it declares nothing."""
    errors = getattr(method, "declared_errors", None)
    return errors if isinstance(errors, tuple) else None
