"""Sequencer: blocks run in the written order, and no thread waits for a block that will not come."""

import asyncio
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.runtime.errors import UsageError
from actors.runtime.testing import BrokenSequenceError, Sequencer

PATIENCE_S = 10.0
SOON_S = 0.02


class Threads:
    """Runs functions in threads and keeps what they raise."""

    def __init__(self):
        self.errors = []
        self._threads = []

    def start(self, function, *args):
        def run():
            try:
                function(*args)
            except BaseException as error:  # whatever it is, the test wants to see it
                self.errors.append(error)

        self._threads.append(threading.Thread(target=run, name=f"runner-{len(self._threads)}", daemon=True))
        self._threads[-1].start()

    def join(self):
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture
def threads():
    return Threads()


@settings(max_examples=30)
@given(st.permutations(range(6)), st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_blocks_run_in_the_order_of_their_positions_however_threads_are_started_and_share_them(start_order, owners):
    """Each thread enters its own positions in rising order, as a program would; the threads start in any order."""
    seq, ran, threads = Sequencer(), [], Threads()

    def run(owner):
        for position in range(6):
            if owners[position] == owner:
                with seq(position):
                    ran.append(position)

    for owner in dict.fromkeys(owners[position] for position in start_order):
        threads.start(run, owner)
    threads.join()

    assert (ran, threads.errors) == (list(range(6)), [])


def test_a_block_does_not_begin_before_the_one_ahead_has_ended(threads):
    seq, inside, let_go, order = Sequencer(), threading.Event(), threading.Event(), []

    def first():
        with seq(0):
            inside.set()
            assert let_go.wait(PATIENCE_S)
            order.append("first ends")

    def second():
        with seq(1):
            order.append("second begins")

    threads.start(first)
    threads.start(second)
    assert inside.wait(PATIENCE_S)
    assert order == []
    let_go.set()
    threads.join()

    assert order == ["first ends", "second begins"]


@pytest.mark.parametrize("position", [-1, -100])
def test_a_negative_position_is_refused(position):
    with pytest.raises(UsageError, match="count from 0"):
        Sequencer()(position)


def test_a_position_is_given_out_once():
    seq = Sequencer()
    with seq(0):
        pass

    with pytest.raises(UsageError, match="position 0 has been used already"):
        seq(0)


def test_a_position_in_hand_is_entered_once():
    first = Sequencer()(0)
    with first:
        pass

    with pytest.raises(UsageError, match="position 0 has been used already"), first:
        pass


def test_a_wait_for_a_position_that_nobody_claims_ends_and_says_so():
    third = Sequencer(patience_s=SOON_S)(2)

    with pytest.raises(BrokenSequenceError, match=r"position 2 waited 0\.02 s for position 0, which nobody has claimed"), third:
        pass


def test_a_wait_for_a_position_that_was_claimed_and_not_entered_says_so():
    seq = Sequencer(patience_s=SOON_S)
    seq(0)

    with pytest.raises(BrokenSequenceError, match="for position 0, which has been claimed but not entered"), seq(1):
        pass


def test_a_wait_for_a_block_that_does_not_end_names_its_thread(threads):
    seq, inside, let_go = Sequencer(patience_s=SOON_S), threading.Event(), threading.Event()

    def first():
        with seq(0):
            inside.set()
            assert let_go.wait(PATIENCE_S)

    threads.start(first)
    assert inside.wait(PATIENCE_S)
    with pytest.raises(BrokenSequenceError, match="for position 0, which is still running in thread 'runner-0'"), seq(1):
        pass
    let_go.set()
    threads.join()


def test_a_block_that_raises_releases_those_who_wait_with_the_cause(threads):
    seq, broken = Sequencer(), ZeroDivisionError("the first block broke")

    def wait(position):
        with seq(position):
            raise AssertionError("unreachable")

    for position in (1, 2, 3):
        threads.start(wait, position)
    with pytest.raises(ZeroDivisionError), seq(0):
        raise broken
    threads.join()

    assert [type(error) for error in threads.errors] == [BrokenSequenceError] * 3
    assert all(error.__cause__ is broken and "position 0 raised" in str(error) for error in threads.errors)


def test_a_broken_sequence_stays_broken():
    seq = Sequencer()
    with pytest.raises(ZeroDivisionError), seq(0):
        raise ZeroDivisionError

    with pytest.raises(BrokenSequenceError, match="position 0 raised ZeroDivisionError"), seq(1):
        pass


def test_coroutines_and_threads_share_a_sequence(threads):
    seq, ran = Sequencer(), []

    def in_thread():
        with seq(0):
            ran.append(0)
        with seq(2):
            ran.append(2)

    async def in_coroutine(position):
        async with seq(position):
            ran.append(position)

    async def main():
        await asyncio.gather(in_coroutine(3), in_coroutine(1))

    threads.start(in_thread)
    asyncio.run(main())
    threads.join()

    assert (ran, threads.errors) == ([0, 1, 2, 3], [])


def test_a_coroutine_does_not_wait_for_ever_and_leaves_its_loop_clean():
    async def main():
        async with Sequencer(patience_s=SOON_S)(1):
            pass

    with pytest.raises(BrokenSequenceError, match=r"position 1 waited 0\.02 s for position 0"):
        asyncio.run(main())


def test_a_coroutine_that_is_cancelled_while_it_waits_breaks_the_sequence():
    seq = Sequencer()

    async def main():
        async def wait():
            async with seq(1):
                pass

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled()

    asyncio.run(main())

    with pytest.raises(BrokenSequenceError, match="position 1 stopped waiting for position 0"), seq(0):
        pass
