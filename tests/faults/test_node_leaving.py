"""A node that has said how it ended is gone soon, whatever keeps it, and one whose main thread fails says so."""

import psutil
import pytest

from tests.support.leaving import LeavesBadly
from tests.support.wardens import wait_until

BOUND_S = 10.0
NODE = "/leaver"


@pytest.fixture
def leaver(system):
    return system.spawn(LeavesBadly, name="leaver", process=True)


@pytest.mark.parametrize("what", ["be", "print_to_nobody", "print_to_a_reader_that_does_not_read", "never_leave"])
def test_a_node_that_has_said_its_last_words_is_gone_soon_and_is_replaced(events, leaver, what):
    pid = leaver.ask(what)
    leaver.tell("fail")

    ended = events.expect("actor.exited", timeout=BOUND_S)
    assert (ended.path, ended.fields["reason"], ended.fields["error"]) == (NODE, "failed", "RuntimeError: as asked")
    assert events.expect("actor.restarted", timeout=BOUND_S)
    assert wait_until(lambda: not psutil.pid_exists(pid), BOUND_S)
    assert leaver.ask("be") != pid


def test_a_fault_of_a_node_s_main_thread_is_told_as_its_end(system, events, leaver):
    leaver.ask("break_the_main_thread")
    system.restart("leaver")

    ended = events.expect("actor.exited", timeout=BOUND_S)
    assert ended.fields["reason"] == "failed"
    assert ended.fields["error"] == "LookupError: a fault of the main thread"
