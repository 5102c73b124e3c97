"""Signals become something to read, and what was there before is there again afterwards."""

import os
import select
import signal

from actors.runtime.warden.signal_inbox import SignalInbox


def test_signals_are_read_in_the_order_in_which_they_came():
    with SignalInbox((signal.SIGUSR1, signal.SIGUSR2)) as inbox:
        assert inbox.take() == []
        for number in (signal.SIGUSR2, signal.SIGUSR1):
            os.kill(os.getpid(), number)

        assert select.select([inbox], [], [], 5.0)[0] == [inbox]
        assert inbox.take() == [signal.SIGUSR2, signal.SIGUSR1]
        assert inbox.take() == []


def test_afterwards_handlers_and_the_wakeup_descriptor_are_as_before():
    before = signal.getsignal(signal.SIGUSR1)
    with SignalInbox((signal.SIGUSR1,)):
        assert signal.getsignal(signal.SIGUSR1) is not before

    assert signal.getsignal(signal.SIGUSR1) is before
    assert signal.set_wakeup_fd(-1) == -1
