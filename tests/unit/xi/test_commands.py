"""The edit commands, one behaviour at a time, through the protocol."""

import pytest

from tests.unit.xi.frontend import Frontend
from xi.protocol import RequestError


class Page:
    """A view on a text in which `|` marks carets; later read back the same way."""

    def __init__(self, marked):
        self.frontend = Frontend()
        self.view_id = self.frontend.open()
        text = marked.replace("|", "")
        if text:
            self.frontend.insert(self.view_id, text)
        carets = [i - n for n, i in enumerate(i for i, char in enumerate(marked) if char == "|")]
        for number, at in enumerate(carets):
            self.point(text[:at].count("\n"), len(text[:at].rpartition("\n")[2].encode()), multi=number > 0)

    def point(self, line, col, *, multi=False, granularity="point"):
        kind = {"select": {"granularity": granularity, "multi": multi}}
        self.frontend.edit(self.view_id, "gesture", {"line": line, "col": col, "ty": kind})
        return self

    def do(self, method, params=()):
        heard = self.frontend.edit(self.view_id, method, params)
        assert heard[0][0] == "update", heard
        return self

    def insert(self, chars):
        return self.do("insert", {"chars": chars})

    @property
    def regions(self):
        return [(r.start, r.end) for r in self.frontend.server._workspace.view(self.view_id).selection.regions]

    @property
    def text(self):
        return self.frontend.contents(self.view_id)

    @property
    def marked(self):
        data = self.text.encode()
        for _, end in reversed(self.regions):
            data = data[:end] + b"|" + data[end:]
        return data.decode()


@pytest.mark.parametrize(
    ("before", "method", "after"),
    [
        ("ab|c", "move_left", "a|bc"),
        ("ab|c", "move_right", "abc|"),
        ("|ab", "move_left", "|ab"),
        ("ab\n|cd", "move_left", "ab|\ncd"),
        ("é|a", "move_left", "|éa"),
        ("one two| x", "move_word_left", "one |two x"),
        ("one| two x", "move_word_right", "one two| x"),
        ("abc\nd|ef", "move_up", "a|bc\ndef"),
        ("a|bc\ndef", "move_down", "abc\nd|ef"),
        ("a|bc", "move_up", "|abc"),
        ("a|bc", "move_down", "abc|"),
        ("abc\nd|ef\n", "move_to_left_end_of_line", "abc\n|def\n"),
        ("abc\nd|ef\n", "move_to_right_end_of_line", "abc\ndef|\n"),
        ("a|b\r\nc", "move_to_right_end_of_line", "ab|\r\nc"),
        ("abc\nd|ef\n", "move_to_beginning_of_paragraph", "abc\n|def\n"),
        ("abc\n|def\n", "move_to_beginning_of_paragraph", "|abc\ndef\n"),
        ("abc\nd|ef\n", "move_to_end_of_paragraph", "abc\ndef|\n"),
        ("abc\nd|ef\n", "move_to_beginning_of_document", "|abc\ndef\n"),
        ("abc\nd|ef\n", "move_to_end_of_document", "abc\ndef\n|"),
        ("a|b|c", "move_right", "ab|c|"),
        ("a|b|c", "collapse_selections", "a|bc"),
        ("ab|c", "delete_backward", "a|c"),
        ("a|b|c", "delete_backward", "|c"),
        ("a\r\n|c", "delete_backward", "a|c"),
        ("      |x", "delete_backward", "    |x"),
        ("        |x", "delete_backward", "    |x"),
        ("  a |x", "delete_backward", "  a|x"),
        ("ab|c", "delete_forward", "ab|"),
        ("one tw|o x", "delete_word_backward", "one |o x"),
        ("one t|wo x", "delete_word_forward", "one t| x"),
        ("ab\ncd|e", "delete_to_beginning_of_line", "ab\n|e"),
        ("a|b\ncd", "delete_to_end_of_paragraph", "a|\ncd"),
        ("ab|\ncd", "delete_to_end_of_paragraph", "ab|cd"),
        ("a|b", "insert_newline", "a\n|b"),
        ("a|b", "insert_tab", "a   |b"),
        ("|ab", "insert_tab", "    |ab"),
    ],
)
def test_command(before, method, after):
    assert Page(before).do(method).marked == after


def test_a_movement_that_modifies_keeps_the_anchor():
    page = Page("one |two").do("move_word_right_and_modify_selection")

    assert page.regions == [(4, 7)]
    assert page.do("move_left").regions == [(4, 4)]


def test_vertical_movement_remembers_its_column_across_short_lines():
    page = Page("abcdef|\nx\nabcdef")

    assert page.do("move_down").marked == "abcdef\nx|\nabcdef"
    assert page.do("move_down").marked == "abcdef\nx\nabcdef|"


def test_insert_replaces_what_is_selected():
    assert Page("one |two").do("select_all").insert("x").marked == "x|"


def test_an_opening_bracket_wraps_what_is_selected():
    page = Page("one |two").do("move_word_right_and_modify_selection").insert("{")

    assert page.text == "one {two}"
    assert page.regions == [(5, 8)]
    assert page.insert('"').text == 'one {"two"}'


def test_an_opening_bracket_is_just_typed_where_any_region_is_a_caret():
    assert Page("a|b").insert("{").text == "a{b"


def test_paste_deals_out_lines_where_there_are_as_many_as_carets():
    assert Page("a|b|c").do("paste", {"chars": "1\n2"}).text == "a1b2c"
    assert Page("a|b|c").do("paste", {"chars": "1\n2\n3"}).text == "a1\n2\n3b1\n2\n3c"


def test_cut_answers_what_it_took_after_the_update():
    page = Page("one |two").do("select_all")
    before = len(page.frontend.heard)
    taken = page.frontend.ask("edit", {"method": "cut", "view_id": page.view_id, "params": []})

    assert taken == "one two"
    assert [method for method, _ in page.frontend.heard[before:]] == ["update", "scroll_to", "result"]
    assert page.text == ""


def test_copy_joins_regions_by_line_feeds():
    page = Page("|one two three").point(0, 1, granularity="word").point(0, 9, granularity="word", multi=True)

    assert page.frontend.ask("edit", {"method": "copy", "view_id": page.view_id}) == "one\nthree"


def test_yank_brings_back_what_was_killed_in_any_view():
    page = Page("a|bc").do("delete_to_end_of_paragraph")
    other = page.frontend.open()
    page.frontend.edit(other, "yank")

    assert page.frontend.contents(other) == "bc"


def test_tab_indents_the_lines_of_a_region():
    assert Page("ab\ncd\n|").do("select_all").do("insert_tab").text == "    ab\n    cd\n"


@pytest.mark.parametrize(
    ("granularity", "selected"), [("point", ""), ("word", "two"), ("line", "one two\n")]
)  # fmt: skip
def test_a_gesture_selects_a_unit(granularity, selected):
    page = Page("one two\nthree|").point(0, 5, granularity=granularity)
    ((start, end),) = page.regions

    assert page.text[start:end] == selected


def test_a_gesture_on_a_caret_among_several_takes_it_away_but_never_the_last():
    assert Page("a|b|c").point(0, 1, multi=True).marked == "ab|c"
    assert Page("a|bc").point(0, 1, multi=True).marked == "a|bc"


def test_extending_by_words_keeps_the_first_word_in_either_direction():
    page = Page("one two three|").point(0, 5, granularity="word")
    extend = {"select_extend": {"granularity": "word"}}

    assert page.do("gesture", {"line": 0, "col": 9, "ty": extend}).regions == [(4, 13)]
    assert page.do("gesture", {"line": 0, "col": 1, "ty": extend}).regions == [(7, 0)]


def test_gestures_outside_the_text_are_brought_into_it():
    assert Page("ab\ncd|").point(0, 99).marked == "ab|\ncd"
    assert Page("ab|\ncd").point(99, 0).marked == "ab\ncd|"
    assert Page("é|a").point(0, 1).marked == "|éa"


@pytest.mark.parametrize(
    ("method", "params", "reason"),
    [
        ("goto_line", {"line": -1}, ">= 0"),
        ("goto_line", {}, "missing required field `line`"),
        ("insert", {"chars": 7}, "Expected `str`"),
        ("scroll", [1], "at least length 2"),
        ("scroll", [1, 2, 3], "length 2"),
        ("scroll", {"first": 1, "last": 2}, "Expected `array`"),
        ("gesture", {"line": 0, "col": 0, "ty": "poke"}, "unknown: the gesture poke"),
        ("gesture", {"line": 0, "col": 0, "ty": {}}, "exactly one"),
        ("gesture", {"line": 0, "col": 0, "ty": "drag"}, "drag is not built yet"),
        ("frobnicate", {}, "unknown method frobnicate"),
    ],
)
def test_wrong_parameters_are_refused_and_change_nothing(method, params, reason):
    page = Page("a|b")
    ((kind, alert),) = page.frontend.edit(page.view_id, method, params)

    assert kind == "alert"
    assert reason in alert["msg"]
    assert page.marked == "a|b"


def test_an_edit_on_a_closed_view_is_ignored_and_a_request_refused():
    page = Page("a|")
    page.frontend.notify("close_view", {"view_id": page.view_id})

    assert page.frontend.insert(page.view_id, "x") == []
    with pytest.raises(RequestError) as caught:
        page.frontend.ask("edit", {"method": "copy", "view_id": page.view_id})
    assert caught.value.code == 404


def undone(page, times):
    for _ in range(times):
        page.do("undo")
    return page.text


def test_typing_is_one_group_and_new_lines_stand_alone():
    page = Page("|").insert("a").insert("b").do("insert_newline").do("insert_newline").insert("c")

    assert [undone(page, 1) for _ in range(5)] == ["ab\n\n", "ab\n", "ab", "", ""]


def test_a_movement_ends_the_group():
    assert undone(Page("|").insert("a").do("move_left").insert("b"), 1) == "a"


def test_pasting_stands_alone():
    assert undone(Page("|").insert("a").do("paste", {"chars": "b"}).do("paste", {"chars": "c"}), 1) == "ab"


def test_undo_brings_the_caret_to_where_the_text_changed():
    page = Page("one |two").do("delete_word_forward").do("move_to_beginning_of_document").do("undo")

    assert page.text == "one two"


def test_a_new_edit_forgets_what_could_be_redone():
    assert Page("|").insert("a").do("undo").insert("b").do("redo").text == "b"


def test_at_most_a_thousand_groups_are_kept():
    page = Page("|")
    for _ in range(1010):
        page.do("insert_newline")

    assert undone(page, 1005) == "\n" * 10
