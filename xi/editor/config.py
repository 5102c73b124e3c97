"""The settings of a buffer: xi's keys and defaults, and how layers of changes become one table.

Layers, lowest first: the defaults, what the user says in general, what the user says for the language, what the text itself
shows (`xi.editor.whitespace`), what the user says for this view. Keys that nobody knows are kept and passed on, as xi does, for
plugins.
"""

from typing import Annotated, Final

import msgspec


class ConfigError(ValueError):
    """A value that cannot be; the message names the key."""


class Config(msgspec.Struct, frozen=True):
    """The keys that the editor itself reads or checks."""

    auto_indent: bool = True
    autodetect_whitespace: bool = True
    font_face: str = "InconsolataGo"
    font_size: int | float = 14
    line_ending: str = "\n"
    plugin_search_path: tuple[str, ...] = ()
    save_with_newline: bool = True
    scroll_past_end: bool = False
    surrounding_pairs: tuple[tuple[str, str], ...] = (('"', '"'), ("'", "'"), ("{", "}"), ("[", "]"))
    tab_size: Annotated[int, msgspec.Meta(ge=1, le=32)] = 4
    translate_tabs_to_spaces: bool = True
    use_tab_stops: bool = True
    word_wrap: bool = False
    wrap_width: Annotated[int, msgspec.Meta(ge=0)] = 0

    @property
    def tab_text(self) -> str:
        """What one level of indentation is."""
        return " " * self.tab_size if self.translate_tabs_to_spaces else "\t"


Table = dict[str, object]
DEFAULTS: Final[Table] = msgspec.to_builtins(Config())


def merged(*layers: Table) -> Table:
    """Return the defaults overlaid with `layers`, the last on top."""
    table = dict(DEFAULTS)
    for layer in layers:
        table.update(layer)
    return table


def changed(layer: Table, changes: Table) -> Table:
    """Return `layer` with `changes` made, in which None takes a key away.

    Raises ConfigError when the result could not be used, whatever the other layers say.
    """
    result = {key: value for key, value in (layer | changes).items() if value is not None}
    checked(merged(result))
    return result


def checked(table: Table) -> Config:
    """Return the typed form of a table; raises ConfigError when a value is of the wrong type or not built yet."""
    try:
        config = msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"the configuration is wrong: {error}") from error
    if config.word_wrap:
        raise ConfigError("word_wrap is not built yet; leave it false")
    if config.line_ending not in ("\n", "\r\n", "\r"):
        raise ConfigError(f"line_ending is one of \\n, \\r\\n and \\r, not {config.line_ending!r}")
    return config
