"""Messages, answers and futures."""

import asyncio
import gc
import inspect
import threading

from actors.runtime.testing import EventProbe
from tests.support.pykka_programs.differences import both, outcome, patience
from tests.support.pykka_programs.runtimes import BOUND_S, HERE


@both(on_pykka=("ActorDeadError", "Timeout"), here=("NoSuchActorError", "AskTimeoutError"))
def test_the_names_of_the_errors(account, runtime, expected):
    ref = account.start()
    ref.stop()

    assert (outcome(lambda: ref.tell("x")), outcome(lambda: runtime.Future().get(timeout=0))) == expected


@both(on_pykka=("Full", True), here=("UsageError", False))
def test_a_future_that_is_set_twice_and_its_get_hook(runtime, expected):
    future = runtime.Future()
    future.set(1)

    assert (outcome(lambda: future.set(2)), hasattr(future, "set_get_hook")) == expected


@both(on_pykka="main", here="resolver")
def test_the_thread_that_maps(runtime, expected):
    future, threads = runtime.Future(), []
    mapped = future.map(lambda _: threads.append(threading.current_thread().name))
    resolver = threading.Thread(target=future.set, name="resolver")
    resolver.start()
    resolver.join(BOUND_S)
    mapped.get(timeout=BOUND_S)

    assert [name.replace("MainThread", "main") for name in threads] == [expected]


@both(on_pykka=None, here="RejectedError")
def test_a_message_that_nobody_handles(account, expected):
    assert outcome(lambda: account.start().ask("unknown")) == expected


@both(on_pykka=(None, None), here=(5.0, 30.0))
def test_how_long_an_ask_and_a_stop_wait(account, expected):
    ref = account.start()

    assert tuple(inspect.signature(verb).parameters["timeout"].default for verb in (ref.ask, ref.stop)) == expected


@both(on_pykka=["first", "late"], here=["first"])
def test_an_ask_whose_time_is_up_before_its_turn(runtime, gated, gate, expected):
    assert outcome(lambda: gated.ask("late", timeout=0.01)) == runtime.timeout_error.__name__
    gate.open()

    assert gated.proxy().handled.get() == expected


@both(on_pykka="Timeout", here="AskCycleError")
def test_actors_that_ask_each_other(runtime, block, expected):
    class Talker(runtime.ThreadingActor):
        def on_receive(self, others):
            if not others:
                return "heard"
            return outcome(lambda: others[0].ask(others[1:], timeout=patience(runtime) * len(others)))

    one, other = Talker.start(), Talker.start()

    assert one.ask([other, one], timeout=BOUND_S) == expected
    assert outcome(lambda: other.ask([one], timeout=BOUND_S)) == "heard"


@both(on_pykka=True, here=False)
def test_an_answer_that_is_a_future(account, runtime, block, expected):
    class Delegating(runtime.ThreadingActor):
        def add(self, amount):
            return account.start().proxy().add(amount)

    answer = Delegating.start().proxy().add(3).get()

    assert isinstance(answer, runtime.Future) is expected
    assert (answer.get() if expected else answer) == 3


@both(on_pykka=3, here="UsageError")
def test_waiting_on_the_thread_of_an_event_loop(account, expected):
    async def wait(proxy):
        return outcome(lambda: proxy.add(3).get(timeout=BOUND_S))

    assert asyncio.run(wait(account.start().proxy())) == expected


@both(on_pykka=False, here=True)
def test_awaiting_and_what_else_the_event_loop_has_to_do(runtime, block, expected):
    opened = threading.Event()

    class Waiting(runtime.ThreadingActor):
        def wait(self):
            return opened.wait(patience(runtime))

    async def open_it():
        for _ in range(3):
            await asyncio.sleep(0)
        opened.set()

    async def both_at_once(proxy):
        opening = asyncio.ensure_future(open_it())
        answer = await proxy.wait()
        await opening
        return answer

    assert asyncio.run(both_at_once(Waiting.start().proxy())) is expected


@both(on_pykka=1500, here=1000)
def test_how_many_messages_may_wait(gated, gate, expected):
    taken = sum(outcome(lambda: gated.tell("more")) is None for _ in range(1500))
    gate.open()

    assert taken == expected


@both(on_pykka="a line of the log", here="an event")
def test_an_error_of_an_ask_that_nobody_collects(runtime, block, caplog, expected):
    class Careless(runtime.ThreadingActor):
        ask_failure = "reply"
        is_well = True

        def fail(self):
            raise LookupError("nobody looks")

    caplog.set_level("INFO", logger="pykka")
    proxy = Careless.start().proxy()
    events = EventProbe(block.events) if runtime is HERE else None
    proxy.fail()
    assert proxy.is_well.get(timeout=BOUND_S)
    gc.collect()

    told = [
        "a line of the log"
        for record in caplog.records
        if (record.name, record.levelname) == ("pykka", "INFO") and "nobody looks" in str(record.exc_info)
    ]
    if events is not None:
        assert "nobody looks" in events.expect("ask.error_unobserved", proxy.actor_ref.path).fields["error"]
        told.append("an event")
        events.close()
    assert told == [expected]
