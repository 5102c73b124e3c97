"""The block that a test's actors live in, and actors that every test may use, of whichever runtime."""

import threading

import pytest

from tests.support.pykka_programs.runtimes import BOUND_S


@pytest.fixture
def block(runtime):
    with runtime.block() as block:
        yield block


@pytest.fixture
def account(runtime, block):
    class Account(runtime.ThreadingActor):
        total = 0

        def on_receive(self, message):
            if isinstance(message, Exception | KeyboardInterrupt):
                raise message
            return super().on_receive(message)

        def add(self, amount):
            self.total += amount
            return self.total

        def thread(self):
            return threading.current_thread()

    return Account


class Gated:
    """A ref to an actor that has the message `first` in hand; it keeps what it handles."""

    def __init__(self, ref, handled):
        self.ref, self.handled = ref, handled
        self.tell, self.ask, self.proxy = ref.tell, ref.ask, ref.proxy


@pytest.fixture
def gated(runtime, block, gate):
    class Holding(runtime.ThreadingActor):
        def __init__(self, handled):
            super().__init__()
            self.handled = handled

        def on_receive(self, message):
            self.handled.append(message)
            if message == "first":
                gate.wait()

    handled = []
    ref = Holding.start(handled)
    ref.tell("first")
    assert gate.reached.wait(BOUND_S)
    yield Gated(ref, handled)
    gate.open()
