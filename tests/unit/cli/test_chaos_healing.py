"""What the events say about an injected fault: noticed, ended, backed off, and running again with a higher incarnation."""

import itertools

from actors.runtime.chaos.plan import PlannedFault
from actors.runtime.event import Event
from symphony.cli.chaos_run.healing import Healing

AT = 1000.0
NUMBERS = itertools.count(1)


def fault(kind="kill", *paths, node=None):
    paths = paths or ("/a",)
    return Healing(PlannedFault(1, 0.0, kind, paths), AT, dict.fromkeys(paths, 3), {path: node or path for path in paths}, 100)


def tell(healing, *events):
    for after_s, type_, path, fields in events:
        healing.hear(Event(next(NUMBERS), AT + after_s, type_, path, "kernel", fields))
    return healing.entry()


def test_a_death_is_noticed_and_healed_and_its_back_off_is_not_the_restart_s_time():
    healing = fault()
    entry = tell(
        healing,
        (0.002, "node.exited", "/a", {}),
        (0.003, "actor.exited", "/a", {"incarnation": 3}),
        (0.003, "actor.restart_scheduled", "/a", {"delay_s": 0.5}),
        (0.602, "actor.restarted", "/a", {"incarnation": 4}),
    )

    assert healing.is_over
    assert (entry.detected_ms, entry.healed_ms, entry.restart_ms, entry.backoff_ms) == (2.0, 602.0, 100.0, 500.0)
    assert entry.incarnations == {"/a": 4}


def test_a_restart_of_the_same_or_an_earlier_life_does_not_heal_it():
    healing = fault()
    tell(healing, (0.1, "actor.exited", "/a", {}), (0.2, "actor.restarted", "/a", {"incarnation": 3}))

    assert not healing.is_over


def test_what_happened_before_the_fault_is_none_of_its_business():
    healing = fault()
    tell(healing, (-0.1, "actor.exited", "/a", {}), (-0.05, "actor.restarted", "/a", {"incarnation": 4}))

    assert not healing.is_over


def test_an_actor_whose_node_died_is_healed_when_it_runs_in_the_next_one():
    healing = fault("spin", "/node/actor", node="/node")
    entry = tell(
        healing,
        (3.0, "node.hung", "/node", {}),
        (3.2, "node.exited", "/node", {}),
        (3.3, "actor.started", "/node/actor", {"incarnation": 4}),
        (3.4, "actor.restarted", "/node", {"incarnation": 2}),
    )

    assert (entry.detected_ms, entry.healed_ms, entry.restart_ms) == (3000.0, 3300.0, 100.0)


def test_a_batch_is_healed_when_the_last_of_it_is():
    healing = fault("batch", "/a", "/b")
    tell(healing, (0.01, "actor.exited", "/a", {}), (0.1, "actor.restarted", "/a", {"incarnation": 4}))
    assert not healing.is_over
    entry = tell(healing, (0.01, "actor.exited", "/b", {}), (0.4, "actor.restarted", "/b", {"incarnation": 4}))

    assert (entry.detected_ms, entry.healed_ms, entry.restart_ms) == (10.0, 400.0, 390.0)


def test_the_kernel_is_healed_when_another_one_says_that_its_tree_runs():
    healing = Healing(PlannedFault(1, 0.0, "kernel"), AT, {"/": 1}, {"/": "kernel"}, 100)
    tell(healing, (0.1, "kernel.ready", "/", {"pid": 100}))
    assert not healing.is_over
    entry = tell(healing, (0.7, "kernel.started", "/", {"pid": 200}), (1.2, "kernel.ready", "/", {"pid": 200}))

    assert (entry.detected_ms, entry.healed_ms) == (700.0, 1200.0)


def test_a_fault_that_the_node_refused_did_not_happen():
    healing = fault("raise")
    entry = tell(healing, (0.01, "fault.refused", "/a", {"reason": "its mailbox is full"}))

    assert healing.is_over
    assert (entry.happened, entry.problem) == (False, "it did not happen: its mailbox is full")
