"""`symphony edit`: edits through the editor, for scripts.

Lines and columns count from 1 here, as in editors and compilers; columns are characters (code points). The core counts from 0.
Edits happen in the order in which they are given, whichever option gives them, each in the text that the one before it left.
"""

import re
from typing import Any

import click

from symphony.domain.errors import InvalidRequestError
from symphony.domain.text import Edit, Position, Span
from symphony.orchestration.requests import EditText, Text

from .file_paths import absolute
from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import ask_core, connected
from .output import write_json, write_line

_PLACE = re.compile(r"(line|column) -?[0-9]")
_POSITION = re.compile(r"([1-9][0-9]{0,8}):([1-9][0-9]{0,8})")
_ORDER = "symphony.edit.order"
_OPTIONS = frozenset({"--insert", "--delete", "--save", "--no-save", "--discard", "--json", "--run-dir", "--timeout"})


def position(text: str) -> Position:
    """Read LINE:COL, both from 1; `1:1` is before the first character."""
    found = _POSITION.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no place such as 3:1 (LINE:COL, both from 1)")
    return Position(int(found[1]) - 1, int(found[2]) - 1)


def span(text: str) -> Span:
    """Read LINE:COL-LINE:COL; the character at its end is not part of it."""
    start, dash, end = text.partition("-")
    if not dash:
        raise click.BadParameter(f"{text!r} is no part of a text such as 3:1-3:5 (LINE:COL-LINE:COL)")
    read = Span(position(start), position(end))
    if read.end < read.start:
        raise click.BadParameter(f"{text!r} ends before it starts")
    return read


def utf8_text(text: str) -> str:
    """Give the text; the shell may have passed on bytes that are none, and a forgotten text is not the option behind it."""
    if text in _OPTIONS:
        raise click.BadParameter(f"the text is missing before {text}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.BadParameter(f"{text!r} is not UTF-8") from None
    return text


class OrderedCommand(click.Command):
    """A command that also knows in which order options of different names were given, which Click keeps to itself."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and leave the order in the context."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[_ORDER] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)


@symphony_command("edit", timeout_s=10.0, cls=OrderedCommand)
@click.argument("file")
@click.option("--insert", type=(position, utf8_text), multiple=True, metavar="LINE:COL TEXT", help="Insert TEXT there.")
@click.option("--delete", type=span, multiple=True, metavar="LINE:COL-LINE:COL", help="Delete from one place up to the other.")
@click.option("--save/--no-save", default=True, help="Save the file afterwards, which is done unless it is said not to.")
@click.option("--discard", is_flag=True, help="Give up what is not saved in the editor first.")
@click.pass_context
def command(
    context: click.Context,
    invocation: Invocation,
    file: str,
    insert: tuple[Any, ...],
    delete: tuple[Any, ...],
    *,
    save: bool,
    discard: bool,
) -> None:
    """Edit a file through the editor.

    Lines and columns of FILE count from 1; 1:1 is before the first character. Edits are made in the order given, each in the text
    that the one before it left.
    """
    edits = _edits_in_order(context.meta[_ORDER], insert, delete)
    if not edits and not discard:
        raise click.UsageError("there is nothing to do: give --insert LINE:COL TEXT or --delete LINE:COL-LINE:COL", context)
    path = absolute(file)
    with connected(invocation) as client:
        try:
            text = ask_core(client, EditText(path, edits, save, discard), Text, timeout_s=invocation.timeout_s)
        except InvalidRequestError as error:
            if not any(_PLACE.match(problem) for problem in error.problems):
                raise
            # The core says places as it counts them.
            raise InvalidRequestError(*error.problems, "lines and columns are counted from 0 in what was said above") from error
    if invocation.as_json:
        write_json("symphony.text/1", text)
    else:
        write_line(f"{file}: revision {text.revision}, {'saved' if text.pristine else 'not saved'}")


def _edits_in_order(order: list[str], insert: tuple[Any, ...], delete: tuple[Any, ...]) -> tuple[Edit, ...]:
    inserts = iter(Edit(Span(place, place), text) for place, text in insert)
    deletes = iter(Edit(part, "") for part in delete)
    return tuple(next(inserts if name == "insert" else deletes) for name in order if name in {"insert", "delete"})
