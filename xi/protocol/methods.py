"""What a frontend says to the core: the methods and their parameters as types, and the names of all that xi knows.

Names that are known but not built are listed, so that a frontend is told which of the two its mistake is: a typing error, or a
part of the protocol that this program does not have yet. A client fills in the same Structs to ask.
"""

from typing import Annotated, Final, Literal

import msgspec

Unsigned = Annotated[int, msgspec.Meta(ge=0)]
NO_PARAMS: Final = msgspec.Raw(b"{}")


class ClientStarted(msgspec.Struct, frozen=True):
    """`client_started`: must be first. A `symphony` key, of any value, asks for answers to `edit` and `save` (see the server)."""

    config_dir: str | None = None
    client_extras_dir: str | None = None
    symphony: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class NewView(msgspec.Struct, frozen=True, omit_defaults=True):
    """`new_view`: answered by the id of a view on the file, or on an empty text."""

    file_path: str | None = None


class ViewOnly(msgspec.Struct, frozen=True):
    """`close_view`, `get_config`, `debug_get_contents`."""

    view_id: str


class Save(msgspec.Struct, frozen=True):
    """`save`."""

    view_id: str
    file_path: str


class SaveResult(msgspec.Struct, frozen=True):
    """The answer to `save` sent as a request: SHA-256 (hexadecimal) and number of the bytes now on disk."""

    sha256: str
    size: int


class Edit(msgspec.Struct, frozen=True):
    """`edit`: a command for a view."""

    method: str
    view_id: str
    params: msgspec.Raw = NO_PARAMS


class EditOut(msgspec.Struct, frozen=True):
    """`edit` as a client builds it."""

    method: str
    view_id: str
    params: object = ()


Domain = Literal["general"] | dict[Literal["syntax", "language", "user_override"], str]


class ModifyUserConfig(msgspec.Struct, frozen=True):
    """`modify_user_config`: `domain` is "general", {"syntax": id}, {"language": id} or {"user_override": view id}."""

    domain: Domain
    changes: dict[str, object]


class Chars(msgspec.Struct, frozen=True):
    """`insert`, `paste`."""

    chars: str


class GotoLine(msgspec.Struct, frozen=True):
    """`goto_line`: `line` counts visual lines from 0."""

    line: Unsigned


class LineRange(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """`scroll`, `request_lines`: visual lines `[first, last)`; negative numbers count as 0."""

    first: int
    last: int


Granularity = Literal["point", "word", "line"]


class Select(msgspec.Struct, frozen=True):
    """Gesture: select the unit that was pointed at; `multi` keeps the other regions."""

    granularity: Granularity = "point"
    multi: bool = False


class SelectExtend(msgspec.Struct, frozen=True):
    """Gesture: stretch the last region to the unit that was pointed at."""

    granularity: Granularity = "point"


class GestureKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The object form of a gesture's `ty`: exactly one of the two."""

    select: Select | None = None
    select_extend: SelectExtend | None = None


class Gesture(msgspec.Struct, frozen=True):
    """`gesture`: at visual line `line` and byte column `col`, both clamped to the text."""

    line: Unsigned
    col: Unsigned
    ty: GestureKind | str


# The names that xi calls deprecated, as the gestures that they stand for.
GESTURE_ALIASES: Final[dict[str, GestureKind]] = {
    "point_select": GestureKind(select=Select("point")),
    "toggle_sel": GestureKind(select=Select("point", multi=True)),
    "range_select": GestureKind(select_extend=SelectExtend("point")),
    "line_select": GestureKind(select=Select("line")),
    "word_select": GestureKind(select=Select("word")),
    "multi_line_select": GestureKind(select=Select("line", multi=True)),
    "multi_word_select": GestureKind(select=Select("word", multi=True)),
}

KNOWN_METHODS: Final = frozenset(
    {
        "client_started",
        "new_view",
        "close_view",
        "save",
        "edit",
        "plugin",
        "set_theme",
        "set_language",
        "modify_user_config",
        "get_config",
        "debug_get_contents",
        "tracing_config",
        "save_trace",
    }
)

KNOWN_COMMANDS: Final = frozenset(
    {
        "insert",
        "paste",
        "cut",
        "copy",
        "yank",
        "insert_newline",
        "insert_tab",
        "delete_backward",
        "delete_forward",
        "delete_word_forward",
        "delete_word_backward",
        "delete_to_beginning_of_line",
        "delete_to_end_of_paragraph",
        "transpose",
        "uppercase",
        "lowercase",
        "capitalize",
        "indent",
        "outdent",
        "duplicate_line",
        "increase_number",
        "decrease_number",
        "replace_next",
        "replace_all",
        "undo",
        "redo",
        "reindent",
        "debug_toggle_comment",
        "select_all",
        "add_selection_above",
        "add_selection_below",
        "collapse_selections",
        "selection_into_lines",
        "goto_line",
        "gesture",
        "click",
        "drag",
        "scroll",
        "resize",
        "request_lines",
        "find",
        "multi_find",
        "find_next",
        "find_previous",
        "find_all",
        "highlight_find",
        "selection_for_find",
        "replace",
        "selection_for_replace",
        "request_hover",
        "toggle_recording",
        "play_recording",
        "clear_recording",
        "debug_rewrap",
        "debug_wrap_width",
        "debug_print_spans",
    }
)
