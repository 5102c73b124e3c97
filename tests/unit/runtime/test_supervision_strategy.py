"""What a supervisor does about an exit: restart type x exit reason, the window's edges, and the delays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime import Backoff, ChildSpec, SupervisorSpec
from actors.runtime.supervision.strategy import (
    Exhausted,
    Forget,
    History,
    Leave,
    Restart,
    after_exit,
    delay_of,
    within_window,
)

R, L, F = Restart(0.0), Leave(), Forget()
NEW = History((), (), 0, 0.0)
BACKOFF = Backoff(min=0.1, max=5.0, factor=2.0, jitter=1.0, healthy_after=10.0)


def judge(*, restart="permanent", reason="failed", history=NEW, now=100.0, chance=0.0, intensity=3, period=5.0):
    supervisor = SupervisorSpec("s", intensity=intensity, period=period)
    child = ChildSpec("c", "m:C", restart=restart, backoff=BACKOFF)
    return after_exit(supervisor, child, reason, history, now, chance)


@pytest.mark.parametrize(
    ("reason", "permanent", "transient", "temporary"),
    [
        ("normal", R, L, F),
        ("shutdown", R, L, F),
        ("failed", R, R, F),
        ("killed", R, R, F),
        ("start_failed", R, R, F),
        ("start_timeout", R, R, F),
        ("unknown", R, R, F),
    ],
)
def test_the_restart_type_decides_by_the_reason(reason, permanent, transient, temporary):
    assert judge(restart="permanent", reason=reason)[0] == permanent
    assert judge(restart="transient", reason=reason)[0] == transient
    assert judge(restart="temporary", reason=reason)[0] == temporary


@pytest.mark.parametrize("restart", ["transient", "temporary"])
def test_an_exit_that_restarts_nothing_leaves_no_mark_in_the_window(restart):
    history = History((99.0,), (), 2, 1.0)

    assert judge(restart=restart, reason="normal", history=history)[1] == history


@pytest.mark.parametrize(
    ("intensity", "earlier", "exhausted"),
    [(0, 0, True), (1, 0, False), (1, 1, True), (3, 2, False), (3, 3, True)],
)
def test_more_than_intensity_restarts_within_the_period_exhaust_it(intensity, earlier, exhausted):
    history = History((99.0,) * earlier, (), 0, 0.0)

    verdict, after = judge(history=history, intensity=intensity)

    assert verdict == (Exhausted(earlier + 1, "escalate") if exhausted else Restart(0.0))
    assert after.restarts == (*history.restarts, 100.0)


@pytest.mark.parametrize(("age", "counts"), [(0.0, True), (4.999, True), (5.0, True), (5.001, False)])
def test_a_restart_counts_while_it_is_no_older_than_the_period(age, counts):
    assert within_window((100.0 - age,), 5.0, 100.0) == ((100.0 - age,) if counts else ())


@given(
    ages=st.lists(st.floats(0, 20), max_size=12).map(lambda ages: sorted(ages, reverse=True)),
    intensity=st.integers(0, 6),
    period=st.floats(0.1, 10),
)
def test_it_is_exhausted_exactly_when_the_window_holds_more_than_intensity(ages, intensity, period):
    history = History(tuple(1000.0 - age for age in ages), (), 0, 0.0)

    verdict, after = judge(history=history, intensity=intensity, period=period, now=1000.0)

    inside = sum(1 for at in history.restarts if at >= 1000.0 - period)
    assert isinstance(verdict, Exhausted) == (inside + 1 > intensity)
    assert len(after.restarts) == min(inside, intensity) + 1, "no more is kept than it takes to pass the limit"


@pytest.mark.parametrize(
    ("failures", "expected"), [(1, 0.0), (2, 0.1), (3, 0.2), (4, 0.4), (7, 3.2), (8, 5.0), (9, 5.0), (10_000, 5.0)]
)
def test_the_first_restart_is_at_once_and_later_ones_wait_twice_as_long_each_up_to_a_limit(failures, expected):
    assert delay_of(BACKOFF, failures, 0.0) == pytest.approx(expected)


@given(
    failures=st.integers(0, 10**6),
    chance=st.floats(0, 1, exclude_max=True),
    low=st.floats(0, 10),
    more=st.floats(0, 100),
    factor=st.floats(1, 1e6),
    jitter=st.floats(0, 1),
)
def test_a_delay_is_never_negative_nor_above_the_limit_and_jitter_takes_its_share_at_most(
    failures, chance, low, more, factor, jitter
):
    backoff = Backoff(min=low, max=low + more, factor=factor, jitter=jitter)

    delay = delay_of(backoff, failures, chance)
    without_jitter = delay_of(backoff, failures, 0.0)

    assert 0 <= delay <= without_jitter <= backoff.max
    assert delay >= without_jitter * (1 - jitter) * 0.999999


@pytest.mark.parametrize(("ran_for_s", "failures"), [(0.0, 4), (9.999, 4), (10.0, 1), (1e9, 1)])
def test_a_child_that_ran_for_healthy_after_starts_afresh(ran_for_s, failures):
    assert judge(history=History((), (), 3, ran_for_s))[1].failures_in_a_row == failures
