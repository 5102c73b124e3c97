"""`symphony schema`: the JSON Schema of a file that a user writes, for editors that check it."""

import click
import msgspec

from symphony.domain.errors import NotBuiltError

from .invocation import Invocation
from .invocation import command as symphony_command
from .output import write_line
from .own_tree.tree_schema import tree_schema

NAMES = ("tree", "settings", "melody", "extension")


@symphony_command("schema", timeout_s=10.0)
@click.argument("name", type=click.Choice(NAMES))
def command(invocation: Invocation, name: str) -> None:
    """Print the JSON Schema of a kind of file.

    NAME is `tree`, for `symphony up TREE.toml`; the others are not built yet.
    """
    if name != "tree":
        raise NotBuiltError(f"the schema of {name!r} is not built yet: only that of `tree` is")
    data = msgspec.json.encode(tree_schema())
    write_line((data if invocation.as_json else msgspec.json.format(data, indent=2)).decode())
