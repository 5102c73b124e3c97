"""Snapshots and events as people read them."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.event import Event
from actors.runtime.snapshot import ActorState, ExitSnapshot
from symphony.console.render import GLYPHS, duration, event_line, exit_text, rich_tree, safe, status_lines, tree_lines
from tests.unit.cli.samples import EVENTS, KILLED, TREE, actor


def test_a_tree_is_a_heading_and_a_line_an_actor():
    assert tree_lines(TREE, TREE.root) == [
        "symphony: kernel pid 100, warden pid 99",
        "● /  SampleActor  pid 100",
        "├─ ● /engine  SampleActor  pid 101",
        "│  ├─ ● /engine/core  SampleActor  pid 101",
        "│  └─ ● /engine/conductor  SampleActor  pid 101",
        "└─ ● /xi  SampleActor  pid 102  stands for pid 103  incarnation 2  1 restart  last exit killed by SIGKILL",
    ]


def test_what_is_too_deep_is_counted():
    assert tree_lines(TREE, TREE.root, depth=1)[2:4] == ["├─ ● /engine  SampleActor  pid 101", "│  └─ … 2 more below"]
    assert len(tree_lines(TREE, TREE.root, depth=0)) == 3


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"state": "restarting", "next_try_s": 0.84}, "restarting (next try in 0.8 s)"),
        ({"state": "running", "busy_s": 3.24}, "running (one message for 3.2 s)"),
        ({"state": "running", "busy_s": 0.2}, "running"),
    ],
)
def test_when_a_restart_is_due_and_how_long_a_handler_runs_is_shown(fields, shown):
    one = actor("/a", **fields)

    assert status_lines(one, log=[])[1] == f"  state        {shown}"
    assert (shown in tree_lines(TREE, one)[1]) == (shown != "running")


def test_a_tree_may_begin_anywhere():
    assert tree_lines(TREE, TREE.root.find("/engine/core"))[1:] == ["● /engine/core  SampleActor  pid 101"]


def test_every_state_has_a_glyph_of_its_own():
    assert set(GLYPHS) == set(get_args(ActorState))
    assert len(set(GLYPHS.values())) == len(GLYPHS)


def test_rich_draws_the_same_actors():
    from rich.console import Console

    console = Console(width=200, file=None, color_system=None)
    with console.capture() as captured:
        console.print(rich_tree(TREE, TREE.root, depth=1))

    text = captured.get()
    assert "symphony: kernel pid 100, warden pid 99" in text
    assert "● /xi" in text
    assert "2 more below" in text


def test_an_event_is_one_line():
    assert event_line(EVENTS[2]) == "00:00:02.000  actor.restarted     /xi  incarnation=2 ready_ms=210.2"


@given(st.text(max_size=50), st.text(max_size=50))
def test_nothing_in_an_event_can_end_the_line_or_steer_the_terminal(key, value):
    line = event_line(Event(1, 0.0, "log.written", "/x", "kernel", {"reason": value, "error": key}))

    assert line.isprintable()


@given(st.text(max_size=2000), st.integers(2, 400))
def test_safe_text_is_printable_and_no_longer_than_asked(text, limit):
    shown = safe(text, limit=limit)

    assert shown.isprintable()
    assert len(shown) <= limit


@pytest.mark.parametrize(
    ("ended", "text"),
    [
        (KILLED, "killed by SIGKILL"),
        (ExitSnapshot("hung", signal="SIGKILL", error="/a has been silent"), "hung, killed by SIGKILL: /a has been silent"),
        (ExitSnapshot("normal"), "normal"),
        (ExitSnapshot("unknown", exit_code=3), "unknown with exit code 3"),
        (ExitSnapshot("start_failed", error="no such\nfile"), r"start failed: no such\nfile"),
    ],
)
def test_an_exit_says_how(ended, text):
    assert exit_text(ended) == text


def test_the_status_of_an_actor_has_all_that_is_known():
    lines = "\n".join(status_lines(TREE.root.find("/xi"), log=["12:00 info started"]))

    for said in (
        "● /xi",
        "pid 102, node /xi",
        "pid 103: python -P -m xi",
        "incarnation  2",
        "ready in 210 ms",
        "12:00 info started",
    ):
        assert said in lines


def test_an_actor_without_a_process_says_so():
    assert "  runs in      no process" in status_lines(actor("/x", pid=None, state="parked"), log=[])


@pytest.mark.parametrize(("seconds", "text"), [(0.25, "0.2 s"), (59.9, "59.9 s"), (61, "1 min 1 s"), (3660, "1 h 1 min")])
def test_a_duration_has_the_units_that_matter(seconds, text):
    assert duration(seconds) == text
