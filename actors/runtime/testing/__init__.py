"""Testing: what tests of actors need, for users of the runtime and for its own suite alike.

Nothing here sleeps, and every wait has a bound. What a test of actors lacks is order, time and trouble at will; each tool gives
one of them. The examples below are run by the tests.

`TestProbe` is an actor that stands in for another and keeps what it is sent. `EventProbe` follows what the system says of itself.

>>> from actors.runtime import Actor, ActorSystem
>>> class Greeter(Actor):
...     def __init__(self, friend):
...         self.friend = friend
...     def on_receive(self, name):
...         self.friend.tell(f"hello {name}")
>>> with ActorSystem("example") as system:
...     probe = TestProbe(system)
...     greeter = system.spawn(Greeter, name="greeter", args=(probe.ref,))
...     greeter.tell("Ada")
...     probe.expect("hello Ada")
...     probe.expect_none()
'hello Ada'
>>> with ActorSystem("example") as system:
...     events = EventProbe(system.events)
...     _ = system.spawn(Actor, name="idle")
...     events.expect("actor.started", "/idle").fields["incarnation"]
...     events.close()
1

`FakeClock` is time that the test moves: give it wherever a clock is taken.

>>> clock = FakeClock(monotonic=100.0)
>>> clock.advance(60)
>>> clock.monotonic()
160.0

`Sequencer` runs blocks of several threads, or coroutines by `async with`, in the order of their numbers, so that a test can force
the one order in which a race is lost. A block that raises or does not come is a `BrokenSequenceError` for those behind it.

>>> import threading
>>> seq, order = Sequencer(), []
>>> def other():
...     with seq(1):
...         order.append("other")
>>> thread = threading.Thread(target=other)
>>> thread.start()
>>> with seq(0):
...     order.append("first")
>>> with seq(2):
...     order.append("last")
>>> thread.join()
>>> order
['first', 'other', 'last']

`MemoryNetwork` opens transports without sockets or threads; `FaultyTransport` opens those of any other kind and lets them drop,
delay, duplicate, reorder and corrupt frames by rule and seed, and cuts and partitions nodes. It counts what it did, so that a
test can tell that the trouble has happened.

>>> import random
>>> network = MemoryNetwork()
>>> faulty = FaultyTransport(
...     network.open,
...     [Delay(peer="/b", seconds=2.0, last=1), Drop(peer="/b", probability=0.1)],
...     random.Random(7),
...     clock=clock,
... )
>>> class Receiver:
...     def on_frame(self, peer, frame):
...         print("a frame of", peer.decode())
...     def on_unsent(self, envelopes, reason): ...
...     def on_forgotten(self, address): ...
...     def on_failed(self, reason): ...
>>> from actors.runtime.transport.base import NodeAddress
>>> there = network.open("/b#1", "memory:b", Receiver())
>>> here = faulty.open("/a#1", "memory:a", Receiver())  # a Link takes `faulty.open`
>>> here.send(NodeAddress("/b", 1, "memory:b"), b"an envelope")
True
>>> faulty.held(), faulty.faults()["delay"]
(1, 1)
>>> clock.advance(2.0)
a frame of /a#1

`SteppingSystem` is an `ActorSystem` without threads: the test runs it step by step, in fake time, in an order that is the oldest
first or drawn from a seed. Only a wait runs it by itself, as far as it takes to end the wait.

>>> class Counter(Actor):
...     total = 0
...     def on_start(self):
...         self.context.tell_every(60.0, 1)
...     def on_receive(self, number):
...         self.total += number
...         return self.total
>>> with SteppingSystem(chance=random.Random(1)) as system:
...     counter = system.spawn(Counter, name="counter")
...     counter.tell(5)
...     system.step(), system.step()  # handled by now, and nothing else is to be done
...     system.advance(3600)  # sixty timers, sixty messages
...     counter.ask(0)
(True, False)
120
65
"""

from .clock import FakeClock
from .faults import Corrupt, Delay, Drop, Duplicate, Fault, Reorder
from .faulty_transport import FaultyTransport
from .memory_transport import MemoryNetwork
from .probes import EventProbe, TestProbe
from .sequencer import BrokenSequenceError, Sequencer
from .stepper import DeadWaitError, StillBusyError
from .stepping import SteppingSystem

__all__ = [
    "BrokenSequenceError",
    "Corrupt",
    "DeadWaitError",
    "Delay",
    "Drop",
    "Duplicate",
    "EventProbe",
    "FakeClock",
    "Fault",
    "FaultyTransport",
    "MemoryNetwork",
    "Reorder",
    "Sequencer",
    "SteppingSystem",
    "StillBusyError",
    "TestProbe",
]
