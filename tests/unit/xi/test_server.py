"""The server: what it refuses and how, what order it keeps, and that nothing ends it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.xi.frontend import Frontend
from xi.editor.view import View
from xi.protocol import RequestError


def refusal(frontend, method, params):
    with pytest.raises(RequestError) as caught:
        frontend.ask(method, params)
    return caught.value.code, caught.value.message


def test_nothing_is_served_before_client_started():
    frontend = Frontend(started=False)

    assert "must be first" in refusal(frontend, "new_view", {})[1]
    frontend.notify("client_started", {})
    assert frontend.open() == "view-id-1"


def test_client_started_is_accepted_once():
    frontend = Frontend()
    frontend.notify("client_started", {})

    assert "second time" in frontend.heard[-1][1]["msg"]


@pytest.mark.parametrize("method", ["plugin", "set_theme", "set_language", "tracing_config", "save_trace"])
def test_a_known_method_that_is_missing_says_so_both_ways(method):
    frontend = Frontend()

    assert refusal(frontend, method, {}) == (-32600, f"{method} is not built yet")
    frontend.notify(method, {})
    assert frontend.heard[-1] == ("alert", {"msg": f"{method} is not built yet"})
    assert [fields["reason"] for _, fields in frontend.logged] == [f"{method} is not built yet"] * 2


def test_an_unknown_method_is_told_from_a_missing_one():
    frontend = Frontend()

    assert refusal(frontend, "frobnicate", {}) == (-32600, "unknown method frobnicate")
    frontend.notify("frobnicate", {})
    assert frontend.heard[-1] == ("alert", {"msg": "unknown method frobnicate"})


@pytest.mark.parametrize(
    ("method", "params", "reason"),
    [
        ("new_view", {"file_path": 7}, "Expected `str"),
        ("new_view", [], "Expected `object`"),
        ("get_config", {}, "missing required field `view_id`"),
        ("client_started", {}, "without an id"),
        ("close_view", {"view_id": "x"}, "without an id"),
        ("edit", {"method": "insert", "view_id": "view-id-1", "params": {"chars": "x"}}, "insert is a notification"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(method, params, reason):
    frontend = Frontend()
    frontend.open()

    assert reason in refusal(frontend, method, params)[1]


def test_requests_sent_as_notifications_are_refused():
    frontend = Frontend()
    view_id = frontend.open()
    frontend.notify("new_view", {})
    assert "with an id" in frontend.heard[-1][1]["msg"]
    frontend.edit(view_id, "cut")
    assert "cut is a request" in frontend.heard[-1][1]["msg"]


def test_edits_may_be_asked_for_by_the_extension_and_are_answered_after_their_update():
    frontend = Frontend(extended=True)
    view_id = frontend.open()
    before = len(frontend.heard)
    answer = frontend.ask("edit", {"method": "insert", "view_id": view_id, "params": {"chars": "x"}})

    assert answer is None
    assert [method for method, _ in frontend.heard[before:]] == ["update", "scroll_to", "result"]
    assert refusal(frontend, "edit", {"method": "find", "view_id": view_id})[1] == "find is not built yet"
    assert refusal(frontend, "edit", {"method": "insert", "view_id": "view-id-9"})[0] == 404
    frontend.insert(view_id, "y")
    assert frontend.contents(view_id) == "xy"


def test_two_views_on_one_file_are_two_texts(tmp_path):
    frontend = Frontend()
    one, other = frontend.open(tmp_path / "a"), frontend.open(tmp_path / "a")
    frontend.insert(one, "x")

    assert (frontend.contents(one), frontend.contents(other)) == ("x", "")


def test_a_bug_of_ours_costs_a_command_and_neither_the_text_nor_the_server(monkeypatch):
    frontend = Frontend(extended=True)
    view_id = frontend.open()
    frontend.insert(view_id, "one\ntwo\n")
    with monkeypatch.context() as patch:
        patch.setattr(View, "after_change", lambda *_: 1 / 0)
        assert refusal(frontend, "edit", {"method": "insert", "view_id": view_id, "params": {"chars": "3\n4\n"}})[0] == -32603
    assert "ZeroDivisionError" in frontend.logged[-1][1]["error"]
    frontend.edit(view_id, "scroll", (0, 20))

    assert frontend.contents(view_id) == "one\ntwo\n3\n4\n"
    assert "".join(line.text for line in frontend.caches[view_id].lines(0, 9)) == "one\ntwo\n3\n4\n"


def test_bad_lines_are_counted():
    frontend = Frontend()
    frontend.raw(b"garbage\n\n{}\n")

    assert [(event, fields["count"]) for event, fields in frontend.logged] == [("message.malformed", n) for n in (1, 2, 3)]


def test_a_malformed_request_is_answered():
    frontend = Frontend()
    frontend._peer.request("new_view", {})
    frontend.raw(b'{"id":0,"method":7}\n')

    assert "Invalid request" in frontend.heard[-1][1].message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.just("view-id-1") | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["method", "view_id", "params", "chars", "line", "col", "ty", "domain", "changes", "tab_size"]),
        inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@given(
    st.lists(
        st.tuples(st.sampled_from(["edit", "close_view", "modify_user_config", "client_started", "save", "x"]), JSON), max_size=8
    )
)
def test_no_parameters_end_the_server(messages):
    frontend = Frontend()
    view_id = frontend.open()
    frontend.insert(view_id, "x")
    for method, params in messages:
        if method != "save":  # it would write wherever the parameters say
            frontend.notify(method, params)

    assert not [event for event, _ in frontend.logged if event == "internal.error"]
    assert frontend.open()
