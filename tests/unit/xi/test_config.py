"""Settings: layers, checks, and what a text shows by itself."""

import msgspec
import pytest

from tests.unit.xi.frontend import Frontend
from xi.editor.config import DEFAULTS, ConfigError, changed, checked, merged
from xi.editor.whitespace import detected
from xi.rope.rope import Rope


def test_the_defaults_are_those_of_xi():
    assert msgspec.json.decode(msgspec.json.encode(DEFAULTS)) == {
        "auto_indent": True,
        "autodetect_whitespace": True,
        "font_face": "InconsolataGo",
        "font_size": 14,
        "line_ending": "\n",
        "plugin_search_path": [],
        "save_with_newline": True,
        "scroll_past_end": False,
        "surrounding_pairs": [['"', '"'], ["'", "'"], ["{", "}"], ["[", "]"]],
        "tab_size": 4,
        "translate_tabs_to_spaces": True,
        "use_tab_stops": True,
        "word_wrap": False,
        "wrap_width": 0,
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tab_size": 0}, "tab_size"),
        ({"tab_size": 33}, "tab_size"),
        ({"tab_size": "4"}, "tab_size"),
        ({"word_wrap": True}, "word_wrap is not built yet"),
        ({"line_ending": "x"}, "line_ending"),
        ({"surrounding_pairs": [["("]]}, "surrounding_pairs"),
    ],
)
def test_values_that_cannot_be_are_refused_by_key(changes, reason):
    with pytest.raises(ConfigError, match=reason):
        changed({}, changes)


def test_unknown_keys_are_kept_and_null_takes_a_key_away():
    layer = changed({"tab_size": 8}, {"tab_size": None, "of_some_plugin": 1})

    assert layer == {"of_some_plugin": 1}
    assert merged(layer)["of_some_plugin"] == 1
    assert checked(merged(layer)).tab_size == 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", {}),
        ("a", {}),
        ("a\n", {"line_ending": "\n"}),
        ("a\r\n", {"line_ending": "\r\n"}),
        ("a\r\nb\n", {}),
        ("a\n\tb\n", {"line_ending": "\n", "translate_tabs_to_spaces": False}),
        ("a:\n  b:\n    c\n", {"line_ending": "\n", "translate_tabs_to_spaces": True, "tab_size": 2}),
        ("a:\n    b:\n        c\n", {"line_ending": "\n", "translate_tabs_to_spaces": True, "tab_size": 4}),
    ],
)
def test_a_text_shows_its_whitespace(text, shown):
    assert detected(Rope.of(text)) == shown


def test_a_view_takes_after_its_file_unless_the_user_says_otherwise(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"a:\r\n  b\r\n")
    frontend = Frontend()
    view_id = frontend.open(file)
    frontend.edit(view_id, "insert_newline")
    frontend.edit(view_id, "insert_tab")
    assert frontend.contents(view_id) == "\r\n  a:\r\n  b\r\n"

    frontend.notify("modify_user_config", {"domain": "general", "changes": {"autodetect_whitespace": False}})
    assert frontend.ask("get_config", {"view_id": view_id})["tab_size"] == 4


def test_a_refused_change_changes_nothing_and_is_said():
    frontend = Frontend()
    view_id = frontend.open()
    frontend.notify("modify_user_config", {"domain": "general", "changes": {"tab_size": 2, "word_wrap": True}})

    assert "word_wrap is not built yet" in frontend.heard[-1][1]["msg"]
    assert frontend.ask("get_config", {"view_id": view_id})["tab_size"] == 4


def test_settings_of_a_closed_view_cannot_be_changed():
    frontend = Frontend()
    frontend.notify("modify_user_config", {"domain": {"user_override": "view-id-1"}, "changes": {}})

    assert frontend.logged[-1][0] == "notification.ignored"
