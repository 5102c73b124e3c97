"""A `ThreadingActor` is started by its class, in the system that is nearest, also from handlers and in other processes."""

import asyncio
import threading

import pytest

from actors.runtime import ActorSystem, ChildSpec, SupervisorSpec, ThreadingActor
from actors.runtime.errors import (
    AskCycleError,
    NoSuchActorError,
    NotBuiltError,
    RejectedError,
    RemoteError,
    StartError,
    TerminatedError,
    UsageError,
)
from actors.runtime.messages import ProxyGet
from tests.support.pykka_programs.far import FarActor
from tests.support.pykka_programs.keeper import Keeper


class HTTPRequestParser(ThreadingActor):
    pass


@pytest.fixture
def entered():
    with ActorSystem("entered") as system:
        yield system


def system_of(ref):
    return ref._delivery


def test_start_gives_arguments_to_the_class_and_a_ref_to_an_actor_that_runs(entered):
    ref = Keeper.start(kept=["a"])

    assert ref.proxy().kept.get(5) == ["a"]
    assert ref.actor_class is Keeper
    assert entered.snapshot().root.find(ref.path).state == "running"


def test_names_come_from_the_class_and_never_twice(entered):
    first = HTTPRequestParser.start()
    first.stop()
    others = [HTTPRequestParser.start() for _ in range(3)]

    assert len({first, *others}) == 4
    assert all(ref.path.startswith("/http-request-parser-") for ref in (first, *others))
    assert not first.is_alive()


@pytest.mark.parametrize("name", ["_Private", "Über", "__", "A" * 300])
def test_a_class_of_any_name_can_be_started(entered, name):
    ref = type(name, (ThreadingActor,), {}).start()

    assert ref.is_alive()


def test_who_orders_a_start_is_an_event(entered):
    starter = Keeper.start()
    started = starter.ask(lambda _: Keeper.start())

    orders = [event for event in entered.events.since(0) if event.type == "actor.start_ordered"]
    assert [event.path for event in orders] == ["/", starter.path]
    assert started.path == f"/keeper-{orders[1].seq}"


def test_start_outside_of_any_block_says_what_to_write(system):
    with pytest.raises(UsageError, match=r"with ActorSystem.*or `system.spawn\(Keeper, name="):
        Keeper.start()


def test_start_after_the_block_finds_no_system():
    with ActorSystem("over"):
        pass

    with pytest.raises(UsageError, match="no system"):
        Keeper.start()


def test_a_block_that_ends_by_an_error_is_left_as_well():
    def fail():
        with ActorSystem("over"):
            raise ValueError("in the block")

    with pytest.raises(ValueError, match="in the block"):
        fail()
    with pytest.raises(UsageError, match="no system"):
        Keeper.start()


def test_of_two_blocks_the_inner_one_counts(entered):
    with ActorSystem("inner"):
        inside = Keeper.start()
    outside = Keeper.start()

    assert not inside.is_alive()
    assert system_of(outside) is system_of(entered.ref("/"))


def test_a_handler_starts_in_its_own_system_whatever_block_is_around(system, entered):
    class Inline(Keeper):
        dispatcher = "shared"
        inline = True

    ref = system.spawn(Inline, name="inline")

    assert system_of(ref.ask(lambda _: Keeper.start())) is system_of(ref)


def test_a_block_in_a_handler_is_nearer_than_the_handler(system):
    def start_inside(_):
        with ActorSystem("inner") as inner:
            return system_of(Keeper.start()) is system_of(inner.ref("/"))

    assert system.spawn(Keeper, name="keeper").ask(start_inside)


@pytest.mark.parametrize("kind", ["pinned", "shared"])
def test_a_handler_starts_actors_of_any_dispatcher(system, kind):
    started_kind = type("Started", (Keeper,), {"dispatcher": kind})

    for starter_kind in ("pinned", "shared"):
        starter = system.spawn(Keeper, name=starter_kind, dispatcher=starter_kind)
        started = starter.ask(lambda _: started_kind.start(["x"]))
        assert started.proxy().kept.get(5) == ["x"]


def test_a_handler_starts_beside_itself_below_its_own_supervisor():
    spec = SupervisorSpec("root", children=[SupervisorSpec("below", children=[ChildSpec("keeper", Keeper)])])
    with ActorSystem("nested", spec) as system:
        started = system.ref("/below/keeper").ask(lambda _: Keeper.start())

        assert started.path.startswith("/below/keeper-")


def test_more_handlers_than_threads_start_actors_at_once(system):
    """Each of them waits for the root, on a thread that is shared."""
    starters = [system.spawn(Keeper, name=f"s{number}", dispatcher="shared") for number in range(6)]

    started = [starter.ask(lambda _: Keeper.start(), block=False) for starter in starters]

    assert len({future.get(5).path for future in started}) == 6


def test_an_on_start_may_start_others(entered):
    class Parent(ThreadingActor):
        def on_start(self):
            self.child = Keeper.start(["inner"])

    assert Parent.start().proxy().child.get(5).proxy().kept.get(5) == ["inner"]


def test_an_init_that_asks_who_starts_it_is_told_so_at_once(entered):
    class Child(ThreadingActor):
        def __init__(self, parent):
            super().__init__()
            parent.proxy().kept.get()

    class Parent(Keeper):
        expected_errors = (AskCycleError,)

    with pytest.raises(AskCycleError, match=r"/child-\d+ asks /parent-\d+ asks /child-\d+"):
        Parent.start().ask(lambda self: Child.start(self.actor_ref))


def test_start_on_an_event_loop_is_refused_and_works_beside_it(entered):
    async def start():
        with pytest.raises(UsageError, match=r"await asyncio.to_thread\(Keeper.start"):
            Keeper.start()
        return await asyncio.to_thread(Keeper.start, ["beside"])

    assert asyncio.run(start()).proxy().kept.get(5) == ["beside"]


def test_an_async_actor_starts_others_beside_its_loop(system):
    class Async(Keeper):
        dispatcher = "async"

        async def on_receive(self, _):
            return await asyncio.to_thread(Keeper.start, ["beside"])

    assert system.spawn(Async, name="async").ask("x").proxy().kept.get(5) == ["beside"]


def test_start_raises_what_prevented_it_and_leaves_nothing(entered):
    class Broken(ThreadingActor):
        def __init__(self, where):
            super().__init__()
            self.where = where
            if where == "init":
                raise LookupError(where)

        def on_start(self):
            raise LookupError(self.where)

    for where in ("init", "on_start"):
        with pytest.raises(LookupError, match=where):
            Broken.start(where)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        Broken.start()
    assert entered.find("/broken-*") == ()


def test_a_start_while_the_system_stops_is_refused(gate):
    heard = []

    def start_late(_):
        gate.wait()
        try:
            Keeper.start()
        except (StartError, TerminatedError) as error:
            heard.append(error)

    system = ActorSystem("stopping")
    ref = system.spawn(Keeper, name="keeper", shutdown=10)
    ref.tell(start_late)
    assert gate.reached.wait(5)
    end = system.begin_stop()
    pause = threading.Event()
    for _ in range(5000):
        if ref._find().signals:
            break
        pause.wait(0.001)
    gate.open()
    end.get(5)
    system.close()

    assert len(heard) == 1


def test_what_names_an_actor_and_what_it_is(system):
    ref = system.spawn(Keeper, name="keeper")

    assert (ref.actor_urn, ref.actor_class) == ("/keeper", Keeper)
    assert ref.ask(lambda self: (self.actor_urn, self.actor_ref)) == ("/keeper", ref)
    ref.stop()
    assert ref.actor_class is Keeper
    with pytest.raises(NoSuchActorError):
        _ = system.ref("/nobody").actor_class


def test_a_behaviour_can_be_made_by_hand_for_a_test_of_its_methods():
    keeper = Keeper(["a"])

    keeper.on_receive("b")

    assert keeper.kept == ["a", "b"]


@pytest.fixture(scope="module")
def far():
    """A node whose supervisor is in it, and one with an actor at its top: processes take a while to start."""
    below = SupervisorSpec("node", process=True, children=[ChildSpec("below", FarActor)])
    with ActorSystem("far", SupervisorSpec("root", children=[below, ChildSpec("top", FarActor, process=True)])) as system:
        yield system


def test_a_proxy_reaches_what_is_inside_of_an_actor_in_another_process(far):
    proxy = far.ref("/top").proxy()

    assert proxy.box.put("one").get() == 1
    proxy.box.put.defer("two")
    assert proxy.box.things.map(len).get(5) == 2
    proxy.box.things = ["three"]
    assert proxy.box.things.get() == ["three"]
    with pytest.raises(RejectedError, match="public names only"):
        far.ref("/top").ask(ProxyGet("box.put.__globals__"))


def test_an_actor_in_another_process_starts_others_there_and_stops_for_good(far):
    started = far.ref("/node/below").proxy().start_another().get()

    assert started.path.startswith("/node/far-actor-")
    assert started.proxy().box.put("x").get() == 1
    assert started.stop() is True
    assert started.stop() is False
    with pytest.raises(NotBuiltError, match="class of an actor in another process"):
        _ = started.actor_class


def test_at_the_top_of_a_process_start_and_stop_say_what_they_cannot(far):
    with pytest.raises(RemoteError, match="adding siblings there is not built yet"):
        far.ref("/top").proxy().start_another().get()
    with pytest.raises(RejectedError, match=r"/top is at the top of its process: stop it by `system.remove"):
        far.ref("/top").stop()
