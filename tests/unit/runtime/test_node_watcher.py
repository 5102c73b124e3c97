"""The watcher of the nodes outlives whatever goes wrong in what it calls, and says so where it cannot."""

import os
import queue

import pytest

from actors.runtime.node.watcher import FAILURES, Watcher

BOUND_S = 5.0


class Watched:
    """A watcher whose turns do what the test says, and a pipe for it to watch."""

    def __init__(self):
        self.turns = []
        self.failed = queue.SimpleQueue()
        self.read_end, self.write_end = os.pipe()
        self.watcher = Watcher(self._turn, self.failed.put)
        self.watcher.begin()

    def _turn(self):
        if self.turns:
            raise self.turns.pop()

    def result_of(self, job):
        """Give what `job` gives on the watcher's thread."""
        results = queue.SimpleQueue()
        self.watcher.call(lambda: results.put(job()))
        return results.get(timeout=BOUND_S)

    def close(self):
        self.watcher.close()
        os.close(self.read_end)
        os.close(self.write_end)


@pytest.fixture
def watched():
    watched = Watched()
    yield watched
    watched.close()


def test_a_call_that_raises_costs_no_other_its_turn(watched):
    heard = queue.SimpleQueue()

    def hear(_events):
        heard.put(os.read(watched.read_end, 1))
        raise OSError(24, "Too many open files")

    watched.result_of(lambda: watched.watcher.watch(watched.read_end, hear))
    os.write(watched.write_end, b"a")
    assert heard.get(timeout=BOUND_S) == b"a"
    os.write(watched.write_end, b"b")

    assert heard.get(timeout=BOUND_S) == b"b"
    assert watched.failed.empty()


def test_turns_that_fail_are_tried_again(watched):
    watched.turns += [RuntimeError("can't start new thread")] * (FAILURES - 1)
    watched.watcher.wake()

    assert watched.result_of(lambda: "here") == "here"
    assert watched.failed.empty()


def test_a_watcher_of_which_every_turn_fails_says_that_it_is_no_more(watched):
    watched.turns += [RuntimeError("can't start new thread")] * FAILURES
    watched.watcher.wake()

    reason = watched.failed.get(timeout=BOUND_S)

    assert reason == f"{FAILURES} turns in a row have failed, the last by RuntimeError: can't start new thread"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_watcher_whose_thread_is_ended_from_inside_says_so(watched):
    watched.turns.append(SystemExit(1))
    watched.watcher.wake()

    assert watched.failed.get(timeout=BOUND_S) == "SystemExit: 1"


def test_a_watcher_that_is_closed_has_not_failed_and_wakes_nobody(watched):
    watched.watcher.close()

    watched.watcher.wake()
    watched.watcher.call(lambda: None)

    assert watched.failed.empty()
