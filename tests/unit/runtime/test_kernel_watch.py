"""A kernel that does not answer is hung; one whose warden was away meanwhile is not."""

from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.warden.kernel_watch import FIRST_ANSWER_S, KernelWatch


def asked(watch, times):
    return [now for now in times if watch.turn(now)]


def test_it_asks_once_and_again_when_it_was_answered_and_the_time_has_come():
    watch = KernelWatch(every_s=1.0)

    assert asked(watch, [0.0, 0.5, 1.0]) == [0.0]
    watch.answered()
    assert asked(watch, [1.0, 1.5]) == [1.0]
    watch.answered()
    assert asked(watch, [1.5, 2.0]) == [2.0]


def test_silence_for_too_long_is_a_hang():
    watch = KernelWatch(answer_s=5.0)
    watch.turn(0.0)
    watch.answered()
    asked(watch, range(1, 7))

    assert not watch.is_hung(6.0)
    assert watch.is_hung(6.1)


def test_the_first_answer_may_take_longer_because_a_kernel_imports_before_it():
    watch = KernelWatch(answer_s=5.0)
    asked(watch, range(round(FIRST_ANSWER_S) + 1))

    assert not watch.is_hung(FIRST_ANSWER_S)
    assert watch.is_hung(FIRST_ANSWER_S + 0.1)


@given(st.floats(2.5, 1e6), st.floats(0, 1))
def test_a_pause_of_the_warden_is_no_hang_of_the_kernel(pause, after):
    watch = KernelWatch(answer_s=5.0)
    watch.turn(0.0)
    watch.answered()
    watch.turn(1.0)
    watch.turn(1.0 + pause)

    assert not watch.is_hung(1.0 + pause + after)
