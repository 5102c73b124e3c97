"""How actors start, fail and stop."""

import threading

import pytest

from actors.runtime import ActorSystem
from actors.runtime.testing import EventProbe, FakeClock
from tests.support.pykka_programs.differences import IMPATIENT_S, both, outcome, patience, wait_until_told_to_stop
from tests.support.pykka_programs.runtimes import BOUND_S, HERE, PYKKA


@both(on_pykka="ActorRef", here="UsageError")
def test_start_in_a_thread_of_ones_own(account, expected):
    found = []
    thread = threading.Thread(target=lambda: found.append(outcome(lambda: type(account.start()).__name__)))
    thread.start()
    thread.join(BOUND_S)

    assert found == [expected]


@both(on_pykka="ActorRef", here="ValueError")
def test_an_exception_in_on_start_and_the_starter(runtime, block, expected):
    class Broken(runtime.ThreadingActor):
        def on_start(self):
            raise ValueError("broken")

    assert outcome(lambda: type(Broken.start()).__name__) == expected


@both(on_pykka=[], here=["on_failure"])
def test_an_exception_in_on_start_and_the_hook(runtime, block, expected):
    heard, failing = [], threading.Event()

    class Broken(runtime.ThreadingActor):
        def on_start(self):
            failing.set()
            raise ValueError("broken")

        def on_failure(self, *_):
            heard.append("on_failure")

    ref = outcome(Broken.start)
    if runtime is PYKKA:
        assert ref.actor_stopped.wait(BOUND_S)

    assert failing.is_set()
    assert heard == expected


@both(on_pykka=5, here="AskCycleError")
def test_an_on_start_that_asks_who_starts_it(runtime, block, expected):
    class Child(runtime.ThreadingActor):
        seen = None

        def __init__(self, parent):
            super().__init__()
            self._parent = parent

        def on_start(self):
            self.seen = self._parent.value().get()

    class Parent(runtime.ThreadingActor):
        def value(self):
            return 5

        def grow(self):
            return outcome(lambda: Child.start(self.actor_ref.proxy()))

    child = Parent.start().proxy().grow().get()

    assert (child if isinstance(child, str) else child.proxy().seen.get(timeout=BOUND_S)) == expected


@both(on_pykka=True, here=False)
def test_the_thread_that_init_runs_on(runtime, block, expected):
    class Curious(runtime.ThreadingActor):
        def __init__(self):
            super().__init__()
            self.made_on = threading.get_ident()

    assert (Curious.start().proxy().made_on.get() == threading.get_ident()) is expected


@both(on_pykka="AttributeError", here=None)
def test_an_init_that_does_not_call_its_base(runtime, block, expected):
    class Hasty(runtime.ThreadingActor):
        def __init__(self):
            pass

    assert outcome(lambda: Hasty.start().tell("x")) == expected


@both(on_pykka=("LookupError", True), here=("ActorFailedError", False))
def test_an_exception_in_an_ask(account, expected):
    ref = account.start()

    heard = outcome(lambda: ref.ask(LookupError("x")))
    lives_on = outcome(lambda: ref.proxy().add(3).get()) == 3

    assert (heard, lives_on) == expected


@pytest.mark.parametrize("runtime", [HERE], ids=["here"])
def test_after_a_failure_a_spawned_actor_is_back_and_goes_on_with_its_mailbox(account, block):
    """Pykka has no way to say so; a started one is gone on both (`errors_in_tells`)."""
    ref = block.spawn(account, name="account")
    ref.tell(ValueError("x"))

    assert ref.proxy().add(5).get() == 5


@both(on_pykka=("Timeout", False), here=("ActorFailedError", True))
def test_a_base_exception_in_a_handler(runtime, block, account, expected):
    stopped = threading.Event()

    class Bystander(runtime.ThreadingActor):
        def on_stop(self):
            stopped.set()

    bystander = Bystander.start()
    answer = account.start().ask(KeyboardInterrupt(), block=False)
    heard = outcome(lambda: answer.get(timeout=patience(runtime)))
    if runtime is PYKKA:
        assert stopped.wait(BOUND_S)

    assert (heard, bystander.is_alive()) == expected


@both(on_pykka=True, here=False)
def test_where_a_failure_is_logged(runtime, block, account, caplog, expected):
    ref = account.start()
    events = EventProbe(block.events) if runtime is HERE else None
    ref.tell(ValueError("broken"))
    ref.stop()

    assert any(record.name == "pykka" for record in caplog.records) is expected
    if events is not None:
        assert events.expect("actor.exited", ref.path).fields["reason"] == "failed"
        events.close()


@both(on_pykka=["first", "a", "b"], here=["first"])
def test_the_end_of_everything_and_what_waits(runtime, block, gated, gate, expected):
    for message in ("a", "b"):
        gated.tell(message)
    handled = gated.handled
    if runtime is PYKKA:
        ends = block.stop_all(block=False)
        gate.open()
        assert ends[-1].get(timeout=BOUND_S)
    else:
        end = block.begin_stop()
        wait_until_told_to_stop(gated.ref)
        gate.open()
        end.get(BOUND_S)

    assert handled == expected


@both(on_pykka="Timeout", here="left behind")
def test_the_end_of_everything_and_who_is_busy(runtime, gate, expected):
    class Busy(runtime.ThreadingActor):
        def on_receive(self, _):
            gate.wait()

    clock = FakeClock()
    with PYKKA.block() if runtime is PYKKA else ActorSystem("busy", clock=clock) as block:
        ref = Busy.start()
        ref.tell("hold")
        assert gate.reached.wait(BOUND_S)
        if runtime is PYKKA:
            ended = outcome(lambda: block.stop_all(block=False)[-1].get(timeout=IMPATIENT_S))
        else:
            end = block.begin_stop()
            wait_until_told_to_stop(ref)
            clock.advance(2.0)
            # The timers of a system with threads do not listen to a clock: a new appointment makes them look at it.
            block._parts.timers.call_later(-1.0, lambda: None)
            end.get(BOUND_S)
            ended = "left behind"
        gate.open()

    assert ended == expected


@both(on_pykka=False, here=True)
def test_whether_the_program_ends_with_an_actor_alive(account, expected):
    assert account.start().proxy().thread().get().daemon is expected


@both(on_pykka="Chatty", here="SpecError")
def test_class_attributes_with_a_meaning(runtime, expected):
    assert outcome(lambda: type("Chatty", (runtime.ThreadingActor,), {"messages": ["hello"]}).__name__) == expected
