"""SteppingSystem: real actors, one thread, fake time, and schedules that come again."""

import asyncio
import random
import threading

import pytest

from actors.runtime import Actor, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.errors import ActorFailedError, AskTimeoutError, NotBuiltError, UsageError
from actors.runtime.testing import EventProbe, FakeClock, SteppingSystem, TestProbe
from actors.runtime.testing.stepper import StillBusyError
from tests.support.leaks import Held


@pytest.fixture
def system():
    with SteppingSystem() as system:
        yield system


class Counter(Actor):
    """Counts; "fail" fails it."""

    def __init__(self):
        self.total = 0

    def on_receive(self, message):
        if message == "fail":
            raise ValueError("told to")
        if message == "total":
            return self.total
        self.total += message
        return None


class Silent(Actor):
    """Answers as many seconds later as it is told, in the time of its loop."""

    dispatcher = "async"

    async def on_receive(self, message):
        late = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(message, late.set_result, "late")
        return await late


class Relay(Actor):
    """Asks another and gives its answer."""

    def __init__(self, other):
        self._other = other

    def on_receive(self, message):
        return self._other.ask(message)


def test_a_message_is_handled_in_a_step_and_not_before(system):
    counter = system.spawn(Counter, name="counter")
    counter.tell(1)
    assert counter.waiting() == 1

    assert system.step()

    assert counter.waiting() == 0
    assert not system.step()


def test_an_ask_that_waits_runs_the_actor(system):
    counter = system.spawn(Counter, name="counter")
    counter.tell(2)

    assert counter.ask("total") == 2


def test_an_ask_that_does_not_wait_is_answered_by_the_steps(system):
    future = system.spawn(Counter, name="counter").ask("total", block=False)
    assert not future.is_resolved()

    system.run_until_idle()

    assert future.get(0) == 0


def test_everything_runs_on_the_tests_own_thread_and_nothing_is_left():
    before, seen = Held.now(), []

    class Where(Actor):
        def on_receive(self, message):
            seen.append(threading.current_thread())

    with SteppingSystem() as system:
        for kind in ("shared", "pinned"):
            system.spawn(Where, name=kind, dispatcher=kind).tell("?")
        system.run_until_idle()
        assert Held.now().threads == before.threads

    assert seen == [threading.current_thread()] * 2
    assert Held.now() == before


def test_a_timeout_takes_its_time_and_no_real_one(system):
    silent = system.spawn(Silent, name="silent")
    before = system.clock.monotonic()

    with pytest.raises(AskTimeoutError):
        silent.ask(3600.0, timeout=60)

    assert system.clock.monotonic() == before + 60


def test_async_actors_await_in_fake_time(system):
    silent = system.spawn(Silent, name="silent")
    future = silent.ask(3600.0, timeout=None, block=False)
    system.advance(3599)
    assert not future.is_resolved()

    system.advance(1)

    assert future.get(0) == "late"


def test_an_actor_that_waits_for_another_runs_it(system):
    counter = system.spawn(Counter, name="counter")
    relay = system.spawn(Relay, name="relay", args=(counter,))
    counter.tell(5)

    assert relay.ask("total") == 5


def test_a_restart_waits_for_its_delay(system):
    """The first is at once, the next one waits."""
    counter = system.spawn(ChildSpec("counter", Counter, backoff=Backoff(min=10.0, max=10.0, jitter=0.0)))
    for _ in range(2):
        with pytest.raises(ActorFailedError):
            counter.ask("fail")
        system.run_until_idle()
    system.advance(9.9)
    assert system.snapshot().root.children[0].state == "restarting"

    system.advance(0.1)

    assert system.snapshot().root.children[0].state == "running"
    assert counter.ask("total") == 0


def delay_of_a_restart(seed):
    """Give how long the second restart of a child waits, which is drawn by chance."""
    with SteppingSystem(chance=random.Random(seed)) as system:  # noqa: S311  # schedules, not secrets
        counter = system.spawn(ChildSpec("counter", Counter, backoff=Backoff(min=10.0, max=10.0)))
        for _ in range(2):
            with pytest.raises(ActorFailedError):
                counter.ask("fail")
            system.run_until_idle()
        failed_at = system.clock.monotonic()
        events = EventProbe(system.events)
        system.advance(10)
        events.expect("actor.restarted", "/counter", timeout=0)
        events.close()
        counter.ask("total")
        return system.snapshot().root.children[0].uptime_s, failed_at


def test_what_the_runtime_draws_by_chance_comes_again_with_the_seed():
    assert delay_of_a_restart(3) == delay_of_a_restart(3)
    assert delay_of_a_restart(3) != delay_of_a_restart(4)


def test_periodic_timers_keep_to_the_time(system):
    class Ticking(Actor):
        def on_start(self):
            self.ticks = []
            self.context.tell_every(1.0, "tick")

        def on_receive(self, message):
            if message == "tick":
                self.ticks.append(self.context.clock.monotonic())
            return list(self.ticks)

    start = system.clock.monotonic()
    ticking = system.spawn(Ticking, name="ticking")

    system.advance(3.5)

    assert ticking.ask("ticks") == [start + 1, start + 2, start + 3]


def last_written(seed):
    """Two writers tell one register; give what it holds at the end."""

    class Register(Actor):
        value = None

        def on_receive(self, message):
            if message != "value":
                self.value = message
            return self.value

    class Writer(Actor):
        def __init__(self, register, value):
            self._register, self._value = register, value

        def on_receive(self, message):
            self._register.tell(self._value)

    with SteppingSystem(chance=None if seed is None else random.Random(seed)) as system:  # noqa: S311  # schedules, not secrets
        register = system.spawn(Register, name="register")
        writers = [system.spawn(Writer, name=name, args=(register, name)) for name in ("a", "b")]
        for writer in writers:
            writer.tell("write")
        system.run_until_idle()
        return register.ask("value")


def test_seeds_find_every_outcome_of_a_race_and_each_comes_again():
    outcomes = [last_written(seed) for seed in range(20)]

    assert set(outcomes) == {"a", "b"}
    assert outcomes == [last_written(seed) for seed in range(20)]
    assert last_written(None) == "b"


def test_actors_that_keep_each_other_busy_are_found_out(system):
    class Restless(Actor):
        def on_receive(self, message):
            self.context.ref.tell(message)

    restless = system.spawn(Restless, name="restless")
    restless.tell("again")

    with pytest.raises(StillBusyError, match="still busy after 100 steps"):
        system.run_until_idle(100)


def test_probes_work_as_anywhere(system):
    probe, events = TestProbe(system), EventProbe(system.events)
    probe.expect_none()
    probe.ref.tell(1)
    system.run_until_idle()

    assert probe.expect(int) == 1
    system.spawn(Counter, name="counter")
    assert events.expect("actor.started", "/counter").fields["incarnation"] == 1
    events.close()


def test_a_tree_starts_and_stops():
    root = SupervisorSpec("root", [ChildSpec("first", Counter), ChildSpec("second", Counter)])
    with SteppingSystem(root=root, clock=FakeClock(monotonic=5.0)) as system:
        assert system.ref("/second").ask("total") == 0
        assert system.clock.monotonic() == 5.0

    with pytest.raises(UsageError, match="has been stopped"):
        system.spawn(Counter, name="late")


def test_a_child_in_a_process_is_refused(system):
    with pytest.raises(NotBuiltError, match="no processes"):
        system.spawn(Counter, name="counter", process=True)


def test_a_thread_has_one_stepping_system_at_a_time(system):
    with pytest.raises(UsageError, match="has a stepping system already"):
        SteppingSystem()


def test_a_thread_waits_as_before_once_its_system_is_closed():
    with SteppingSystem() as stepped:
        pass
    with SteppingSystem() as again:
        assert again.spawn(Counter, name="counter").ask("total") == 0

    assert stepped is not again
