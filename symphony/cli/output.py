"""Output: results go to standard output, everything else to standard error, and nothing from elsewhere can steer the terminal."""

import sys
from typing import Any

import click
import msgspec


def write_json(schema: str, document: Any) -> None:
    """Print one JSON document on a line of its own, with its schema first. A Struct is printed with its own fields."""
    fields = msgspec.to_builtins(document, str_keys=True)
    fields.pop("schema", None)
    write_line(msgspec.json.encode({"schema": schema, **fields}).decode())


def write_line(text: str) -> None:
    """Print a line of the result."""
    click.echo(text)


def note(text: str) -> None:
    """Tell a person how it goes, beside the result."""
    click.echo(text, err=True)


def is_terminal() -> bool:
    """Tell whether a person reads standard output directly."""
    return sys.stdout.isatty()
