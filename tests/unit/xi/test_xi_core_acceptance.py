"""xi-core's own eight tests (rust/core-lib/tests/rpc.rs) as conversations; what is not built yet must be refused by name."""

import pytest

from tests.unit.xi.frontend import Frontend
from xi.editor.commands import _COMMANDS, command_named
from xi.protocol import NotBuiltError, RequestError
from xi.protocol.methods import KNOWN_COMMANDS

MOVEMENTS = (
    "move_up move_down move_up_and_modify_selection move_down_and_modify_selection move_left move_backward move_right"
    " move_forward move_left_and_modify_selection move_right_and_modify_selection move_word_left move_word_right"
    " move_word_left_and_modify_selection move_word_right_and_modify_selection move_to_beginning_of_paragraph"
    " move_to_beginning_of_paragraph_and_modify_selection move_to_end_of_paragraph move_to_end_of_paragraph_and_modify_selection"
    " move_to_left_end_of_line move_to_left_end_of_line_and_modify_selection move_to_right_end_of_line"
    " move_to_right_end_of_line_and_modify_selection move_to_beginning_of_document"
    " move_to_beginning_of_document_and_modify_selection move_to_end_of_document move_to_end_of_document_and_modify_selection"
    " scroll_page_up scroll_page_down page_up_and_modify_selection page_down_and_modify_selection select_all collapse_selections"
)


def methods_of(heard):
    return [method for method, _ in heard]


def refused(frontend, view_id, method, params=()):
    assert frontend.edit(view_id, method, params) == [("alert", {"msg": f"{method} is not built yet"})]
    assert frontend.logged[-1][1]["reason"] == f"{method} is not built yet"


def test_startup():
    frontend = Frontend()
    frontend.notify("set_theme", {"theme_name": "InspiredGitHub"})
    view_id = frontend.open()

    assert view_id == "view-id-1"
    assert frontend.heard[:3] == [
        ("available_languages", {"languages": []}),
        ("available_themes", {"themes": []}),
        ("alert", {"msg": "set_theme is not built yet"}),
    ]
    assert methods_of(frontend.heard[3:]) == [
        "result", "available_plugins", "config_changed", "language_changed", "update", "scroll_to",
    ]  # fmt: skip


def test_state(tmp_path):
    file = tmp_path / "Cargo.toml"
    file.write_text("[package]\n")
    frontend = Frontend()
    view_id = frontend.open(file)
    assert frontend.contents(view_id) == "[package]\n"

    frontend.notify("close_view", {"view_id": view_id})
    with pytest.raises(RequestError, match="no open view") as caught:
        frontend.ask("get_config", {"view_id": view_id})
    assert caught.value.code == 404
    assert [frontend.open() for _ in range(3)] == ["view-id-3", "view-id-5", "view-id-7"]


def test_invalidate():
    frontend = Frontend()
    view_id = frontend.open()
    for number in range(1, 20):
        frontend.insert(view_id, f"line {number}")
        frontend.edit(view_id, "insert_newline")
    frontend.edit(view_id, "goto_line", {"line": 1})
    frontend.edit(view_id, "goto_line", {"line": 18})
    updates = [params["update"]["ops"] for method, params in frontend.heard if method == "update"]

    assert [(op["op"], op["n"]) for op in updates[-1]] == [("copy", 1), ("update", 1), ("copy", 5), ("copy", 11), ("update", 2)]
    for ops in updates:
        assert all(op["op"] != "invalidate" for op in ops[1:-1])


def test_malformed_json_is_survived_where_xi_core_dies():
    frontend = Frontend()
    frontend.raw(b'{"id":0,method:"new_view","params":{}}\n')

    assert [event for event, _ in frontend.logged] == ["message.malformed"]
    assert frontend.open() == "view-id-1"


@pytest.mark.parametrize("method", MOVEMENTS.split())
def test_movement_cmds(method):
    frontend = Frontend()
    view_id = frontend.open()

    assert methods_of(frontend.edit(view_id, method))[0] == "update"
    assert not frontend.logged


def test_movement_cmds_that_add_selections_are_refused():
    frontend = Frontend()
    view_id = frontend.open()
    refused(frontend, view_id, "add_selection_above")
    refused(frontend, view_id, "add_selection_below")


def test_text_commands():
    frontend = Frontend()
    view_id = frontend.open()
    for method, params in (
        ("insert", {"chars": "a"}), ("delete_backward", ()), ("delete_forward", ()), ("delete_word_forward", ()),
        ("delete_word_backward", ()), ("delete_to_end_of_paragraph", ()), ("insert_newline", ()), ("insert_tab", ()),
        ("yank", ()), ("undo", ()), ("redo", ()),
    ):  # fmt: skip
        assert methods_of(frontend.edit(view_id, method, params))[0] == "update"
    for method in ("transpose", "uppercase", "lowercase", "indent", "outdent", "duplicate_line", "replace_next", "replace_all"):
        refused(frontend, view_id, method)

    assert frontend.ask("edit", {"method": "cut", "view_id": view_id, "params": []}) is None


def test_other_edit_commands():
    frontend = Frontend()
    view_id = frontend.open()
    assert methods_of(frontend.edit(view_id, "scroll", [0, 1])) == ["update"]
    assert methods_of(frontend.edit(view_id, "goto_line", {"line": 1})) == ["update", "scroll_to"]
    assert methods_of(frontend.edit(view_id, "request_lines", [0, 1])) == ["update"]
    for kind in (
        "toggle_sel", "point_select", "range_select", "line_select", "word_select", "multi_line_select", "multi_word_select",
    ):  # fmt: skip
        assert methods_of(frontend.edit(view_id, "gesture", {"line": 1, "col": 2, "ty": kind}))[0] == "update"
    for method in (
        "drag", "find", "multi_find", "find_next", "find_previous", "find_all", "highlight_find", "selection_for_find", "replace",
        "selection_for_replace", "debug_rewrap", "debug_print_spans",
    ):  # fmt: skip
        refused(frontend, view_id, method, {"chars": "m"})

    assert frontend.ask("edit", {"method": "copy", "view_id": view_id, "params": []}) is None


def test_settings_commands():
    frontend = Frontend()
    view_id = frontend.open()
    assert frontend.ask("get_config", {"view_id": view_id})["tab_size"] == 4
    before = len(frontend.heard)
    for domain, changes in (
        ({"user_override": view_id}, {"font_face": "Comic Sans"}),
        ({"syntax": "rust"}, {"font_size": 42}),
        ("general", {"tab_size": 13, "font_face": "Papyrus"}),
    ):
        frontend.notify("modify_user_config", {"domain": domain, "changes": changes})
    assert methods_of(frontend.heard[before:]) == ["config_changed", "update"] * 2

    config = frontend.ask("get_config", {"view_id": view_id})
    assert (config["tab_size"], config["font_face"]) == (13, "Comic Sans")
    frontend.notify("modify_user_config", {"domain": {"user_override": view_id}, "changes": {"font_face": None}})
    assert frontend.heard[-2][1]["changes"] == {"font_face": "Papyrus"}


def test_every_known_command_is_either_built_or_refused_as_not_built():
    built = {name for name in KNOWN_COMMANDS if name in _COMMANDS}
    assert {"insert", "undo", "gesture"} <= built
    for name in KNOWN_COMMANDS - built:
        with pytest.raises(NotBuiltError, match=f"^{name} is not built yet$"):
            command_named(name)
