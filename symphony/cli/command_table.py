"""LazyGroup: commands in a table of names, modules and a line of help, so that only the command that is called is imported."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NamedTuple

import click

from symphony.domain.errors import NotBuiltError


class Row(NamedTuple):
    """Where a command is, and what it does: the first line of its docstring, said again so that it need not be imported."""

    module: str
    help: str


class LazyGroup(click.Group):
    """A group over such a table. Names in `not_built` are refused as what they are; others get the nearest name as a hint."""

    def __init__(self, *, rows: Mapping[str, Row], not_built: frozenset[str] = frozenset(), **attributes: Any) -> None:
        super().__init__(**attributes)
        self.rows = rows
        self._not_built = not_built

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # Click's signature
        """Give the names, in the table's order."""
        return list(self.rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # Click's signature
        """Import the command's module and give its `command`; None for an unknown name."""
        row = self.rows.get(cmd_name)
        if row is None:
            return None
        found = import_module(row.module).command
        assert isinstance(found, click.Command)  # noqa: S101  # a row that names something else is a bug of ours
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # Click's signature
        """List the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.help) for name, row in self.rows.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begin with. Raises `NotBuiltError` or a usage error with a hint."""
        name = args[0]
        if name in self._not_built:
            raise NotBuiltError(f"`{ctx.command_path} {name}` is not built yet")
        if name not in self.rows and not name.startswith("-"):
            near = get_close_matches(name, [*self.rows, *self._not_built], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"there is no command {name!r}{hint}", ctx)
        return super().resolve_command(ctx, args)
