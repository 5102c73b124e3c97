"""An idle actor that allows it runs on the thread of whoever asks: never two at a time, never overtaking, to a limited depth."""

import asyncio
import signal
import threading

import pytest

from actors.runtime import Actor
from actors.runtime.current import current_activity
from actors.runtime.errors import ActorFailedError, AskTimeoutError, RejectedError, UsageError
from actors.runtime.future import Future
from actors.runtime.inline import MAX_DEPTH

PATIENCE_S = 10.0


class Where(Actor):
    """Says on which thread it runs."""

    inline = True

    def on_receive(self, message):
        return threading.get_ident()


def test_an_idle_actor_runs_on_the_askers_thread(system):
    ref = system.spawn(Where, name="where")

    assert ref.ask("where") == threading.get_ident()


def test_an_actor_that_does_not_allow_it_runs_on_another_thread(system):
    class Elsewhere(Where):
        inline = False

    assert system.spawn(Elsewhere, name="elsewhere").ask("where") != threading.get_ident()


def test_an_ask_that_is_not_waited_for_and_a_tell_run_on_another_thread(system):
    ref = system.spawn(Where, name="where")

    assert ref.ask("where", block=False).get(PATIENCE_S) != threading.get_ident()


def test_on_the_thread_of_an_event_loop_nothing_runs_inline(system):
    ref = system.spawn(Where, name="where")

    async def ask():
        with pytest.raises(UsageError, match="await"):
            ref.ask("where")
        return await ref.ask("where", block=False)

    assert asyncio.run(ask()) != threading.get_ident()


def test_an_actor_that_is_busy_is_asked_the_ordinary_way_and_never_runs_twice_at_once(system, gate):
    class Busy(Where):
        def on_receive(self, message):
            if message == "wait":
                gate.wait()
            return super().on_receive(message)

    ref = system.spawn(Busy, name="busy")
    ref.tell("wait")
    assert gate.reached.wait(PATIENCE_S)
    with pytest.raises(AskTimeoutError):
        ref.ask("where", timeout=0.01)

    gate.open()

    assert ref.ask("last", timeout=PATIENCE_S)


def test_an_inline_ask_overtakes_no_message_of_the_same_sender(system):
    class Log(Actor):
        inline = True

        def __init__(self):
            self.seen = []

        def on_receive(self, message):
            self.seen.append(message)
            return list(self.seen)

    ref = system.spawn(Log, name="log")
    for number in range(200):
        ref.tell(number)
        if number % 7 == 0:
            assert ref.ask("look")[-2:] == [number, "look"]


def test_messages_sent_while_an_actor_runs_inline_are_handled_after_it(system):
    class Teller(Actor):
        inline = True

        def __init__(self):
            self.seen = []

        def on_receive(self, message):
            if message == "begin":
                self.context.ref.tell("sent meanwhile")
            self.seen.append(message)
            return list(self.seen)

    ref = system.spawn(Teller, name="teller")

    assert ref.ask("begin") == ["begin"]
    assert ref.ask("look") == ["begin", "sent meanwhile", "look"]


def test_asks_nest_on_one_thread_and_each_actor_is_the_sender_of_the_next(system):
    class Relay(Actor):
        inline = True

        def __init__(self, after):
            self.after = after

        def on_receive(self, message):
            here = [threading.get_ident()]
            return here if self.after is None else here + self.after.ask(message)

    ref = None
    for number in range(MAX_DEPTH):
        ref = system.spawn(Relay, name=f"relay-{number}", args=(ref,))

    assert ref.ask("go") == [threading.get_ident()] * MAX_DEPTH


def test_asks_that_nest_deeper_than_the_limit_go_on_elsewhere_and_are_answered(system):
    class Relay(Actor):
        inline = True

        def __init__(self, after):
            self.after = after

        def on_receive(self, message):
            here = [threading.get_ident()]
            return here if self.after is None else here + self.after.ask(message)

    ref = None
    for number in range(2 * MAX_DEPTH):
        ref = system.spawn(Relay, name=f"relay-{number}", args=(ref,))

    threads = ref.ask("go", timeout=PATIENCE_S)

    assert len(threads) == 2 * MAX_DEPTH
    assert threads[:MAX_DEPTH] == [threading.get_ident()] * MAX_DEPTH
    assert threads[MAX_DEPTH] != threading.get_ident()


def test_a_declared_error_is_raised_and_the_actor_lives(system):
    class Refuses(Actor):
        inline = True
        expected_errors = (KeyError,)

        def on_receive(self, message):
            if message == "incarnation":
                return self.context.incarnation
            raise KeyError(message)

    ref = system.spawn(Refuses, name="refuses")

    with pytest.raises(KeyError):
        ref.ask("k")
    with pytest.raises(RejectedError, match="does not handle"):
        system.spawn(type("Plain", (Actor,), {"inline": True}), name="plain").ask("k")
    assert ref.ask("incarnation") == 1


def test_any_other_error_fails_the_actor_on_whichever_thread_it_ran(system):
    class Fails(Actor):
        inline = True

        def on_receive(self, message):
            if message == "incarnation":
                return self.context.incarnation
            raise ZeroDivisionError(message)

    ref = system.spawn(Fails, name="fails")

    with pytest.raises(ActorFailedError, match="ZeroDivisionError") as failed:
        ref.ask("fail")

    assert isinstance(failed.value.__cause__, ZeroDivisionError)
    assert ref.ask("incarnation", timeout=PATIENCE_S) == 2
    assert [letter.type for letter in system.dead_letters.snapshot()] == ["str"]


def test_a_base_exception_in_an_inline_handler_fails_the_actor_and_not_the_asker(system):
    class Exits(Actor):
        inline = True

        def on_receive(self, message):
            raise SystemExit(message)

    with pytest.raises(ActorFailedError, match="SystemExit"):
        system.spawn(Exits, name="exits").ask("now")


def test_an_answer_that_comes_as_a_future_is_waited_for(system):
    promised = Future()

    class Promises(Actor):
        inline = True

        def on_receive(self, message):
            return promised

    ref = system.spawn(Promises, name="promises")
    thread = threading.Timer(0, promised.set_result, args=("kept",))
    thread.start()

    assert ref.ask("promise") == "kept"
    thread.join(PATIENCE_S)


def test_an_answer_that_never_comes_times_out(system):
    class Promises(Actor):
        inline = True

        def on_receive(self, message):
            return Future()

    with pytest.raises(AskTimeoutError):
        system.spawn(Promises, name="promises").ask("promise", timeout=0.01)


def test_a_message_that_is_put_aside_inline_is_answered_when_it_is_handled(system):
    class Doorkeeper(Actor):
        inline = True

        def __init__(self):
            self.is_open = False

        def on_receive(self, message):
            if message == "open":
                self.is_open = True
                self.context.unstash_all()
            elif not self.is_open:
                self.context.stash()
            return message

    ref, answers = system.spawn(Doorkeeper, name="door"), []
    thread = threading.Thread(target=lambda: answers.append(ref.ask("enter", timeout=PATIENCE_S)))
    thread.start()
    while not answers and thread.is_alive():
        ref.ask("open")
        thread.join(0.001)

    thread.join(PATIENCE_S)
    assert answers == ["enter"]


def test_of_many_askers_at_once_one_runs_the_actor_at_a_time_and_each_gets_its_own_answer(system):
    class Counter(Actor):
        inline = True

        def __init__(self):
            self.inside = 0
            self.count = 0

        def on_receive(self, message):
            self.inside += 1
            assert self.inside == 1
            count = self.count
            self.count = count + 1
            self.inside -= 1
            return message, self.context.incarnation

    ref, each, wrong = system.spawn(Counter, name="counter"), 300, []

    def ask(asker):
        for number in range(each):
            answer = ref.ask((asker, number), timeout=PATIENCE_S)
            if answer != ((asker, number), 1):
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(asker,)) for asker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert wrong == []
    assert ref.proxy().count.get(PATIENCE_S) == 4 * each


def test_inline_is_for_shared_actors_only():
    with pytest.raises(UsageError, match="only for a `shared` actor"):
        type("Pinned", (Actor,), {"inline": True, "dispatcher": "pinned"})


def test_ctrl_c_in_an_inline_ask_reaches_who_pressed_it(system, events):
    """It is the asker's thread that is interrupted, by chance within the actor."""

    class Interrupted(Where):
        def on_receive(self, message):
            if message == "interrupt":
                signal.raise_signal(signal.SIGINT)
            return super().on_receive(message)

    ref = system.spawn(Interrupted, name="interrupted")

    with pytest.raises(KeyboardInterrupt):
        ref.ask("interrupt")

    assert ref.ask("where", timeout=PATIENCE_S)
    assert current_activity() is None
