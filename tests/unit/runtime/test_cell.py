"""One actor: the order of its messages, what becomes of errors and failures, and what a stop leaves to nobody."""

import threading

import pytest

from actors.runtime import Actor, ActorSystem
from actors.runtime.errors import (
    ActorFailedError,
    AskTimeoutError,
    RejectedError,
    TerminatedError,
)
from actors.runtime.future import Future
from actors.runtime.testing import EventProbe, TestProbe

KINDS = ["shared", "pinned", "async"]


class Worker(Actor):
    """Keeps what it is sent; a callable is called with the actor, and may raise, wait or answer."""

    expected_errors = (KeyError,)

    def __init__(self, log=None):
        self.log = [] if log is None else log

    def on_start(self):
        self.log.append(("started", self.context.incarnation))

    def on_stop(self):
        self.log.append(("stopped", self.context.incarnation))

    def on_failure(self, kind, value, traceback):
        self.log.append(("failed", self.context.incarnation, kind.__name__))

    def on_receive(self, message):
        if callable(message):
            return message(self)
        self.log.append(message)
        return list(self.log)


def fail(error):
    def handler(_):
        raise error

    return handler


def messages_of(log):
    return [entry for entry in log if not isinstance(entry, tuple)]


@pytest.mark.parametrize("kind", KINDS)
def test_messages_of_one_sender_are_handled_in_order_tells_and_asks_together(system, kind):
    ref = system.spawn(Worker, name="w", dispatcher=kind)
    futures = []
    for number in range(300):
        if number % 3:
            ref.tell(number)
        else:
            futures.append(ref.ask(number, block=False))

    assert messages_of(futures[-1].get(10)) == list(range(298))
    assert all(future.is_resolved() for future in futures)
    assert messages_of(ref.ask(lambda worker: worker.log)) == list(range(300))


@pytest.mark.parametrize("kind", KINDS)
def test_an_expected_error_answers_the_asker_and_the_actor_lives_on(system, kind):
    ref = system.spawn(Worker, name="w", dispatcher=kind)

    with pytest.raises(KeyError, match="declared"):
        ref.ask(fail(KeyError("declared")))

    assert ref.ask(1) == [("started", 1), 1]


def test_an_expected_error_that_nobody_asked_for_is_an_event(system, events):
    ref = system.spawn(Worker, name="w")

    ref.tell(fail(KeyError("declared")))

    assert events.expect("actor.error_unobserved", "/w").fields["error"] == "KeyError: 'declared'"
    assert ref.ask(1) == [("started", 1), 1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_answers_the_asker_with_its_cause_and_the_actor_is_restarted(system, events, kind):
    log = []
    ref = system.spawn(Worker, name="w", args=(log,), dispatcher=kind)

    with pytest.raises(ActorFailedError, match="/w failed on function: ValueError: undeclared") as raised:
        ref.ask(fail(ValueError("undeclared")))

    assert isinstance(raised.value.__cause__, ValueError)
    events.expect("actor.exited", "/w", incarnation=1, reason="failed", error="ValueError: undeclared")
    events.expect("actor.restarted", "/w", incarnation=2)
    assert ref.ask("after")[:3] == [("started", 1), ("failed", 1, "ValueError"), ("started", 2)]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()], ids=repr)
@pytest.mark.parametrize("kind", KINDS)
def test_a_base_exception_fails_that_actor_and_nobody_else(system, events, kind, error):
    """In Pykka it stops every actor of the process, and the asker waits for ever."""
    bad, good = (system.spawn(Worker, name=name, dispatcher=kind) for name in ("bad", "good"))

    with pytest.raises(ActorFailedError, match=type(error).__name__):
        bad.ask(fail(error))

    events.expect("actor.restarted", "/bad", incarnation=2)
    assert good.ask(1) == [("started", 1), 1]
    assert bad.ask(1)[-1] == 1


def test_the_message_in_hand_at_a_failure_is_a_dead_letter_and_is_not_handled_again(system, events):
    log = []
    ref = system.spawn(Worker, name="w", args=(log,))

    ref.tell(fail(ValueError("poison")))

    events.expect("actor.restarted", "/w", incarnation=2)
    (letter,) = system.dead_letters.snapshot()
    assert letter.path == "/w"
    assert letter.reason == "the actor failed on it: ValueError: poison"
    assert log.count(("started", 2)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_messages_that_wait_at_a_failure_are_kept_for_the_next_life_in_order(system, gate, kind):
    log = []
    ref = system.spawn(Worker, name="w", args=(log,), dispatcher=kind)
    ref.tell(lambda _: gate.wait())
    assert gate.reached.wait(5)
    ref.tell(fail(ValueError("poison")))
    for number in range(100):
        ref.tell(number)
    gate.open()

    assert messages_of(ref.ask("last")) == [*range(100), "last"]
    assert log.index(0) > log.index(("started", 2))


def test_an_on_failure_that_fails_changes_nothing(system, events):
    class Clumsy(Worker):
        def on_failure(self, *_):
            raise RuntimeError("also")

    ref = system.spawn(Clumsy, name="w")

    with pytest.raises(ActorFailedError, match="first"):
        ref.ask(fail(ValueError("first")))

    events.expect("actor.restarted", "/w", incarnation=2)
    assert ref.ask(1)[-1] == 1


def test_an_on_stop_that_fails_is_reported_and_the_actor_is_stopped_all_the_same(system, events):
    class Clumsy(Worker):
        def on_stop(self):
            raise RuntimeError("cannot let go")

    system.spawn(Clumsy, name="w")
    system.remove("w")

    events.expect("actor.stop_failed", "/w", error="RuntimeError: cannot let go")
    events.expect("actor.exited", "/w", reason="shutdown")
    assert system.snapshot().root.find("/w") is None


def test_a_message_whose_deadline_has_passed_is_not_handled(clock, gate):
    log = []
    system = ActorSystem("test", clock=clock)
    try:
        ref = system.spawn(Worker, name="w", args=(log,))
        ref.tell(lambda _: gate.wait())
        assert gate.reached.wait(5)
        late = ref.ask("late", timeout=5, block=False)
        in_time = ref.ask("in time", timeout=50, block=False)
        clock.advance(10)
        gate.open()

        in_time.get(5)
        assert messages_of(log) == ["in time"]
        with pytest.raises(AskTimeoutError):
            late.get(0)
    finally:
        system.stop(10)


def test_an_ask_that_gets_no_answer_times_out_while_the_handler_is_still_at_it(system, gate):
    ref = system.spawn(Worker, name="w")
    future = ref.ask(lambda _: gate.wait() or "late", timeout=0.05, block=False)

    with pytest.raises(AskTimeoutError, match=r"/w did not answer within 0\.05 s"):
        future.get(5)

    gate.open()
    assert ref.ask(1)[-1] == 1
    assert isinstance(future.error(), AskTimeoutError)


def test_a_stop_answers_the_asks_that_wait_and_makes_the_tells_dead_letters(system, supervisor, gate):
    log = []
    ref = system.spawn(Worker, name="w", args=(log,))
    in_hand = ref.ask(lambda _: gate.wait() or "done", block=False)
    assert gate.reached.wait(5)
    waiting = [ref.ask(number, block=False) for number in range(3)]
    ref.tell("lost")
    gone = supervisor.remove("w")
    system.spawn(Worker, name="barrier")
    gate.open()
    gone.get(5)

    assert in_hand.get(5) == "done"
    for future in waiting:
        with pytest.raises(TerminatedError, match="/w ended before it handled int"):
            future.get(5)
    assert [letter.message for letter in system.dead_letters.snapshot()] == ["'lost'"]
    assert log == [("started", 1), ("stopped", 1)]


def test_a_full_mailbox_refuses_and_the_sender_can_see_it(system, gate):
    class Small(Worker):
        mailbox_capacity = 2

    ref = system.spawn(Small, name="w")
    ref.tell(lambda _: gate.wait())
    assert gate.reached.wait(5)
    ref.tell(1)
    last = ref.ask(2, block=False)

    with pytest.raises(RejectedError, match=r"/w: the mailbox is full \(2 messages wait\)"):
        ref.tell(3)
    with pytest.raises(RejectedError):
        ref.ask(4)

    gate.open()
    assert messages_of(last.get(5)) == [1, 2]


def test_an_actor_that_stops_itself_is_restarted_if_permanent_and_handles_messages_again(system, events):
    ref = system.spawn(Worker, name="w")

    ref.tell(lambda worker: worker.stop())

    events.expect("actor.exited", "/w", reason="shutdown")
    events.expect("actor.restarted", "/w", incarnation=2)
    assert ref.ask("after") == [("started", 2), "after"]


def test_a_transient_actor_that_stops_itself_stays_away_until_it_is_restarted(system, events):
    ref = system.spawn(Worker, name="w", restart="transient")
    ref.tell(lambda worker: worker.stop())
    events.expect("actor.exited", "/w", reason="shutdown")
    with pytest.raises(TerminatedError):
        ref.ask(1)

    system.restart("w")

    assert ref.ask("after") == [("started", 2), "after"]


def test_an_actor_may_fail_itself_from_another_thread(system, events):
    ref = system.spawn(Worker, name="w")
    context = ref.ask(lambda worker: worker.context)

    context.fail(OSError("the wire broke"))

    events.expect("actor.exited", "/w", reason="failed", error="OSError: the wire broke")
    assert ref.ask(1)[-1] == 1


def test_the_sender_of_a_message_is_known(system, events):
    silent = system.spawn(Actor, name="silent")

    class Teller(Actor):
        def on_receive(self, message):
            silent.tell(message)

    system.spawn(Teller, name="teller").tell("x")
    events.expect("actor.error_unobserved", "/silent", message_type="str")
    silent.tell(fail)
    system.remove("silent")
    with pytest.raises(Exception, match="nobody lives at /silent"):
        silent.tell("late")


def test_a_reply_that_resolves_a_future_with_a_broken_callback_leaves_the_dispatcher_whole(system):
    """A user's callback runs on the thread that serves every shared actor."""
    ref = system.spawn(Worker, name="w")
    for _ in range(4):
        future = ref.ask(1, block=False)
        future.add_done_callback(lambda _: 1 / 0)
        future.get(5)

    assert ref.ask(lambda _: "still served") == "still served"


def test_every_ask_resolves_however_many_threads_ask_while_the_actor_fails_and_is_removed(system):
    """The one bug that every actor runtime has had."""
    ref = system.spawn(Worker, name="w")
    futures, started = [], threading.Barrier(4)

    def ask():
        started.wait(5)
        messages = [number if number % 50 else fail(ValueError("now and then")) for number in range(200)]
        futures.extend(ref.ask(message, block=False) for message in messages)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait(5)
    system.remove("w")
    for thread in threads:
        thread.join(10)

    assert len(futures) == 600
    for future in futures:
        assert future.error() is not None or future.get(10) is not None


@pytest.mark.parametrize("kind", ["shared", "pinned"])
def test_an_ask_to_a_handler_that_hangs_resolves_when_the_system_is_closed(kind, gate):
    system = ActorSystem("test")
    ref = system.spawn(Worker, name="w", dispatcher=kind)
    bounded = ref.ask(lambda _: gate.wait(), timeout=60, block=False)
    assert gate.reached.wait(5)
    unbounded = ref.ask(1, timeout=None, block=False)
    in_hand = ref.ask(2, timeout=60, block=False)

    system.close()

    for future in (bounded, unbounded, in_hand):
        assert isinstance(future, Future)
        with pytest.raises(TerminatedError):
            future.get(5)
    gate.open()


def test_a_probe_and_events_work_as_documented(system, probe):
    """They are what every test here stands on."""
    probe.expect_none()
    probe.ref.tell("a")
    probe.ref.tell(2)

    with probe.within(5):
        assert probe.expect(str) == "a"
        assert probe.expect(2) == 2
    with pytest.raises(AssertionError, match=r"got nothing within 0\.010 s"):
        probe.expect(timeout=0.01)
    probe.ref.tell("b")
    with pytest.raises(AssertionError, match="got 'b', where 'c' was due"):
        probe.expect("c")
    probe.ref.tell("d")
    with pytest.raises(AssertionError, match="got 'd', where nothing was due"):
        probe.expect_none()
    follower = EventProbe(system.events)
    TestProbe(system, "other")
    assert follower.expect("actor.started", "/other").fields["incarnation"] == 1
    with pytest.raises(AssertionError, match=r"no actor\.exited"):
        follower.expect("actor.exited", timeout=0.01)
    follower.close()
