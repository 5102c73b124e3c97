"""Steps run when their needs are done, and a restart loses no progress."""

from time import perf_counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.errors import ConflictError, InvalidRequestError, NotFoundError, SymphonyError
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.dag_tracker import (
    TRANSITIONS,
    BeginStep,
    Checkpoint,
    CompleteStep,
    DagTracker,
    FailStep,
    Restored,
    RunRecord,
    RunSaved,
    StartRun,
    StepSaved,
)
from symphony.domain.workflow import Input, StepStatus
from tests.support.workflows import acyclic_needs, workflow

DIAMOND = workflow({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})


def started(flow=DIAMOND):
    tracker = DagTracker()
    tracker.handle(StartRun("r", flow, {}), 5.0)
    return tracker


def finish(tracker, *steps):
    for step in steps:
        tracker.handle(BeginStep("r", step), 6.0)
        tracker.handle(CompleteStep("r", step, {"by": step}), 7.0)


def state_of(tracker, step):
    return next(status for status in tracker.run("r").steps if status.id == step)


def records_of(effects):
    return [effect.record for effect in effects if isinstance(effect, Checkpoint)]


def test_a_new_run_is_saved_before_it_is_announced():
    tracker = DagTracker()

    effects = tracker.handle(StartRun("r", DIAMOND, {}), 5.0)

    assert effects == [Checkpoint(RunSaved(tracker.run("r"))), Announce("run.started", "r")]
    assert (tracker.run("r").started_at, tracker.run("r").state) == (5.0, "running")
    assert tracker.ready_steps("r") == ("a",)


def test_the_same_run_again_is_the_run_as_it_is():
    tracker = started()
    finish(tracker, "a")

    assert tracker.handle(StartRun("r", DIAMOND, {}), 9.0) == []
    assert state_of(tracker, "a").state == "done"


def test_an_id_used_for_another_run_is_refused():
    with pytest.raises(ConflictError, match="with another workflow or other inputs"):
        started().handle(StartRun("r", workflow({"x": []}), {}), 6.0)


def test_steps_become_ready_in_the_order_of_the_workflow():
    tracker = started(workflow({"z": ["a"], "a": [], "m": ["a"]}))
    finish(tracker, "a")

    assert tracker.ready_steps("r") == ("z", "m")


def test_a_step_is_ready_only_when_all_its_needs_are_done():
    tracker = started()
    finish(tracker, "a", "b")
    assert tracker.ready_steps("r") == ("c",)
    finish(tracker, "c")
    assert tracker.ready_steps("r") == ("d",)


def test_a_step_that_needs_another_twice_waits_for_it_once():
    tracker = started(workflow({"a": [], "b": ["a", "a"]}))
    finish(tracker, "a")

    assert tracker.ready_steps("r") == ("b",)


def test_the_run_is_done_with_its_last_step():
    tracker = started()
    finish(tracker, "a", "b", "c")
    tracker.handle(BeginStep("r", "d"), 8.0)

    effects = tracker.handle(CompleteStep("r", "d", {"x": 1}), 8.0)

    assert effects[1:] == [Announce("step.completed", "r/d"), Announce("run.completed", "r")]
    assert tracker.run("r").state == "done"
    assert state_of(tracker, "d").outputs == {"x": 1}


def test_a_try_is_counted_when_it_begins_and_kept_when_it_is_retried():
    tracker = started()
    tracker.handle(BeginStep("r", "a"), 6.0)
    tracker.handle(FailStep("r", "a", "boom", retry=True), 6.0)
    assert state_of(tracker, "a") == StepStatus("a", "ready", 1, {}, "boom")

    tracker.handle(BeginStep("r", "a"), 6.0)
    tracker.handle(CompleteStep("r", "a", {}), 6.0)
    assert state_of(tracker, "a") == StepStatus("a", "done", 2, {}, "")


def test_a_failed_step_fails_the_run_and_nothing_more_begins():
    tracker = started()
    finish(tracker, "a")
    tracker.handle(BeginStep("r", "b"), 6.0)

    effects = tracker.handle(FailStep("r", "b", "boom", retry=False), 6.0)

    assert effects[1:] == [Announce("step.failed", "r/b"), Announce("run.failed", "r")]
    assert tracker.run("r").state == "failed"
    assert tracker.ready_steps("r") == ()
    with pytest.raises(ConflictError, match='the run "r" has failed'):
        tracker.handle(BeginStep("r", "c"), 6.0)


def test_a_step_that_was_running_when_the_run_failed_may_still_be_done():
    tracker = started()
    finish(tracker, "a")
    tracker.handle(BeginStep("r", "b"), 6.0)
    tracker.handle(BeginStep("r", "c"), 6.0)
    tracker.handle(FailStep("r", "b", "boom", retry=False), 6.0)

    tracker.handle(CompleteStep("r", "c", {}), 6.0)

    assert state_of(tracker, "c").state == "done"
    assert tracker.run("r").state == "failed"


@pytest.mark.parametrize("state", sorted(TRANSITIONS))
@pytest.mark.parametrize(
    ("event", "to"),
    [
        (BeginStep("r", "b"), "running"),
        (CompleteStep("r", "b", {}), "done"),
        (FailStep("r", "b", "x", retry=False), "failed"),
    ],
)
def test_an_undeclared_transition_is_refused_with_both_states(state, event, to):
    tracker = started(workflow({"a": [], "b": ["a"], "e": []}))
    if state != "waiting":
        finish(tracker, "a")
    if state in {"running", "done", "failed"}:
        tracker.handle(BeginStep("r", "b"), 6.0)
    if state == "done":
        tracker.handle(CompleteStep("r", "b", {}), 6.0)
    if state == "failed":
        tracker.handle(FailStep("r", "b", "x", retry=False), 6.0)
    assert state_of(tracker, "b").state == state

    if to in TRANSITIONS[state]:
        tracker.handle(event, 7.0)
        assert state_of(tracker, "b").state == to
    else:
        with pytest.raises(ConflictError, match=f"is {state} and cannot become {to}"):
            tracker.handle(event, 7.0)


@pytest.mark.parametrize("event", [BeginStep("q", "a"), CompleteStep("q", "a", {}), FailStep("q", "a", "", retry=True)])
def test_an_unknown_run_is_named(event):
    with pytest.raises(NotFoundError, match='no run has the id "q"'):
        started().handle(event, 6.0)


def test_an_unknown_step_is_named():
    with pytest.raises(NotFoundError, match='the run "r" has no step "x"'):
        started().handle(BeginStep("r", "x"), 6.0)


def test_every_wrong_input_is_listed_and_nothing_is_started():
    flow = workflow({"a": []}, (Input("file", "path"), Input("count", "integer"), Input("flag", "boolean")))
    tracker = DagTracker()

    with pytest.raises(InvalidRequestError) as caught:
        tracker.handle(StartRun("r", flow, {"count": "3", "flag": 1, "fil": "/a"}), 0.0)

    assert caught.value.problems == (
        "inputs.fil: test has no such input",
        "inputs.file: is missing; it must be a path",
        "inputs.count: must be an integer, not a text",
        "inputs.flag: must be a boolean, not an integer",
    )
    assert tracker.runs() == ()


def test_a_workflow_that_cannot_run_is_refused():
    """A workflow may come from anywhere, not only from the melody reader."""
    with pytest.raises(InvalidRequestError, match="a needs b needs a, a cycle"):
        DagTracker().handle(StartRun("r", workflow({"a": ["b"], "b": ["a"]}), {}), 0.0)


def test_a_restored_run_has_its_running_step_ready_again_with_its_tries():
    tracker = DagTracker()
    records = records_of(tracker.handle(StartRun("r", DIAMOND, {}), 5.0))
    for event in (BeginStep("r", "a"), CompleteStep("r", "a", {"x": 1}), BeginStep("r", "b")):
        records += records_of(tracker.handle(event, 6.0))
    restored = DagTracker()

    effects = restored.handle(Restored(tuple(records)), 9.0)

    assert effects == [Announce("run.restored", "r")]
    assert restored.ready_steps("r") == ("b", "c")
    assert state_of(restored, "a") == StepStatus("a", "done", 1, {"x": 1})
    assert state_of(restored, "b") == StepStatus("b", "ready", 1)


def test_only_an_empty_tracker_can_be_restored():
    with pytest.raises(ConflictError, match="only an empty one"):
        started().handle(Restored(()), 6.0)


def test_a_record_of_a_run_that_no_record_starts_is_refused():
    tracker = DagTracker()

    with pytest.raises(InvalidRequestError, match='of the run "r", which no record starts'):
        tracker.handle(Restored((StepSaved("r", StepStatus("a", "ready")),)), 6.0)
    assert tracker.runs() == ()


def test_a_step_of_ten_thousand_costs_what_one_of_ten_does():
    """A bound with room for a slow machine; a cost that grew with the run would pass it a hundredfold."""
    count = 10_000
    tracker = started(workflow({f"s{n}": [f"s{n - 1}"] if n else [] for n in range(count)}))
    began = perf_counter()
    finish(tracker, *(f"s{n}" for n in range(count)))

    assert tracker.run("r").state == "done"
    assert perf_counter() - began < 5.0


@st.composite
def stories(draw):
    needs = draw(acyclic_needs())
    steps = st.sampled_from([*needs, "nobody"])
    event = st.one_of(
        st.builds(BeginStep, st.just("r"), steps),
        st.builds(CompleteStep, st.just("r"), steps, st.just({"x": 1})),
        st.builds(FailStep, st.just("r"), steps, st.just("x"), st.sampled_from([True, True, True, False])),
    )
    return needs, draw(st.lists(event, max_size=30))


@given(story=stories())
def test_no_sequence_of_events_breaks_an_invariant_and_a_refusal_changes_nothing(story):
    needs, events = story
    tracker = started(workflow(needs))
    for event in events:
        before = tracker.run("r")
        try:
            tracker.handle(event, 6.0)
        except SymphonyError:
            assert tracker.run("r") == before
        tracker.check_invariants()


@given(story=stories(), data=st.data())
def test_a_tracker_killed_at_any_instant_is_restored_with_all_that_was_saved(story, data):
    needs, events = story
    tracker = DagTracker()
    records = records_of(tracker.handle(StartRun("r", workflow(needs), {}), 5.0))
    for event in events[: data.draw(st.integers(0, len(events)))]:
        try:
            records += records_of(tracker.handle(event, 6.0))
        except SymphonyError:
            continue
    wire = msgspec.msgpack.decode(msgspec.msgpack.encode(records), type=list[RunRecord])
    restored = DagTracker()

    restored.handle(Restored(tuple(wire)), 9.0)

    restored.check_invariants()
    for was, now in zip(tracker.run("r").steps, restored.run("r").steps, strict=True):
        assert now == (msgspec.structs.replace(was, state="ready") if was.state == "running" else was)
    compacted = DagTracker()
    compacted.handle(Restored(tuple(restored.records())), 9.0)
    assert compacted.runs() == restored.runs()


@given(needs=acyclic_needs())
def test_running_whatever_is_ready_ends_every_run(needs):
    tracker = started(workflow(needs))
    while ready := tracker.ready_steps("r"):
        finish(tracker, ready[-1])

    assert tracker.run("r").state == "done"
