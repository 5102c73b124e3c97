"""Invocation: what every command is told, and the decorator that makes a function a command with those options."""

import functools
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from actors.runtime.run_directory import RunDirectory

from .exit_codes import ExitCode
from .places import Places, choose_places


def seconds(text: str) -> float:
    """Read a length of time: a finite number above 0."""
    try:
        length = float(text)
    except ValueError:
        length = math.nan
    if not (math.isfinite(length) and length > 0):
        raise click.BadParameter(f"{text!r} is no number of seconds above 0")
    return length


class Invocation(Struct, frozen=True):
    """What the user asked of every command alike. `given_timeout_s` is None where the command's own `timeout_s` holds."""

    as_json: bool
    given_run_dir: str | None
    given_timeout_s: float | None
    timeout_s: float

    def places(self, workspace: str | None = None) -> Places:
        """Choose the run directory and what goes with it; raises what `choose_places` raises."""
        return choose_places(self.given_run_dir, workspace, os.environ, current_folder())

    def run_directory(self) -> RunDirectory:
        """Give the run directory, which need not exist."""
        return RunDirectory(self.places().run_dir)


def current_folder() -> Path | None:
    """Give the current folder, or None where it has been removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


def command(
    name: str, *, timeout_s: float, cls: type[click.Command] = click.Command
) -> Callable[[Callable[..., ExitCode | None]], click.Command]:
    """Make a function a command; it is called with an `Invocation` first, and what it returns is the exit code, None for 0.

    `timeout_s` holds where the user gives none. Its docstring is the help.
    """

    def decorate(function: Callable[..., ExitCode | None]) -> click.Command:
        @functools.wraps(function)
        def call(*, as_json: bool, run_dir: str | None, timeout: float | None, **arguments: Any) -> ExitCode | None:
            return function(Invocation(as_json, run_dir, timeout, timeout or timeout_s), **arguments)

        made = click.command(name, cls=cls)(call)
        made.params += [
            click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON document, or one a line for streams."),
            click.Option(["--run-dir"], metavar="DIR", help="The run directory; by default the workspace's or the user's."),
            click.Option(
                ["--timeout"], type=seconds, metavar="SECONDS", help=f"How long it may take; {timeout_s:g} if not given."
            ),
        ]
        return made

    return decorate
