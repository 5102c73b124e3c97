"""Whatever actors are told, asked, made to crash, stopped and spawned again, in any order: a system loses and doubles nothing.

A model keeps what was sent; what became of it is read from what the actors logged and from the dead letters. The machine runs on
real threads, and step by step in orders that Hypothesis draws.
"""

import random
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from actors.runtime import Actor, ActorSystem
from actors.runtime.errors import ActorFailedError, DeliveryError, NoSuchActorError, TerminatedError
from actors.runtime.supervision.spec import Backoff, SupervisorSpec
from actors.runtime.testing.stepping import SteppingSystem

PATIENCE_S = 20.0
NAMES = st.sampled_from("abc")
SENDERS = st.sampled_from(["test", "one", "two"])
HOWS = st.sampled_from(["tell", "ask"])
# Restarts are quick, and as many as the machine wants.
ROOT = SupervisorSpec("root", intensity=10**6, on_exhausted="park", backoff=Backoff(min=0.0005, max=0.001))


class Letter(tuple):
    """A sender, a number of its own, and whether the actor is to crash on it."""

    __slots__ = ()

    def __new__(cls, sender, number, crashes):
        return super().__new__(cls, (sender, number, crashes))


class Logs(Actor):
    """Writes down what it handles; life and letter."""

    mailbox_capacity = 100_000

    def __init__(self, log):
        self.log = log

    def on_start(self):
        self.log.append((self.context.incarnation, None))

    def on_receive(self, letter):
        _, number, crashes = letter
        if crashes:
            raise ZeroDivisionError(number)
        self.log.append((self.context.incarnation, tuple(letter)))
        return number


class LogsInline(Logs):
    inline = True


class LogsPinned(Logs):
    dispatcher = "pinned"


class LogsAsync(Logs):
    dispatcher = "async"

    async def on_receive(self, letter):
        return super().on_receive(letter)


class LogsByPriority(Logs):
    """Letters of one sender have one priority, so they keep their order."""

    @classmethod
    def priority_of(cls, letter):
        return len(letter[0])


class Sends(Actor):
    """Sends for the test, as another sender."""

    def on_receive(self, order):
        how, ref, letter = order
        return outcome_of_sending(how, ref, letter)


def outcome_of_sending(how, ref, letter):
    """Give the future of an ask, "taken", or the error that says that the letter was not."""
    try:
        if how == "ask":
            # As a tuple, so that an actor that answers for the test does not answer with what the future resolves with.
            return (ref.ask(letter, block=False, timeout=PATIENCE_S),)
        ref.tell(letter)
    except DeliveryError as error:
        return error
    return "taken"


class Machine(RuleBasedStateMachine):
    """Three names, at which actors come and go, and three senders."""

    kinds = (Logs, LogsInline, LogsPinned, LogsAsync, LogsByPriority)

    def make_system(self, _seed):
        return ActorSystem("machine", ROOT)

    @initialize(seed=st.integers(0, 2**16))
    def start(self, seed):
        self.system = self.make_system(seed)
        self.refs = {name: self.system.ref(f"/{name}") for name in "abc"}
        self.alive = set()
        self.logs = {name: [] for name in "abc"}
        self.senders = {name: self.system.spawn(Sends, name=name) for name in ("one", "two")}
        self.numbers = 0
        self.told = {name: [] for name in "abc"}
        self.asked = []
        self.resolved = Counter()

    @precondition(lambda self: len(self.alive) < len(self.refs))
    @rule(data=st.data())
    def spawn(self, data):
        name = data.draw(st.sampled_from(sorted(self.refs.keys() - self.alive)))
        kind = data.draw(st.sampled_from(self.kinds))
        self.system.spawn(kind, name=name, args=(self.logs[name],))
        self.alive.add(name)

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), burst=st.integers(0, 3), how=HOWS)
    def remove(self, data, burst, how):
        name = data.draw(st.sampled_from(sorted(self.alive)))
        # These are likely to wait still as the actor is stopped.
        self.send(name, "test", how, burst, None)
        self.system.remove(name)
        self.alive.discard(name)

    @rule(name=NAMES, sender=SENDERS, how=HOWS, count=st.integers(1, 5), crash_at=st.none() | st.integers(0, 4))
    def send(self, name, sender, how, count, crash_at):
        for place in range(count):
            self.numbers += 1
            letter = Letter(sender, self.numbers, place == crash_at)
            self.note(name, letter, self.outcome(sender, how, self.refs[name], letter))

    def outcome(self, sender, how, ref, letter):
        if sender == "test":
            return outcome_of_sending(how, ref, letter)
        return self.senders[sender].ask((how, ref, letter), timeout=PATIENCE_S)

    def note(self, name, letter, outcome):
        if isinstance(outcome, tuple):
            (future,) = outcome
            self.asked.append((name, letter, future))
            future.add_done_callback(lambda _: self.resolved.update([letter]))
        elif outcome == "taken":
            self.told[name].append(letter)
        else:
            assert isinstance(outcome, NoSuchActorError)
            assert name not in self.alive

    @rule()
    def let_everybody_finish(self):
        self.settle()

    @invariant()
    def lives_are_counted_upwards(self):
        for log in getattr(self, "logs", {}).values():
            lives = [life for life, _ in list(log)]
            assert lives == sorted(lives)

    def settle(self):
        """Wait until everything sent so far has come to its end: whoever lives answers once more, after all the rest."""
        for name in sorted(self.alive):
            for sender in ("test", *self.senders):
                self.numbers += 1
                letter = Letter(sender, self.numbers, False)
                self.note(name, letter, self.outcome(sender, "ask", self.refs[name], letter))
        for _, _, future in self.asked:
            future.error() if future.is_resolved() else self.wait_for(future)
        self.check()

    def wait_for(self, future):
        try:
            future.get(PATIENCE_S)
        except (ActorFailedError, TerminatedError, NoSuchActorError):
            pass

    def check(self):
        handled = {name: [letter for _, letter in log if letter is not None] for name, log in self.logs.items()}
        dead = Counter(letter.message for letter in self.system.dead_letters.snapshot())
        for name, letters in handled.items():
            assert len(set(letters)) == len(letters), "handled twice"
            for sender in ("test", "one", "two"):
                numbers = [number for by, number, _ in letters if by == sender]
                assert numbers == sorted(numbers), "out of order"
            for letter in self.told[name]:
                assert (tuple(letter) in letters) + dead[repr(tuple(letter))] == 1, f"{letter}: handled or a dead letter, once"
        for name, letter, future in self.asked:
            assert self.resolved[letter] == 1, f"{letter}: resolved once"
            error = future.error()
            if error is None:
                assert future.get(0) == letter[1]
            was_handled = tuple(letter) in handled[name]
            assert was_handled == (error is None), f"{letter}: answered as it was handled, not by {error!r}"
            assert isinstance(error, ActorFailedError | TerminatedError | NoSuchActorError | None)
            assert (dead[repr(tuple(letter))] == 1) == isinstance(error, ActorFailedError)
        assert sum(dead.values()) == self.system.dead_letters.count

    def teardown(self):
        if not hasattr(self, "system"):
            return
        try:
            self.settle()
        finally:
            self.system.stop(PATIENCE_S)
        self.check()


class SteppedMachine(Machine):
    """The same in one thread: the turns come in an order that is drawn, and nothing happens between the rules but by a step."""

    kinds = (Logs, LogsInline, LogsPinned, LogsByPriority)

    def make_system(self, seed):
        return SteppingSystem(root=ROOT, chance=random.Random(seed))  # noqa: S311  # it draws an order, no secret

    @rule(steps=st.integers(1, 10))
    def step(self, steps):
        for _ in range(steps):
            self.system.step()


@pytest.mark.parametrize(("machine", "examples"), [(Machine, 40), (SteppedMachine, 120)], ids=["threads", "stepped"])
def test_whatever_happens_every_letter_comes_to_one_end_and_every_ask_to_one_answer(machine, examples):
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=25, deadline=None))
