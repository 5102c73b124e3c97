"""Updates: a frontend that applies them holds the document's lines, whatever was edited, scrolled or selected."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.xi.frontend import Frontend
from xi.editor.selection import Region, Selection
from xi.protocol import Gesture, GestureKind, Select, SelectExtend

CHARS = st.one_of(
    st.text(alphabet="ab \n\té😀{", min_size=1, max_size=6), st.sampled_from(["\n" * 30, "word " * 20, "a\nb\nc\n", '"', "\r\n"])
)
PLAIN = [
    "insert_newline", "insert_tab", "delete_backward", "delete_forward", "delete_word_forward", "delete_word_backward",
    "delete_to_beginning_of_line", "delete_to_end_of_paragraph", "yank", "undo", "undo", "redo", "select_all",
    "collapse_selections",
    "move_up", "move_down", "move_left", "move_right", "move_word_left", "move_word_right", "move_to_left_end_of_line",
    "move_to_right_end_of_line", "move_to_beginning_of_document", "move_to_end_of_document", "scroll_page_up", "scroll_page_down",
    "move_up_and_modify_selection", "move_down_and_modify_selection", "move_word_right_and_modify_selection",
    "page_up_and_modify_selection", "move_to_beginning_of_document_and_modify_selection",
]  # fmt: skip
GRANULARITY = st.sampled_from(["point", "word", "line"])
PLACES = st.integers(0, 60)
RANGES = st.tuples(st.integers(-3, 120), st.integers(0, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
STEPS = st.one_of(
    st.tuples(st.just("insert"), CHARS.map(lambda chars: {"chars": chars})),
    st.tuples(st.just("paste"), CHARS.map(lambda chars: {"chars": chars})),
    st.tuples(st.sampled_from(PLAIN), st.just(())),
    st.tuples(st.sampled_from(["scroll", "request_lines"]), RANGES),
    st.tuples(st.just("goto_line"), PLACES.map(lambda line: {"line": line})),
    st.tuples(
        st.just("gesture"),
        st.builds(
            Gesture,
            PLACES,
            st.integers(0, 12),
            st.one_of(
                st.builds(GestureKind, select=st.builds(Select, GRANULARITY, st.booleans())),
                st.builds(GestureKind, select_extend=st.builds(SelectExtend, GRANULARITY)),
            ),
        ),
    ),
)


def assert_mirror_is_true(frontend, view_id):
    """Compare each valid line, with cursors and styles, with what the server's own text and selection say."""
    view = frontend.server._workspace.view(view_id)
    cache = frontend.caches[view_id]
    model = bytes(view.text)
    lines = model.split(b"\n")
    assert len(cache) == len(lines)
    start = 0
    for number, (line, held) in enumerate(zip(lines, cache.lines(0, len(lines)), strict=True)):
        is_last = number == len(lines) - 1
        end = start + len(line) + (not is_last)
        if held is not None:
            assert held.text.encode() == model[start:end]
            assert held.number == number + 1
            cursors = [r.end - start for r in view.selection.regions if start <= r.end and (r.end < end or is_last)]
            assert list(held.cursor) == cursors
            assert selected_in(held.styles) == [
                (max(r.low, start) - start, min(r.high, end) - start)
                for r in view.selection.regions
                if max(r.low, start) < min(r.high, end)
            ]
        elif view._first_line <= number < view._first_line + view._height:
            raise AssertionError(f"line {number} is in the viewport and invalid")
        start = end


def selected_in(styles):
    spans, position = [], 0
    for delta, length, style in zip(styles[::3], styles[1::3], styles[2::3], strict=True):
        assert style == 0
        spans.append((position + delta, position + delta + length))
        position += delta + length
    return spans


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 80), st.lists(STEPS, max_size=25))
def test_the_mirror_holds_the_document_after_every_update(line_count, steps):
    frontend = Frontend()
    view_id = frontend.open()
    if line_count:
        frontend.insert(view_id, "one two\n" * line_count)
    for method, params in steps:
        heard = frontend.edit(view_id, method, params)

        assert [name for name, _ in heard if name != "scroll_to"] == ["update"]
        assert_mirror_is_true(frontend, view_id)
    view = frontend.server._workspace.view(view_id)
    assert frontend.contents(view_id) == str(view.text)
    assert view.selection == Selection.of(Region(r.start, r.end, r.column) for r in view.selection.regions)
    view.text.check_invariants()


@settings(deadline=None, max_examples=60)
@given(st.lists(STEPS, max_size=30))
def test_undoing_everything_leads_back_and_redoing_everything_forth(steps):
    frontend = Frontend()
    view_id = frontend.open()
    history = frontend.server._workspace.view(view_id).buffer.history
    texts = {0: ""}
    for method, params in steps:
        frontend.edit(view_id, method, params)
        texts[history.undo_count] = frontend.contents(view_id)
    while history.redo_count:
        frontend.edit(view_id, "redo")
        texts[history.undo_count] = frontend.contents(view_id)
    last = history.undo_count
    for depth in range(last - 1, -1, -1):
        frontend.edit(view_id, "undo")
        assert frontend.contents(view_id) == texts[depth]
        assert_mirror_is_true(frontend, view_id)
    assert frontend.heard[-2][1].get("update", {}).get("pristine", True)
    for depth in range(1, last + 1):
        frontend.edit(view_id, "redo")
        assert frontend.contents(view_id) == texts[depth]


def ops_of(heard):
    return [(op["op"], op["n"]) for method, params in heard if method == "update" for op in params["update"]["ops"]]


def big_view(lines=5000):
    frontend = Frontend()
    view_id = frontend.open()
    frontend.insert(view_id, "a line\n" * lines)
    frontend.edit(view_id, "move_to_beginning_of_document")
    return frontend, view_id


def test_an_edit_that_changes_nothing_is_answered_by_one_copy():
    frontend, view_id = big_view(20)

    assert ops_of(frontend.edit(view_id, "delete_backward")) == [("copy", 21)]


def test_typing_in_a_line_sends_that_line_alone():
    frontend, view_id = big_view()
    (inserted,) = [
        op for method, p in frontend.insert(view_id, "x") if method == "update" for op in p["update"]["ops"] if "lines" in op
    ]

    assert inserted["op"] == "ins"
    assert inserted["lines"] == [{"text": "xa line\n", "styles": [], "cursor": [1], "ln": 1}]


def test_moving_the_cursor_sends_no_text():
    frontend, view_id = big_view()

    assert ops_of(frontend.edit(view_id, "move_down"))[:2] == [("update", 2), ("copy", 10)]


def test_lines_far_from_the_viewport_are_given_up():
    frontend, view_id = big_view()
    ops = ops_of(frontend.edit(view_id, "scroll", (4000, 4010)))
    rendered = ops.index(("ins", 14))

    assert {kind for kind, _ in ops} == {"invalidate", "ins"}
    assert sum(n for _, n in ops[:rendered]) == 3998


def test_scrolling_on_copies_what_is_still_in_view():
    frontend, view_id = big_view()
    frontend.edit(view_id, "scroll", (2000, 2050))
    kinds = [kind for kind, _ in ops_of(frontend.edit(view_id, "scroll", (2010, 2060)))]

    assert kinds.count("ins") == 1
    assert ("ins", 10) in ops_of([frontend.heard[-1]])


def test_requested_lines_are_sent_from_anywhere():
    frontend, view_id = big_view()
    frontend.edit(view_id, "request_lines", (3000, 3005))

    assert [line.text for line in frontend.caches[view_id].lines(3000, 3005)] == ["a line\n"] * 5


def test_a_selection_is_styled_and_annotated():
    frontend, view_id = big_view(3)
    frontend.edit(view_id, "move_word_right_and_modify_selection")
    update = frontend.heard[-2][1]["update"]

    assert frontend.caches[view_id].line(0).styles == (0, 1, 0)
    assert update["annotations"] == [{"type": "selection", "ranges": [[0, 0, 0, 1]], "payloads": None, "n": 1}]


def test_the_cursor_is_followed_by_scroll_to_where_it_was_placed_and_not_elsewhere():
    frontend, view_id = big_view(30)

    assert frontend.edit(view_id, "goto_line", {"line": 20})[-1] == ("scroll_to", {"view_id": view_id, "line": 20, "col": 0})
    assert [method for method, _ in frontend.edit(view_id, "select_all")] == ["update"]
    assert [method for method, _ in frontend.edit(view_id, "scroll", (0, 5))] == ["update"]


def test_a_page_is_the_viewport_less_two_lines():
    frontend, view_id = big_view(100)
    frontend.edit(view_id, "scroll", (0, 30))
    frontend.edit(view_id, "scroll_page_down")

    assert frontend.cursors(view_id) == [(28, 0)]


def test_an_update_has_its_exact_form_on_the_wire():
    sent = []
    frontend = Frontend()
    view_id = frontend.open()
    frontend.server._send = sent.append
    frontend.raw(b'{"method":"edit","params":{"method":"insert","view_id":"%s","params":{"chars":"x"}}}\n' % view_id.encode())

    assert msgspec.json.decode(sent[0]) == {
        "method": "update",
        "params": {
            "view_id": "view-id-1",
            "update": {
                "ops": [{"op": "ins", "n": 1, "lines": [{"text": "x", "styles": [], "cursor": [1], "ln": 1}]}],
                "pristine": False,
                "annotations": [{"type": "selection", "ranges": [[0, 1, 0, 1]], "payloads": None, "n": 1}],
            },
        },
    }
    assert sent[0].endswith(b"}\n")
    assert sent[1] == b'{"method":"scroll_to","params":{"view_id":"view-id-1","line":0,"col":1}}\n'
