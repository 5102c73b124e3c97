"""Whole programs as Pykka's documentation and its users write them: each takes its runtime, runs, and gives its results.

Only what a program imports is a parameter; everything else is as it would be written for Pykka.
"""

import asyncio
import threading
from typing import Any, cast

import pykka
from pykka.typing import ActorMemberMixin, proxy_field, proxy_method

from tests.support.pykka_programs.runtimes import BOUND_S, Runtime


def letter_box(runtime: Runtime) -> Any:
    """A plain actor: any object is a message, and one of them is a question."""
    what_is_there = object()

    class LetterBox(runtime.ThreadingActor):
        def __init__(self):
            super().__init__()
            self.letters = []

        def on_receive(self, message):
            if message is what_is_there:
                return list(self.letters)
            self.letters.append(message)
            return None

    ref = LetterBox.start()
    ref.tell({"no": "Norway"})
    ref.tell(("a", 1))
    later = ref.ask(what_is_there, block=False)
    ref.tell("third")
    return [later.get(timeout=BOUND_S), ref.ask(what_is_there), ref.ask("fourth", timeout=BOUND_S), ref.stop()]


def counting_together(runtime: Runtime) -> Any:
    """Two actors, one of which calls the other by a proxy and waits."""

    class Adder(runtime.ThreadingActor):
        def add_one(self, number):
            return number + 1

    class Bookkeeper(runtime.ThreadingActor):
        entries = 0

        def __init__(self, adder):
            super().__init__()
            self.adder = adder

        def count_to(self, target):
            number = 0
            while number < target:
                number = self.adder.add_one(number).get()
                self.entries += 1
            return number

    adder = Adder.start().proxy()
    bookkeeper = Bookkeeper.start(adder).proxy()
    counted = bookkeeper.count_to(5).get()
    bookkeeper.entries = bookkeeper.entries.get() * 10
    return counted, bookkeeper.entries.get(), bookkeeper.adder.get() == adder


def producer_and_consumer(runtime: Runtime) -> Any:
    """A producer calls a consumer and does not wait; a future made by hand says when enough has been consumed."""

    class Consumer(runtime.ThreadingActor):
        def __init__(self, enough, done):
            super().__init__()
            self.items = []
            self.enough = enough
            self.done = done

        def consume(self, item):
            self.items.append(item)
            if len(self.items) == self.enough:
                self.done.set(sum(self.items))

    class Producer(runtime.ThreadingActor):
        def __init__(self, consumer):
            super().__init__()
            self.consumer = consumer

        def produce(self, first, last):
            for item in range(first, last):
                if item % 2:
                    self.consumer.consume(item)
                else:
                    self.consumer.consume.defer(item)

    done = runtime.Future()
    consumer = Consumer.start(enough=40, done=done).proxy()
    producers = [Producer.start(consumer).proxy() for _ in range(4)]
    runtime.get_all([producer.produce(number * 10, number * 10 + 10) for number, producer in enumerate(producers)])
    return done.get(timeout=BOUND_S), sorted(consumer.items.get())


def lookup_pool(runtime: Runtime) -> Any:
    """Work is dealt out to a pool in turn, and collected in order."""
    names = {f"10.0.0.{number}": f"host{number}" for number in range(0, 20, 2)}

    class Resolver(runtime.ThreadingActor):
        def resolve(self, address):
            try:
                return names[address]
            except KeyError:
                return None

    addresses = [f"10.0.0.{number}" for number in range(20)]
    pool = [Resolver.start().proxy() for _ in range(4)]
    found = [pool[number % len(pool)].resolve(address) for number, address in enumerate(addresses)]
    return list(zip(addresses, runtime.get_all(found, timeout=BOUND_S), strict=True))


def typed_proxy(runtime: Runtime) -> Any:
    """A proxy whose members have types, for the type checker only."""

    class Circle(runtime.ThreadingActor):
        pi = 3.0

        def area(self, radius):
            return self.pi * radius**2

    class CircleProxy(ActorMemberMixin, pykka.ActorProxy[Any]):
        pi = proxy_field(Circle.pi)
        area = proxy_method(Circle.area)

    proxy = cast("CircleProxy", Circle.start().proxy())
    return proxy.pi.get(), proxy.area(2).get(), proxy.stop().get()


def work_in_steps(runtime: Runtime) -> Any:
    """An actor calls itself by a proxy, so that other messages get between the steps of a long task."""
    done = threading.Event()

    class Worker(runtime.ThreadingActor):
        def __init__(self):
            super().__init__()
            self.log = []
            self._in_future = self.actor_ref.proxy()

        def work(self, steps):
            self.log.append(f"step {steps}")
            if steps > 1:
                if steps == 3:
                    self._in_future.note("between")
                self._in_future.work(steps - 1)
            else:
                done.set()

        def note(self, text):
            self.log.append(text)

    worker = Worker.start().proxy()
    worker.work(3).get()
    return done.wait(BOUND_S), worker.log.get()


def inside_of_an_actor(runtime: Runtime) -> Any:
    """What an actor is made of is reached through it, in its thread."""

    @pykka.traversable
    class Playlist:
        def __init__(self):
            self.songs = ["one"]
            self.thread = None

        def add(self, song):
            self.songs.append(song)
            self.thread = threading.get_ident()
            return len(self.songs)

    class Player(runtime.ThreadingActor):
        def __init__(self):
            super().__init__()
            self.playlist = Playlist()

        def thread(self):
            return threading.get_ident()

    player = Player.start().proxy()
    count = player.playlist.add("two").get()
    player.playlist.add.defer("three")
    in_its_thread = player.playlist.thread.get() == player.thread().get()
    player.playlist.songs = [song.upper() for song in player.playlist.songs.get()]
    return count, player.playlist.songs.get(), in_its_thread


def orderly_life(runtime: Runtime) -> Any:
    """Hooks, in order; a stop comes behind what waits already, and what comes after it finds nobody."""
    log = []
    stopped = threading.Event()

    class Living(runtime.ThreadingActor):
        def on_start(self):
            log.append("on_start")

        def on_receive(self, message):
            if message == "quit":
                for word in ("behind", "it"):
                    self.actor_ref.tell(word)
                self.stop()
                self.actor_ref.tell("too late")
            log.append(message)

        def on_stop(self):
            log.append("on_stop")
            stopped.set()

        def on_failure(self, *_):
            log.append("on_failure")

    first = Living.start()
    for word in ("a", "b", "c"):
        first.tell(word)
    ends = [first.stop(), first.is_alive(), first.stop(), first.stop(block=False).get(timeout=BOUND_S)]
    try:
        first.tell("nobody")
    except runtime.dead_errors:
        log.append("dead")
    stopped.clear()
    second = Living.start()
    second.tell("quit")
    ends.append(stopped.wait(BOUND_S))
    second.stop()
    return log, ends, second.is_alive(), first.actor_class is Living, first.actor_urn != second.actor_urn


def errors_in_asks(runtime: Runtime) -> Any:
    """The rule of Pykka: an exception in an ask is its asker's, and the actor lives on."""

    class Careless(runtime.ThreadingActor):
        ask_failure = "reply"

        def __init__(self):
            super().__init__()
            self.handled = 0

        def on_receive(self, message):
            self.handled += 1
            raise LookupError(message)

        def divide(self, number):
            return 1 / number

    ref = Careless.start()
    heard = []
    for use in (lambda: ref.ask("x"), lambda: ref.ask("y", block=False).get(), lambda: ref.proxy().divide(0).get()):
        try:
            use()
        except (LookupError, ZeroDivisionError) as error:
            heard.append(repr(error))
    return heard, ref.proxy().handled.get(), ref.is_alive()


def errors_in_tells(runtime: Runtime) -> Any:
    """An exception in a tell is the actor's end."""
    failed = threading.Event()
    heard = []

    class Careless(runtime.ThreadingActor):
        def on_receive(self, message):
            raise ValueError(message)

        def on_failure(self, exception_type, exception_value, traceback):
            heard.append((exception_type, str(exception_value), traceback is not None))
            failed.set()

    ref = Careless.start()
    ref.tell("broken")
    failed.wait(BOUND_S)
    ref.stop()
    try:
        ref.ask("more", timeout=BOUND_S)
    except runtime.dead_errors:
        heard.append("dead")
    return heard


def actors_that_start_actors(runtime: Runtime) -> Any:
    """A handler and `on_start` start actors and ask them; they outlive who started them."""

    class Leaf(runtime.ThreadingActor):
        def __init__(self, number):
            super().__init__()
            self.number = number

    class Branch(runtime.ThreadingActor):
        def on_start(self):
            self.first = Leaf.start(1)

        def grow(self, number):
            leaf = Leaf.start(number=number)
            return leaf, leaf.proxy().number.get() + self.first.proxy().number.get()

    branch = Branch.start()
    leaf, total = branch.proxy().grow(2).get()
    branch.stop()
    return total, branch.is_alive(), leaf.is_alive(), leaf.proxy().number.get()


def futures_combined(runtime: Runtime) -> Any:
    """Futures of calls, of attributes and of one's own, made into others."""

    class Source(runtime.ThreadingActor):
        numbers = (1, 2, 3, 4)
        factor = 10

        def double(self, number):
            return 2 * number

    source = Source.start().proxy()
    by_hand = runtime.Future()
    failed = runtime.Future()
    try:
        _ = {}["missing"]
    except KeyError:
        failed.set_exception()
    results = [
        source.double(2).map(lambda number: number + 1).get(),
        source.numbers.filter(lambda number: number % 2).get(),
        source.numbers.reduce(lambda one, other: one + other, 100).get(),
        source.double(1).join(source.factor, source.double(5)).get(),
        source.factor.join(source.double(3)).map(sum).get(),
        source.factor.map(str).get(),
        runtime.get_all([source.factor, source.double(4)]),
    ]
    try:
        by_hand.get(timeout=0.01)
    except runtime.timeout_error:
        results.append("timeout")
    try:
        failed.get()
    except KeyError as error:
        results.append(str(error))
    by_hand.set("by hand")
    return [*results, by_hand.get()]


def awaited(runtime: Runtime) -> Any:
    """Futures are awaited as well."""

    class Source(runtime.ThreadingActor):
        unit = "m"

        def measure(self, length):
            return length

    async def measure(source):
        return await source.measure(3), await source.unit

    return asyncio.run(measure(Source.start().proxy()))
