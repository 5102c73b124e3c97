"""What chaos may hit: what fits the glob, can heal, and is noticed; and which restart limits a hit uses up."""

import pytest

from actors.runtime.chaos.faults import INSIDE, KINDS
from actors.runtime.chaos.targets import targets_of, what_is_missing
from actors.runtime.globs import compile_glob
from actors.runtime.snapshot import ActorSnapshot, MailboxSnapshot
from actors.runtime.supervision.spec import ChildSpec, RestartLimit, SupervisorSpec

CLASS = "package.module:Class"
KERNEL, FIRST, SECOND = 1, 2, 3


def seen(path, node, pid, *children, kind="worker"):
    quiet = MailboxSnapshot(0, 10, None)
    shown = "supervisor" if children else kind
    return ActorSnapshot(path, shown, "Class", node, pid, None, "running", 1, 1.0, 0, None, quiet, 0, children=children)


def tree(**solo):
    spec = SupervisorSpec(
        "root",
        intensity=20,
        period=60.0,
        on_exhausted="park",
        children=[
            SupervisorSpec("engine", process=True, children=[ChildSpec("core", CLASS, hang_after=2.0), ChildSpec("pit", CLASS)]),
            ChildSpec("solo", CLASS, process=True, **solo),
            ChildSpec("here", CLASS),
        ],
    )
    engine = seen("/engine", "/engine", FIRST, seen("/engine/core", "/engine", FIRST), seen("/engine/pit", "/engine", FIRST))
    root = seen("/", "kernel", KERNEL, engine, seen("/solo", "/solo", SECOND), seen("/here", "kernel", KERNEL))
    return root, spec


def targets(pattern="/**", *, inside_allowed=True, **solo):
    found = targets_of(*tree(**solo), compile_glob(pattern), inside_allowed=inside_allowed)
    return {target.path: target for target in found}


def test_what_runs_in_the_kernel_is_never_hit():
    assert set(targets()) == {"/engine", "/engine/core", "/engine/pit", "/solo"}


def test_a_glob_that_fits_a_node_lets_its_actors_be_hit_and_one_that_fits_an_actor_does_not_let_its_node_be_killed():
    assert set(targets("/engine")) == {"/engine", "/engine/core", "/engine/pit"}
    assert set(targets("/engine/core")) == {"/engine/core"}
    assert "kill" not in targets("/engine/core")["/engine/core"].kinds


def test_only_workers_of_a_tree_that_allows_it_commit_faults():
    assert not set(targets()["/engine"].kinds) & set(INSIDE)
    assert not {kind for target in targets(inside_allowed=False).values() for kind in target.kinds} & set(INSIDE)


def test_a_hang_is_injected_only_where_something_notices_it():
    found = targets(heartbeat_timeout=None)

    assert {"spin", "block"} <= set(found["/engine/core"].kinds)
    assert not {"spin", "block"} & set(found["/engine/pit"].kinds)
    assert "hold_gil" in found["/engine/pit"].kinds
    assert not {"stop", "hold_gil"} & set(found["/solo"].kinds)
    assert (found["/engine/core"].noticed_s["spin"], found["/engine/core"].noticed_s["hold_gil"]) == (2.0, 3.0)


def test_what_would_not_come_back_is_no_target():
    assert "/solo" not in targets(restart="temporary")


def test_a_hit_uses_up_the_limit_of_whoever_restarts_what_it_ends():
    found = targets(limit=RestartLimit(2, 10.0))
    core, solo = found["/engine/core"], found["/solo"]

    assert [counter.text for counter in core.spends("raise")] == [
        "/engine fails after more than 3 restarts of its children in 5 s"
    ]
    assert [counter.text for counter in core.spends("exit")] == ["/ parks /engine after more than 20 restarts in 60 s"]
    assert len(core.spends("memory")) == 2
    assert [(counter.allowed, counter.period_s) for counter in solo.spends("raise")] == [(20, 60.0), (2, 10.0)]


@pytest.mark.parametrize(
    ("options", "kind", "why"),
    [
        ({"inside_allowed": False}, "raise", "--allow-fault-injection"),
        ({"pattern": "/engine/pit"}, "spin", "hang_after"),
        ({"pattern": "/solo"}, "batch", "two nodes"),
        ({"pattern": "/engine/pit"}, "kill", "no node or actor"),
    ],
)
def test_a_kind_without_a_target_is_left_out_with_the_reason(options, kind, why):
    found = tuple(targets(**options).values())

    assert why in what_is_missing(KINDS, found, inside_allowed=options.get("inside_allowed", True))[kind]
