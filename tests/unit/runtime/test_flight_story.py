"""What `why` says: only what there is evidence for is called known."""

import pytest
from msgspec import structs

from actors.runtime.clock import timestamp
from actors.runtime.flight.evidence import Evidence
from actors.runtime.flight.ring import Note
from actors.runtime.snapshot import ExitSnapshot
from tests.support.stories import BACK, CORE, DIED, ENGINE, NOW, SIGKILLED, event, exited, guessed, known, life, story, tree, turn
from tests.unit.cli.samples import actor


def test_nothing_wrong_is_said_so():
    told = story(CORE, tree=tree())

    assert told.cause == "none"
    assert "Nothing is wrong with it" in known(told)
    assert "/engine/core is running" in known(told)


def test_a_handler_that_runs_long_is_told_of_while_it_runs():
    busy = actor(CORE, node=ENGINE, busy_s=12.0)
    told = story(CORE, tree=tree(children=[busy]), lives=[life(turn(began=NOW - 12.0))])

    assert "Its present handler has been running for 12.0 s, in a turn that began with RunMelody." in known(told)


def test_a_node_killed_from_outside_while_it_handled_a_message_and_replaced():
    told = story(events=[SIGKILLED, BACK], lives=[life(turn())], tree=tree())

    assert (told.cause, told.ended, told.state) == ("killed", ENGINE, "running")
    assert "/engine (incarnation 3) died by SIGKILL, at 00:01:30." in known(told)
    assert "it came from outside" in known(told)
    assert "It was handling RunMelody in /engine/core for 400 ms." in known(told)
    assert "It was replaced in 210 ms (incarnation 4)." in known(told)
    assert "short of memory" in guessed(told)
    assert "memory" not in known(told)


def test_an_actor_s_end_is_that_of_the_node_it_lived_in():
    told = story(CORE, events=[SIGKILLED, BACK], lives=[life(turn())], tree=tree())

    assert told.ended == ENGINE
    assert "/engine (which /engine/core runs in) (incarnation 3) died by SIGKILL" in known(told)


def test_what_the_kernel_did_itself_is_not_said_to_come_from_outside():
    ended = ExitSnapshot("killed", signal="SIGKILL", at=timestamp(DIED), detected_ms=3.0, ready_ms=210.0)
    told = story(events=[SIGKILLED, BACK], tree=tree(last_exit=ended))

    assert "The kernel killed it itself" in known(told)
    assert "detected after 3 ms" in known(told)
    assert "outside" not in known(told)
    assert guessed(told) == ""


def test_a_fault_that_was_injected_is_said_to_be():
    told = story(events=[event("fault.injected", ENGINE, DIED - 0.01), SIGKILLED], tree=tree())

    assert "A fault was injected" in known(told)
    assert "outside" not in known(told)


def test_from_files_alone_nothing_is_said_of_who_sent_a_signal():
    told = story(events=[SIGKILLED], lives=[life(turn())])

    assert told.state is None
    assert "told from its files alone" in known(told)
    assert "outside" not in known(told)
    assert "That it was replaced is not recorded." in known(told)


def test_a_message_among_several_is_a_guess():
    told = story(events=[SIGKILLED], lives=[life(turn(several=True))], tree=tree())

    assert "others waited behind it" in guessed(told)


def test_what_its_process_noted_last_is_told_as_nobody_else_may_have_heard_of_it():
    notes = [Note(n, DIED - 20.0 + n, "log", f"line {n}", CORE) for n in range(30)]
    told = story(events=[SIGKILLED], lives=[life(notes=notes)], tree=tree())

    assert [note.type for note in told.records] == [f"line {n}" for n in range(13, 21)]


def test_no_running_handler_is_said_so_with_the_last_one():
    told = story(events=[SIGKILLED], lives=[life(turn(ended=DIED - 0.1))], tree=tree())

    assert "No handler was running; the last one was RunMelody in /engine/core, 100 ms before." in known(told)


def test_the_asked_for_actor_s_handler_comes_first_and_few_are_told():
    turns = [turn(path=f"/engine/{name}", began=DIED - age) for name, age in (("a", 9), ("b", 8), ("c", 7), ("d", 6))]
    told = story(CORE, events=[SIGKILLED], lives=[life(*turns, turn())], tree=tree())

    assert [one.path for one in told.handling] == [CORE, "/engine/a", "/engine/b"]
    assert "2 more handlers were running." in known(told)


def test_a_handler_that_began_after_the_death_belongs_to_another_life():
    told = story(events=[SIGKILLED], lives=[life(turn(began=DIED + 1.0), incarnation=4), life(turn())], tree=tree())

    assert [one.kind for one in told.handling] == ["RunMelody"]


def test_without_the_recording_of_that_life_nothing_is_made_up():
    told = story(events=[SIGKILLED], lives=[life(turn(), incarnation=9)], tree=tree())

    assert told.handling == ()
    assert "handling" not in known(told)


def test_a_crash_shows_the_stacks_that_the_interpreter_wrote():
    told = story(events=[exited(ENGINE, signal="SIGSEGV")], lives=[life(turn(), crash="Fatal Python error")], tree=tree())

    assert told.cause == "crashed"
    assert told.stack == "Fatal Python error"
    assert "crashed by SIGSEGV" in known(told)


@pytest.mark.parametrize("is_running", [True, False], ids=["from the tree", "from files"])
def test_a_hang_says_who_and_for_how_long_and_shows_the_stacks(is_running):
    why, stack = "/engine/core has handled RunMelody for 3.2 s", 'File "a.py", line 3'
    ended = ExitSnapshot("hung", signal="SIGKILL", at=timestamp(DIED), error=why, stack=stack)
    events = [
        event("node.hung", ENGINE, DIED - 0.2, actor=CORE, why=why, pid=1, maintenance=False),
        event("node.stacks_dumped", ENGINE, DIED - 0.1, stack=stack, problem=None),
        exited(ENGINE, reason="hung", signal="SIGKILL", error=why),
    ]
    told = story(events=events, lives=[life(turn(began=DIED - 3.2))], tree=tree(last_exit=ended) if is_running else None)

    assert (told.cause, told.stack) == ("hung", stack)
    assert f"hung, and was killed for it: {why}, at 00:01:30." in known(told)
    assert "because of /engine/core" in known(told)
    assert "It was handling RunMelody in /engine/core for 3.2 s." in known(told)
    assert "outside" not in known(told)


def test_a_failure_shows_its_error_its_traceback_and_the_message():
    events = [
        event("message.dead_lettered", CORE, message_type="RunMelody", reason="the actor failed on it: ValueError: no"),
        exited(CORE, reason="failed", error="ValueError: no"),
        event("actor.restarted", CORE, DIED + 0.01, incarnation=4, ready_ms=10.0),
    ]
    log = [
        {"event": "actor.failed", "path": CORE, "at": timestamp(DIED - 90.0), "exception": "an older one"},
        {"event": "actor.failed", "path": CORE, "at": timestamp(DIED), "exception": "Traceback …\nValueError: no"},
        {"event": "actor.failed", "path": CORE, "at": "no time", "exception": "x"},
    ]
    told = story(CORE, events=events, log=log, lives=[life(turn())], tree=tree())

    assert told.cause == "failed"
    assert told.traceback == "Traceback …\nValueError: no"
    assert "failed: ValueError: no" in known(told)
    assert "It failed on a message RunMelody." in known(told)
    assert told.handling == (), "its process did not end"


def test_a_parked_part_tells_its_limit_and_the_failures_that_used_it_up():
    events = [exited(ENGINE, DIED - age, incarnation=n, signal="SIGKILL") for n, age in ((1, 4.0), (2, 2.0), (3, 0.0))]
    events.append(event("actor.parked", ENGINE, DIED + 0.01, restarts=3))
    told = story(events=events, tree=tree(state="parked", pid=None, uptime_s=None))

    assert told.state == "parked"
    assert "It was parked at 00:01:30 after 2 restarts, as one more was more than its limit allows" in known(told)
    assert "allows 20 in 60 s" in known(told)
    assert "Before that: 2 ends in the minute before" in known(told)
    assert "`symphony restart /engine`" in known(told)
    assert len(told.earlier) == 2


def test_a_part_that_runs_again_is_not_said_to_be_parked():
    parked = event("actor.parked", ENGINE, DIED - 5.0, restarts=3)
    told = story(events=[exited(ENGINE, DIED - 5.0), parked, BACK], tree=tree())

    assert "parked" not in known(told)


def test_back_off_is_told():
    scheduled = event("actor.restart_scheduled", ENGINE, DIED + 0.01, delay_s=1.5)
    told = story(events=[SIGKILLED, scheduled], tree=tree(state="restarting"))

    assert "It backs off: the next try was to come 1.5 s after" in known(told)


def test_a_stop_is_no_mishap():
    told = story(events=[exited(ENGINE, reason="shutdown")])

    assert told.cause == "stopped"
    assert "was stopped" in known(told)
    assert "replaced" not in known(told)


def test_the_kernel_s_death_explains_everything_below_it():
    ended = ExitSnapshot("killed", signal="SIGKILL", at=timestamp(DIED))
    system = tree()
    system = structs.replace(system, root=structs.replace(system.root, last_exit=ended))
    told = story(CORE, events=[exited(CORE, DIED - 60.0, reason="failed", error="old")], lives=[life(turn())], tree=system)

    assert told.ended == "/"
    assert "The kernel, and every process with it, died by SIGKILL" in known(told)
    assert [one.kind for one in told.handling] == ["RunMelody"]


def test_a_kernel_s_death_is_told_by_the_next_kernel_also_when_that_is_gone():
    started = event("kernel.started", "/", DIED + 1.0, pid=2, reason="killed", signal="SIGSEGV", error=None, ended_at=DIED)
    told = story("/", events=[event("kernel.started", "/", DIED - 50.0, pid=1), started])

    assert (told.cause, told.ended, told.at) == ("crashed", "/", DIED)


def test_an_orderly_stop_of_everything_is_told():
    told = story("/", events=[event("kernel.stopped", "/", reason="shutdown", error=None)])

    assert told.cause == "stopped"


def test_after_an_orderly_stop_the_last_mishap_before_is_still_told():
    mishap = exited(ENGINE, DIED - 3600.0, reason="failed", error="ValueError: no")
    stops = [exited(ENGINE, DIED - 1.0, reason="shutdown"), event("kernel.stopped", "/", reason="shutdown", error=None)]
    told = story(events=[mishap, *stops])

    assert told.cause == "stopped"
    assert "Before that: /engine failed: ValueError: no at 2025-12-31 23:01:30." in known(told)


def test_one_end_told_by_an_event_and_by_the_tree_is_one():
    ended = ExitSnapshot("killed", signal="SIGKILL", at=timestamp(DIED + 0.002))
    told = story(events=[SIGKILLED], tree=tree(last_exit=ended))

    assert told.earlier == ()


def test_an_end_that_nobody_recorded_is_told_by_the_last_signs_of_life():
    lives = [life(turn(began=NOW - 20.0))]
    told = story(CORE, events=[event("actor.started", CORE, NOW - 50.0, incarnation=3)], lives=lives)

    assert told.cause == "none"
    assert "How it ended is not recorded." in known(told)
    assert "The last event about it is actor.started" in known(told)
    assert "It was handling RunMelody in /engine/core." in known(told)
    assert guessed(told)


@pytest.mark.parametrize(("path", "expected"), [(CORE, True), ("/engine/nobody", False)])
def test_who_left_any_sign_is_told_from_who_left_none(path, expected):
    notes = [Note(1, NOW, "state", "starting", CORE)]

    assert Evidence(path, ENGINE, NOW, None, [], [life(notes=notes)]).is_any is expected


def test_an_exit_of_a_kind_that_is_not_known_here_is_unknown():
    told = story(events=[exited(ENGINE, reason="melted")])

    assert told.cause == "unknown"
    assert "ended in an unknown way" in known(told)


def test_a_death_of_another_day_has_its_date():
    told = story(events=[exited(ENGINE, DIED - 86_400.0, signal="SIGKILL")])

    assert "at 2025-12-31 00:01:30." in known(told)
