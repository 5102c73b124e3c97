"""A watcher hears of every life that ends, once, whatever happens at the same time; and nobody is held up by telling it."""

import threading

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from actors.runtime.address import ROOT, is_within
from actors.runtime.current import sender
from actors.runtime.dead_letters import DeadLetters
from actors.runtime.errors import NotBuiltError, RejectedError, UsageError
from actors.runtime.event import Event
from actors.runtime.events import EventLog
from actors.runtime.testing import FakeClock
from actors.runtime.watch import Terminated, Watches

PATIENCE_S, NODE = 10.0, "/n"


class Recorder:
    """A ref that keeps what it is told. `on_tell` is called before, and may raise."""

    def __init__(self, path, on_tell=lambda _: None):
        self.path = path
        self.told = []
        self._on_tell = on_tell

    def tell(self, message):
        self._on_tell(message)
        self.told.append(message)


class World:
    """Lives that come and go, below `/n` by the node's events. `on_ask` is called once, between what `alive` sees and says."""

    def __init__(self, node="kernel", within=ROOT):
        self.log = EventLog(FakeClock(), node)
        self.letters = DeadLetters(FakeClock(), self.log)
        self.here = {}
        self.number = {}
        self.on_ask = lambda: None
        self.watches = Watches(self.log, self.letters, self.alive, node=node, within=within)

    def alive(self, path):
        found, (on_ask, self.on_ask) = self.here.get(path), (self.on_ask, lambda: None)
        on_ask()
        return found

    def starts(self, *paths):
        for path in paths:
            number = self.number[path] = self.number.get(path, 0) + 1
            if not path.startswith(f"{NODE}/"):
                self.here[path] = number
            self.says("actor.restarted", path, incarnation=number)

    def exits(self, path, reason="failed", error=None, number=None):
        for below in [known for known in self.here if is_within(known, path)]:
            del self.here[below]
        self.says("actor.exited", path, incarnation=number or self.number[path], reason=reason, error=error)

    def says(self, type_, path, **fields):
        if path.startswith(f"{NODE}/"):
            self.log.adopt(Event(1, 0.0, type_, path, NODE, fields))
        else:
            self.log.publish(type_, path, **fields)

    def settle(self):
        """Wait until everybody is told who is due: this is told after them."""
        done = threading.Event()
        self.watches.watch("/barrier/nobody", Recorder("/barrier", lambda _: done.set()))
        assert done.wait(PATIENCE_S), "the teller does not tell"


@pytest.fixture
def world():
    world = World()
    yield world
    world.watches.check_invariants()
    world.watches.close()


@pytest.fixture
def watcher():
    return Recorder("/w")


def told(world, watcher):
    world.settle()
    words, watcher.told = watcher.told, []
    return [(word.path, word.incarnation, word.reason) for word in words]


def test_every_life_that_ends_is_told_with_its_number_reason_and_error(world, watcher):
    world.starts("/a")
    world.watches.watch("/a", watcher)
    world.watches.watch("/a", watcher)
    world.exits("/a", error="ValueError: told to")
    world.exits("/a", error="the same once more")
    world.exits("/a", "start_failed", number=2)
    # Numbers count the lives that became ready, so a supervisor that was restarted itself may give this one again.
    world.starts("/a")
    world.exits("/a", "shutdown")
    world.settle()

    ended = ((1, "failed", "ValueError: told to"), (2, "start_failed", None), (2, "shutdown", None))
    assert watcher.told == [Terminated("/a", *how) for how in ended]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(watcher.told[0]), type=Terminated) == watcher.told[0]


@pytest.mark.parametrize("between", [0, 1])
def test_a_watch_that_is_set_between_two_lives_hears_of_the_next(world, watcher, between):
    """Of the life that is over, nothing: it ended before the watch."""
    world.starts("/a")
    world.exits("/a")
    world.here["/a"] = between
    world.watches.watch("/a", watcher)
    world.starts("/a")
    world.exits("/a")

    assert told(world, watcher) == [("/a", 2, "failed")]


@pytest.mark.parametrize("found", [None, 1], ids=["before the look", "after the look"])
@pytest.mark.parametrize("next_life", [False, True])
def test_a_death_while_the_watch_begins_is_told_once(world, watcher, found, next_life):
    """The watch is down by then and hears the exit: that `alive` found nobody, or a life that is over, is old by then."""
    world.starts("/a")
    world.here["/a"] = found

    def die():
        world.exits("/a")
        if next_life:
            world.starts("/a")

    world.on_ask = die
    world.watches.watch("/a", watcher)
    if not next_life:
        world.starts("/a")
    world.exits("/a")

    assert told(world, watcher) == [("/a", 1, "failed"), ("/a", 2, "failed")]


def test_a_watch_and_a_death_on_two_threads_give_exactly_one_word(world):
    for number in range(300):
        path, watcher, start = f"/a{number}", Recorder("/w"), threading.Barrier(2)
        world.starts(path)
        dying = threading.Thread(target=lambda path=path, start=start: (start.wait(PATIENCE_S), world.exits(path)))
        dying.start()
        start.wait(PATIENCE_S)
        world.watches.watch(path, watcher)
        dying.join(PATIENCE_S)

        assert told(world, watcher) in ([(path, 1, "failed")], [(path, 0, "unknown")])


@pytest.mark.parametrize("top", ["/n", "/s"])
def test_a_node_or_supervisor_takes_along_every_watched_life_below_it_that_has_not_ended(world, watcher, top):
    """Nobody below a node that is killed says so, nor anybody whose handler hangs when its supervisor is given up."""
    ended, lives, beside = f"{top}/sup/ended", f"{top}/sup/lives", f"{top}2"
    world.starts(top, ended, lives, lives, beside)
    for path in (top, ended, lives, beside):
        world.watches.watch(path, watcher)
    world.exits(ended, "shutdown")
    world.exits(top, "killed", "out of time")
    world.watches.watch(lives, watcher)
    world.settle()

    assert watcher.told == [
        Terminated(ended, 1, "shutdown"),
        Terminated(top, 1, "killed", "out of time"),
        Terminated(lives, 2, "killed", f"it ended with {top}: out of time"),
        Terminated(lives, 0, "unknown", f"nobody lives at {lives}"),
    ]


def test_the_last_words_of_a_process_that_was_given_up_tell_nothing_again(world, watcher):
    world.starts("/n", "/n/sup", "/n/sup/a")
    world.watches.watch("/n/sup/a", watcher)
    world.exits("/n", "killed")
    world.exits("/n/sup/a")
    world.starts("/n/sup", "/n/sup/a")
    world.exits("/n/sup", number=1)
    assert told(world, watcher) == [("/n/sup/a", 1, "killed")]
    world.exits("/n/sup")
    assert told(world, watcher) == [("/n/sup/a", 2, "failed")]


def test_who_lives_in_a_node_is_known_from_its_events(world, watcher):
    """Also where one is lost, as the node loses what its kernel does not read: a next life has one before."""
    world.starts("/n/lives", "/n/ended", "/n/comes", "/n/parked")
    for path in ("/n/ended", "/n/comes", "/n/parked"):
        world.exits(path)
    for path in ("/n/comes", "/n/parked"):
        world.says("actor.restart_scheduled", path, delay_s=0.1)
    world.says("actor.parked", "/n/parked", restarts=3)
    for name in ("lives", "ended", "comes", "parked"):
        world.watches.watch(f"/n/{name}", watcher)

    assert told(world, watcher) == [("/n/ended", 0, "unknown"), ("/n/parked", 0, "unknown")]
    world.starts("/n/lives")
    assert told(world, watcher) == [("/n/lives", 1, "unknown")]


def test_what_an_actor_watches_ends_with_its_life_and_what_its_path_watches_does_not(world, watcher):
    world.starts("/of_life", "/of_path", "/of_both")
    for path, of_life in (("/of_life", True), ("/of_path", False), ("/of_both", True), ("/of_both", False), ("/of_both", True)):
        world.watches.watch(path, watcher, of_life=of_life)
    world.watches.forget_watcher("/w")
    for path in ("/of_life", "/of_path", "/of_both"):
        world.exits(path)

    assert told(world, watcher) == [("/of_path", 1, "failed"), ("/of_both", 1, "failed")]


def test_a_watcher_that_takes_its_time_holds_no_publisher_up_and_may_take_back_what_is_due(world, gate):
    watcher = Recorder("/w", lambda _: gate.wait())
    world.starts("/a", "/b")
    for path in ("/a", "/b"):
        world.watches.watch(path, watcher)
        world.exits(path)
    assert gate.reached.wait(PATIENCE_S)
    world.watches.unwatch("/b", "/w")
    gate.open()

    assert told(world, watcher) == [("/a", 1, "failed")]


def test_an_actor_that_is_removed_is_watched_no_more(world, watcher):
    """Who was told of its end hears no second word; who waited for a life that does not come hears that; nor does it watch on."""
    beside = Recorder("/s/w")
    world.starts("/s/ended", "/a")
    world.watches.watch("/a", beside)
    world.here["/s/comes"] = 0
    world.watches.watch("/s/ended", watcher)
    world.watches.watch("/s/comes", watcher)
    world.exits("/s/ended", "shutdown")
    world.says("actor.removed", "/s")
    world.starts("/s/ended")
    world.exits("/s/ended")
    world.exits("/a")
    assert told(world, beside) == []
    assert watcher.told == [Terminated("/s/ended", 1, "shutdown"), Terminated("/s/comes", 0, "unknown", "it has been removed")]


@pytest.mark.parametrize("error", [RejectedError("/full: the mailbox is full"), ZeroDivisionError("a broken ref")])
def test_what_a_watcher_does_not_take_is_a_dead_letter_and_the_others_are_told(world, watcher, error):
    def refuse(_):
        assert sender() == "/a", "as a message of an actor, which a mailbox that blocks foreign senders refuses at once"
        raise error

    world.starts("/a")
    world.watches.watch("/a", Recorder("/full", refuse))
    world.watches.watch("/a", watcher)
    world.exits("/a")

    assert told(world, watcher) == [("/a", 1, "failed")]
    (letter,) = world.letters.snapshot()
    assert (letter.path, letter.sender, letter.type) == ("/full", "/a", "Terminated")
    assert str(error) in letter.reason


def test_watching_beyond_the_node_is_refused_inside_it(watcher):
    with pytest.raises(NotBuiltError, match=r"/other/a lies outside of /n: watching from inside a node is not built yet"):
        World(node="/n", within="/n").watches.watch("/other/a", watcher)


def test_close_tells_who_is_due_and_then_nobody(world, watcher):
    world.starts("/a")
    world.watches.watch("/a", watcher)
    world.exits("/a")
    world.watches.close()
    world.starts("/a")
    world.exits("/a")

    assert watcher.told == [Terminated("/a", 1, "failed")]
    with pytest.raises(UsageError, match=r"/w cannot watch /a: the system is closed"):
        world.watches.watch("/a", watcher)


def test_an_exit_without_a_number_is_none_and_one_that_does_not_say_how_is_unknown(world, watcher):
    """An actor may publish what it likes under its path."""
    world.starts("/a")
    world.watches.watch("/a", watcher)
    for fields in ({}, {"incarnation": "1"}, {"incarnation": 1, "reason": "bored", "error": 3}):
        world.log.publish("actor.exited", "/a", **fields)

    assert told(world, watcher) == [("/a", 1, "unknown")]


TREE = ("/s", "/s/x", "/n", "/n/x")
WATCHERS = ("/w", "/s/x")
paths, watchers = st.sampled_from(TREE), st.sampled_from(WATCHERS)


class WatchMachine(RuleBasedStateMachine):
    """Lives come and go in this process and in a node; the model says what each watcher is told."""

    def __init__(self):
        super().__init__()
        self.world = World()
        self.refs = {path: Recorder(path) for path in WATCHERS}
        self.due = []
        self.state = dict.fromkeys(TREE, "gone")
        self.of_life = {}
        self.was_told = set()

    def teardown(self):
        for target, watcher in self.of_life:
            self.world.watches.unwatch(target, watcher)
        self.world.settle()
        assert not self.world.watches._targets.reaches(ROOT), "what nobody watches costs nothing"
        self.world.watches.close()

    @rule(path=paths)
    def start(self, path):
        for known in TREE:
            if is_within(path, known) and self.state[known] != "living":
                self.state[known] = "living"
                self.world.starts(known)

    @rule(path=paths, comes_back=st.booleans(), while_it_is_watched_by=st.none() | watchers)
    def exit(self, path, comes_back, while_it_is_watched_by):
        self.start(path)
        if (watcher := while_it_is_watched_by) is None:
            self.world.exits(path)
        else:
            self.world.on_ask = lambda: self.world.exits(path)
            self.world.watches.watch(path, self.refs[watcher])
            self.of_life[path, watcher] = False
        self.expect_exit(path)
        if comes_back:
            self.state[path] = "coming"
            if not path.startswith(f"{NODE}/"):
                self.world.here[path] = 0
            self.world.says("actor.restart_scheduled", path, delay_s=0.1)

    def expect_exit(self, path):
        for below in [known for known in TREE if is_within(known, path)]:
            if self.state[below] == "living":
                for target, watcher in self.of_life:
                    if target == below:
                        self.due.append((watcher, below, self.world.number[below]))
                        self.was_told.add((target, watcher))
            self.state[below] = "gone"

    @rule(path=paths, watcher=watchers, of_life=st.booleans())
    def watch(self, path, watcher, of_life):
        self.world.watches.watch(path, self.refs[watcher], of_life=of_life)
        if self.state[path] == "gone":
            self.due.append((watcher, path, 0))
            self.forget_if(lambda key: key == (path, watcher))
        else:
            self.of_life[path, watcher] = self.of_life.get((path, watcher), True) and of_life

    @rule(path=paths, watcher=watchers)
    def unwatch(self, path, watcher):
        self.world.watches.unwatch(path, watcher)
        self.forget_if(lambda key: key == (path, watcher))

    @rule(watcher=watchers)
    def forget_watcher(self, watcher):
        self.world.watches.forget_watcher(watcher)
        self.forget_if(lambda key: key[1] == watcher and self.of_life[key])

    @rule(path=paths)
    def remove(self, path):
        if self.state[path] == "living":
            self.exit(path=path, comes_back=False, while_it_is_watched_by=None)
            self.world.settle()
        for below in [known for known in TREE if is_within(known, path)]:
            self.state[below] = "gone"
            self.world.here.pop(below, None)
        self.world.says("actor.removed", path)
        never_told = [key for key in self.of_life if is_within(key[0], path) and key not in self.was_told]
        self.due += [(watcher, target, "removed") for target, watcher in never_told]
        self.forget_if(lambda key: is_within(key[0], path) or is_within(key[1], path))

    def forget_if(self, is_over):
        for key in [key for key in self.of_life if is_over(key)]:
            del self.of_life[key]
            self.was_told.discard(key)

    @invariant()
    def everybody_is_told_what_is_due_and_nothing_else(self):
        self.world.settle()
        self.world.watches.check_invariants()
        words = [(path, word) for path, ref in self.refs.items() for word in ref.told]
        shown = [(path, w.path, "removed" if w.error == "it has been removed" else w.incarnation) for path, w in words]
        assert sorted(shown, key=str) == sorted(self.due, key=str)
        self.due.clear()
        for ref in self.refs.values():
            ref.told.clear()


TestWatchMachine = WatchMachine.TestCase
TestWatchMachine.settings = settings(max_examples=150, stateful_step_count=30)
