"""What `why` says of a tree that is dead, or of one in whose run directory another has been."""

import pytest

from actors.runtime.flight.ring import Note
from tests.support.stories import CORE, DIED, ENGINE, SIGKILLED, event, exited, known, life, story, tree, turn
from tests.unit.cli.samples import actor


def test_what_ended_before_the_kernel_did_is_told_by_its_own_end():
    """Its last handler ended with it, and not with the kernel."""
    ended = exited(ENGINE, DIED, incarnation=3, signal="SIGTERM", error="it was told to leave at once")
    stopped = event("kernel.stopped", "/", DIED + 5.0, reason="shutdown", error=None)
    told = story(events=[ended, stopped], lives=[life(turn(began=DIED - 2.0))])

    assert (told.cause, told.ended, told.at) == ("killed", ENGINE, DIED)
    assert [one.for_s for one in told.handling] == [pytest.approx(2.0)]
    assert "It was handling RunMelody in /engine/core for 2.0 s." in known(told)
    assert "after that, the kernel, and every process with it, was stopped, at 00:01:35." in known(told)
    assert told.earlier == ()


def test_what_had_come_back_by_then_ended_with_the_kernel():
    started = event("actor.restarted", ENGINE, DIED + 0.2, incarnation=4)
    stopped = event("kernel.stopped", "/", DIED + 5.0, reason="shutdown", error=None)

    assert story(events=[SIGKILLED, started, stopped]).ended == "/"


def test_what_had_come_back_and_could_not_tell_ended_with_its_process():
    """Its event was lost with the process; its recording is there."""
    events = [exited(CORE, DIED - 0.5, reason="failed"), SIGKILLED]
    notes = [Note(1, DIED - 0.3, "state", "running", CORE)]

    assert story(CORE, events=events, lives=[life(notes=notes)]).ended == ENGINE
    assert story(CORE, events=events, lives=[life()]).ended == CORE


def test_a_part_that_was_parked_before_the_kernel_ended_is_said_to_have_been():
    parked = event("actor.parked", ENGINE, DIED + 0.01, restarts=2)
    stopped = event("kernel.stopped", "/", DIED + 5.0, reason="shutdown", error=None)

    assert "It was parked; after that, the kernel" in known(story(events=[SIGKILLED, parked, stopped]))


@pytest.mark.parametrize(("counted", "text"), [(1, " after 0 restarts"), (2, " after 1 restart,"), (6, " after 5 restarts")])
def test_the_restart_that_was_refused_is_none(counted, text):
    events = [SIGKILLED, event("actor.parked", ENGINE, DIED + 0.01, restarts=counted)]

    assert text in known(story(events=events, tree=tree(state="parked")))


def test_a_sibling_that_was_parked_along_has_used_up_nothing():
    events = [exited(ENGINE, reason="shutdown"), event("actor.parked", ENGINE, DIED + 0.01, restarts=1)]

    assert "It was parked at 00:01:30 (/ allows" in known(story(events=events, tree=tree(state="parked")))


@pytest.mark.parametrize(
    ("present", "is_told"),
    [
        (tree(state="parked"), True),
        (tree(), False),
        (None, False),
    ],
)
def test_a_restart_is_told_of_where_it_would_be_done(present, is_told):
    """Not where no kernel runs, nor where the part is there again."""
    events = [SIGKILLED, event("actor.parked", ENGINE, DIED + 0.01, restarts=2)]

    assert ("`symphony restart /engine`" in known(story(events=events, tree=present))) is is_told


def test_below_a_supervisor_that_does_not_run_no_restart_is_told_of():
    parked = tree(pid=None, children=[actor(CORE, node=ENGINE, state="parked")])
    events = [exited(CORE, reason="failed"), event("actor.parked", CORE, DIED + 0.01, restarts=2)]

    assert "symphony restart" not in known(story(CORE, events=events, tree=parked))
    running = tree(children=[actor(CORE, node=ENGINE, state="parked")])
    assert "`symphony restart /engine/core`" in known(story(CORE, events=events, tree=running))


def test_another_tree_s_ends_in_the_same_run_directory_are_not_this_one_s():
    events = [SIGKILLED, event("kernel.started", "/", DIED + 5.0, pid=2)]
    old = life(turn())
    told = story(events=events, lives=[old], tree=tree())

    assert (told.cause, told.ended, told.handling) == ("none", None, ())
    assert "What is older than the kernel's start at 00:01:35 is left out" in known(told)


def test_of_what_the_present_tree_does_not_have_the_former_is_told_with_a_warning():
    told = story("/gone", events=[exited("/gone"), event("kernel.started", "/", DIED + 5.0, pid=2)], tree=tree())

    assert told.ended == "/gone"
    assert "All of this is from before the kernel's start at 00:01:35" in known(told)
    assert "/gone is not in the tree now." in known(told)


def test_a_kernel_that_took_another_s_place_goes_on_with_its_tree():
    again = event("kernel.started", "/", DIED + 5.0, pid=2, reason="killed", ended_at=DIED + 4.0)

    assert story(events=[SIGKILLED, again], tree=tree()).ended == ENGINE


def test_an_end_by_auto_shutdown_says_whose_end_it_was():
    events = [
        exited("/job", DIED - 0.2, reason="normal"),
        event("supervisor.shut_down", "/", DIED - 0.1, child="/job"),
        exited(ENGINE, DIED, reason="shutdown"),
        event("kernel.stopped", "/", DIED + 1.0, reason="shutdown", error=None),
    ]
    because = "That was because /job had ended, which is significant to / (`auto_shutdown`)."

    assert known(story("/", events=events)).count(because) == 1
    assert known(story(ENGINE, events=events)).count(because) == 2
    assert known(story("/job", events=events)).count(because) == 1, "the kernel's end; its own was its own"
