"""The `edit` commands: a table from the protocol's names to what they do to a view and its buffer.

A name that is known to the protocol and not in the table is refused as not built, any other as unknown. Text commands go through
`_change`, which keeps buffer, history and view in step; commands that only move or look close the undo group, as in xi-core.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from xi.editor import edits
from xi.editor.config import Config
from xi.editor.gestures import pointed
from xi.editor.history import Change, EditKind
from xi.editor.movement import Movement, moved, offset_at
from xi.editor.selection import Drift, Region, Selection
from xi.editor.view import View
from xi.protocol.errors import NotBuiltError, RequestError
from xi.protocol.methods import GESTURE_ALIASES, KNOWN_COMMANDS, Chars, Gesture, GestureKind, GotoLine, LineRange
from xi.rope.delta import Delta

_NAME_LIMIT = 100
_Params = TypeVar("_Params")


class KillRing:
    """The text that `yank` inserts; one for all views."""

    def __init__(self) -> None:
        self.text = ""


class Context(msgspec.Struct, frozen=True):
    """What a command works on."""

    view: View
    config: Config
    kill_ring: KillRing
    params: msgspec.Raw


class Outcome(msgspec.Struct, frozen=True):
    """What a command leaves for its caller: the answer of `cut` and `copy`, the lines of `request_lines`."""

    result: str | None = None
    requested: tuple[int, int] | None = None


Command = Callable[[Context], Outcome | None]
_NOTHING = Outcome()


def is_cut_or_copy(name: str) -> bool:
    """Whether this is one of the two commands that xi answers."""
    return name in ("cut", "copy")


def command_named(name: str) -> Command:
    """Return the command of that name; raises NotBuiltError or RequestError when there is none."""
    command = _COMMANDS.get(name)
    if command is not None:
        return command
    if name in KNOWN_COMMANDS:
        raise NotBuiltError(name)
    raise RequestError(f"unknown method {name[:_NAME_LIMIT]}")


def run(command: Command, context: Context) -> Outcome:
    """Carry a command out; raises RequestError, and nothing has changed, when its parameters are wrong."""
    return command(context) or _NOTHING


def _decoded(context: Context, decoder: msgspec.json.Decoder[_Params]) -> _Params:
    try:
        return decoder.decode(context.params)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RequestError(f"wrong parameters: {error}") from error


def _change(context: Context, delta: Delta, kind: EditKind, drift: Drift = Drift.BEFORE) -> None:
    _followed(context.view, context.view.buffer.edit(delta, kind), drift)


def _followed(view: View, change: Change | None, drift: Drift = Drift.BEFORE) -> None:
    if change is not None:
        view.after_change(change, drift)


def _insert(context: Context) -> None:
    chars = _decoded(context, _CHARS).chars
    selection = context.view.selection
    pair = edits.surrounding_pair(selection, context.config, chars)
    if pair is not None:
        _change(context, edits.surround(selection, pair), EditKind.SURROUND, Drift.OUTSIDE)
    else:
        _change(context, edits.insert(selection, chars), EditKind.INSERT)


def _paste(context: Context) -> None:
    _change(context, edits.paste(context.view.selection, _decoded(context, _CHARS).chars), EditKind.OTHER)


def _yank(context: Context) -> None:
    _change(context, edits.insert(context.view.selection, context.kill_ring.text), EditKind.OTHER)


def _insert_newline(context: Context) -> None:
    _change(context, edits.insert(context.view.selection, context.config.line_ending), EditKind.NEWLINE)


def _insert_tab(context: Context) -> None:
    delta, is_indent = edits.insert_tab(context.view.text, context.view.selection, context.config)
    _change(context, delta, EditKind.INDENT if is_indent else EditKind.INSERT)


def _delete_backward(context: Context) -> None:
    _change(context, edits.delete_backward(context.view.text, context.view.selection, context.config), EditKind.DELETE)


def _delete(movement: Movement, context: Context) -> None:
    view = context.view
    delta, deleted = edits.delete_by_movement(view.text, view.selection, movement, view.height)
    if movement is Movement.PARAGRAPH_KILL:
        context.kill_ring.text = deleted
    _change(context, delta, EditKind.DELETE)


def _copy(context: Context) -> Outcome:
    return Outcome(edits.extracted(context.view.text, context.view.selection))


def _cut(context: Context) -> Outcome:
    outcome = _copy(context)
    _change(context, edits.delete_regions(context.view.selection), EditKind.DELETE)
    return outcome


def _undo(context: Context) -> None:
    _followed(context.view, context.view.buffer.undo())


def _redo(context: Context) -> None:
    _followed(context.view, context.view.buffer.redo())


def _move(movement: Movement, modify: bool, context: Context) -> None:
    view = context.view
    _select(view, moved(movement, view.selection, view.text, view.height, modify=modify))


def _select(view: View, selection: Selection, *, scroll: bool = True) -> None:
    view.buffer.history.close_group()
    view.select(selection, scroll=scroll)


def _select_all(context: Context) -> None:
    view = context.view
    _select(view, Selection.of([Region(0, len(view.text))]), scroll=False)


def _collapse_selections(context: Context) -> None:
    view = context.view
    _select(view, Selection.caret(view.selection.regions[0].end))


def _goto_line(context: Context) -> None:
    line = _decoded(context, _GOTO_LINE).line
    _select(context.view, Selection.caret(offset_at(context.view.text, line, 0)))


def _gesture(context: Context) -> None:
    gesture = _decoded(context, _GESTURE)
    kind = gesture.ty if isinstance(gesture.ty, GestureKind) else GESTURE_ALIASES.get(gesture.ty)
    if kind is None:
        name = f"the gesture {str(gesture.ty)[:_NAME_LIMIT]}"
        raise NotBuiltError(name) if gesture.ty == "drag" else RequestError(f"unknown: {name}")
    chosen = kind.select or kind.select_extend
    if chosen is None or (kind.select and kind.select_extend):
        raise RequestError("wrong parameters: `ty` has exactly one of `select` and `select_extend`")
    view = context.view
    selection, scroll = pointed(view.text, view.selection, gesture.line, gesture.col, chosen)
    _select(view, selection, scroll=scroll)


def _scroll(context: Context) -> None:
    lines = _decoded(context, _LINE_RANGE)
    context.view.buffer.history.close_group()
    context.view.scroll(lines.first, lines.last)


def _request_lines(context: Context) -> Outcome:
    lines = _decoded(context, _LINE_RANGE)
    return Outcome(requested=(lines.first, lines.last))


_CHARS = msgspec.json.Decoder(Chars)
_GOTO_LINE = msgspec.json.Decoder(GotoLine)
_GESTURE = msgspec.json.Decoder(Gesture)
_LINE_RANGE = msgspec.json.Decoder(LineRange)

_MOVEMENTS = {
    "move_up": Movement.UP,
    "move_down": Movement.DOWN,
    "move_left": Movement.LEFT,
    "move_right": Movement.RIGHT,
    "move_word_left": Movement.LEFT_WORD,
    "move_word_right": Movement.RIGHT_WORD,
    "move_to_beginning_of_paragraph": Movement.PARAGRAPH_START,
    "move_to_end_of_paragraph": Movement.PARAGRAPH_END,
    "move_to_left_end_of_line": Movement.LINE_START,
    "move_to_right_end_of_line": Movement.LINE_END,
    "move_to_beginning_of_document": Movement.DOCUMENT_START,
    "move_to_end_of_document": Movement.DOCUMENT_END,
}

_DELETIONS = {
    "delete_forward": Movement.RIGHT,
    "delete_word_forward": Movement.RIGHT_WORD,
    "delete_word_backward": Movement.LEFT_WORD,
    "delete_to_beginning_of_line": Movement.LINE_START,
    "delete_to_end_of_paragraph": Movement.PARAGRAPH_KILL,
}

_COMMANDS: dict[str, Command] = {
    "insert": _insert,
    "paste": _paste,
    "yank": _yank,
    "cut": _cut,
    "copy": _copy,
    "insert_newline": _insert_newline,
    "insert_tab": _insert_tab,
    "delete_backward": _delete_backward,
    "undo": _undo,
    "redo": _redo,
    "select_all": _select_all,
    "collapse_selections": _collapse_selections,
    "goto_line": _goto_line,
    "gesture": _gesture,
    "scroll": _scroll,
    "request_lines": _request_lines,
    **{name: partial(_delete, movement) for name, movement in _DELETIONS.items()},
    **{name: partial(_move, movement, False) for name, movement in _MOVEMENTS.items()},
    **{f"{name}_and_modify_selection": partial(_move, movement, True) for name, movement in _MOVEMENTS.items()},
    "move_backward": partial(_move, Movement.LEFT, False),
    "move_forward": partial(_move, Movement.RIGHT, False),
    "scroll_page_up": partial(_move, Movement.PAGE_UP, False),
    "scroll_page_down": partial(_move, Movement.PAGE_DOWN, False),
    "page_up_and_modify_selection": partial(_move, Movement.PAGE_UP, True),
    "page_down_and_modify_selection": partial(_move, Movement.PAGE_DOWN, True),
}
