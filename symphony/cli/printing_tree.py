"""Printing a tree: coloured on a terminal, plain text elsewhere, and the way every command says it."""

from actors.runtime.snapshot import ActorSnapshot, TreeSnapshot
from symphony.console.render import rich_tree, tree_lines

from .output import is_terminal, write_line


def print_tree(tree: TreeSnapshot, root: ActorSnapshot, *, depth: int | None = None) -> None:
    """Print the part of `tree` from `root` on."""
    if is_terminal():
        from rich.console import Console

        Console(highlight=False).print(rich_tree(tree, root, depth=depth))
        return
    for line in tree_lines(tree, root, depth=depth):
        write_line(line)
