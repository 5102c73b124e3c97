"""What the core says to a frontend: the notifications as types, above all `update` and its line operations.

One Struct serves all five operations, with fields left out where an operation has none, because that is what the wire has, and
because some are made for each keystroke. The mirror that applies these operations is `xi.protocol.line_cache`.
"""

from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

COPY: Final = "copy"
SKIP: Final = "skip"
INVALIDATE: Final = "invalidate"
INS: Final = "ins"
UPDATE: Final = "update"

OpKind = Literal["copy", "skip", "invalidate", "ins", "update"]


class Line(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A line inside `ins` (with text) or `update` (without).

    `text` includes its newline. `styles` are triples: start as a distance from the end of the span before, length, style id.
    `cursor` holds byte offsets in the line and is absent when there is none. `ln`, counted from 1, is absent on the further rows
    of a wrapped line.
    """

    text: str | UnsetType = UNSET
    styles: list[int] | UnsetType = UNSET
    cursor: list[int] | UnsetType = UNSET
    ln: int | UnsetType = UNSET


class Op(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of an update; `n` counts lines, `ln` numbers the first line of a `copy` from 1."""

    op: OpKind
    n: int
    lines: list[Line] | UnsetType = UNSET
    ln: int | UnsetType = UNSET


class Annotation(msgspec.Struct, frozen=True):
    """Ranges of one kind in and near the viewport, each `[start line, start column, end line, end column]`."""

    type: str
    ranges: list[tuple[int, int, int, int]]
    payloads: list[msgspec.Raw] | None
    n: int


class Update(msgspec.Struct, frozen=True):
    """How the frontend's lines become those of now; `pristine` says that the text is the one on disk."""

    ops: list[Op]
    pristine: bool
    annotations: list[Annotation] = []


class UpdateParams(msgspec.Struct, frozen=True):
    """`update`"""  # noqa: D400, D415 - the method's name is all there is to say

    view_id: str
    update: Update


class ScrollTo(msgspec.Struct, frozen=True):
    """`scroll_to`: bring this place into view; `col` in bytes."""

    view_id: str
    line: int
    col: int


class ConfigChanged(msgspec.Struct, frozen=True):
    """`config_changed`: the whole table when a view is made, later only what changed."""

    view_id: str
    changes: dict[str, object]


class LanguageChanged(msgspec.Struct, frozen=True):
    """`language_changed`: what the text is taken to be."""

    view_id: str
    language_id: str


class AvailablePlugins(msgspec.Struct, frozen=True):
    """`available_plugins`: those that may work on this view."""

    view_id: str
    plugins: list[dict[str, object]]


class AvailableLanguages(msgspec.Struct, frozen=True):
    """`available_languages`, sorted."""

    languages: list[str]


class AvailableThemes(msgspec.Struct, frozen=True):
    """`available_themes`, sorted."""

    themes: list[str]


class Alert(msgspec.Struct, frozen=True):
    """`alert`: something for a person to read."""

    msg: str
