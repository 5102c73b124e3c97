"""Which processes have been silent for too long: never one that beats, always one that does not, whoever else is paused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.supervision.liveness import LATE_S, TICK_S, Liveness, Silence
from actors.runtime.supervision.own_time import OwnTime

TIMEOUT_S = 1.0


class Watcher:
    """A watcher that ticks on time unless it is paused, and nodes that beat unless they hang; beats wait while it is paused."""

    def __init__(self, nodes, timeout_s=TIMEOUT_S):
        self.now = 100.0
        self.liveness = Liveness()
        self.beating = set(nodes)
        self.lost = []
        self.silent = []
        for node in nodes:
            self.liveness.watch(node, timeout_s, self.now)

    def run(self, seconds):
        for _ in range(round(seconds / TICK_S)):
            self.now += TICK_S
            self._read()
            self._tick()

    def pause(self, seconds, *, ticks_first):
        self.now += seconds
        for step in (self._tick, self._read) if ticks_first else (self._read, self._tick):
            step()

    def _read(self):
        for node in self.beating:
            self.liveness.beat(node, self.now)

    def _tick(self):
        tick = self.liveness.tick(self.now)
        self.liveness.check_invariants()
        if tick.lost_s > 0:
            self.lost.append(tick.lost_s)
        self.silent += [silence.key for silence in tick.silent]


def test_one_that_beats_is_not_silent():
    watcher = Watcher(["/a"])

    watcher.run(60)

    assert (watcher.silent, watcher.lost) == ([], [])


def test_one_that_stops_beating_is_told_once_when_its_time_is_over():
    watcher = Watcher(["/a", "/b"])
    watcher.beating = {"/b"}

    watcher.run(TIMEOUT_S)
    assert watcher.silent == []
    watcher.run(2 * TICK_S)
    assert watcher.silent == ["/a"]
    watcher.run(60)
    assert watcher.silent == ["/a"]


def test_one_that_is_heard_again_may_become_silent_again():
    watcher = Watcher(["/a"])
    watcher.beating = set()
    watcher.run(2)
    watcher.beating = {"/a"}
    watcher.run(2)
    watcher.beating = set()
    watcher.run(2)

    assert watcher.silent == ["/a", "/a"]


def test_a_watcher_that_was_paused_for_ten_seconds_says_so_and_blames_nobody():
    watcher = Watcher(["/a"])
    watcher.run(1)

    watcher.pause(10.0, ticks_first=True)
    watcher.run(5)

    assert watcher.silent == []
    assert watcher.lost == [pytest.approx(10.0 - LATE_S)]


def test_a_watcher_that_was_paused_still_finds_who_hung_meanwhile():
    watcher = Watcher(["/a"])
    watcher.run(1)
    watcher.beating = set()

    watcher.pause(10.0, ticks_first=True)
    assert watcher.silent == []
    watcher.run(TIMEOUT_S + 2 * TICK_S)

    assert watcher.silent == ["/a"]


def test_on_a_starved_machine_where_every_tick_is_late_a_node_that_beats_lives_and_one_that_hangs_is_found():
    watcher = Watcher(["/busy", "/hung"])
    watcher.beating = {"/busy"}

    for _ in range(10):
        watcher.pause(3.0, ticks_first=False)

    assert watcher.silent == ["/hung"]


def test_one_that_is_forgotten_is_not_missed():
    watcher = Watcher(["/a", "/b"])
    watcher.beating = set()
    watcher.liveness.forget("/a")

    watcher.run(3)

    assert watcher.silent == ["/b"]


def test_time_in_which_nobody_was_watched_is_not_lost():
    watcher = Watcher(["/a"])
    watcher.liveness.forget("/a")
    assert watcher.liveness.due_in(watcher.now) is None
    watcher.now += 3600

    watcher.liveness.watch("/a", TIMEOUT_S, watcher.now)
    watcher.run(3)

    assert (watcher.silent, watcher.lost) == ([], [])


def test_a_tick_before_its_time_looks_at_nothing():
    liveness = Liveness()
    liveness.watch("/a", 0.01, 100.0)

    assert liveness.tick(100.0 + TICK_S / 2).silent == ()
    assert liveness.due_in(100.0 + TICK_S / 2) == pytest.approx(TICK_S / 2)
    assert liveness.tick(100.0 + TICK_S).silent == (Silence("/a", pytest.approx(TICK_S)),)


PAUSES = st.tuples(st.floats(0.0, 30.0), st.booleans())
HISTORY = st.lists(st.one_of(st.integers(1, 20), PAUSES), max_size=30)


def live(watcher, history):
    for step in history:
        if isinstance(step, int):
            watcher.run(step * TICK_S)
        else:
            watcher.pause(step[0], ticks_first=step[1])


@given(HISTORY)
def test_whatever_pauses_the_watcher_has_one_that_beats_is_never_silent(history):
    watcher = Watcher(["/a"])

    live(watcher, history)

    assert watcher.silent == []


@given(HISTORY, HISTORY)
def test_whatever_pauses_there_were_one_that_hangs_is_found_once_within_the_watchers_own_time(before, after):
    watcher = Watcher(["/a", "/b"])
    live(watcher, before)
    watcher.beating = {"/b"}
    live(watcher, after)

    watcher.run(TIMEOUT_S + 3 * TICK_S)

    assert watcher.silent == ["/a"]


@given(st.lists(st.floats(-10.0, 1e6), max_size=50), st.floats(0.01, 10.0))
def test_own_time_neither_goes_back_nor_outruns_the_clock(nows, most_s):
    """Also where a clock that must not go back does."""
    time = OwnTime(0.0, most_s)
    last = latest = lost = 0.0
    for now in nows:
        assert last <= time.at(now) <= last + most_s
        lost += time.look(now)
        latest = max(latest, now)
        last = time.at(now)
        assert last + lost == pytest.approx(latest, abs=1e-3)
