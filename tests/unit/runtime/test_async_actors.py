"""Coroutine handlers: where they run, in what order, and where they are refused."""

import asyncio

import pytest

from actors.runtime import Actor
from actors.runtime.errors import ActorFailedError, UsageError


class Echo(Actor):
    def on_receive(self, message):
        return message


def test_async_handlers_run_one_at_a_time_and_let_other_actors_run(system):
    class Waiter(Actor):
        dispatcher = "async"

        def __init__(self):
            self.log = []
            self.go = None

        async def on_start(self):
            await asyncio.sleep(0)
            self.go = asyncio.Event()

        async def on_receive(self, message):
            if message == "go":
                self.go.set()
                return None
            self.log.append(f"{message} begins")
            if message == "wait":
                await self.context_other.go.wait()
            self.log.append(f"{message} ends")
            return list(self.log)

        def meet(self, other):
            self.context_other = other

    instances = []

    class Kept(Waiter):
        async def on_start(self):
            await super().on_start()
            instances.append(self)

    first = system.spawn(Kept, name="first")
    second = system.spawn(Kept, name="second")
    instances[0].meet(instances[1])
    waiting = first.ask("wait", block=False)
    after = first.ask("after", block=False)
    assert second.ask("unrelated") == ["unrelated begins", "unrelated ends"]
    assert not waiting.is_resolved()
    second.tell("go")

    assert after.get(5) == ["wait begins", "wait ends", "after begins", "after ends"]


@pytest.mark.parametrize("hook", ["on_receive", "on_start"])
@pytest.mark.parametrize("kind", ["shared", "pinned"])
def test_a_coroutine_handler_on_a_thread_dispatcher_is_refused_and_says_what_to_write(system, kind, hook):
    async def handler(self, *_):
        return 1

    actor = type("Confused", (Actor,), {hook: handler})

    if hook == "on_start":
        with pytest.raises(UsageError, match='needs `dispatcher = "async"`'):
            system.spawn(actor, name="w", dispatcher=kind)
    else:
        ref = system.spawn(actor, name="w", dispatcher=kind)
        with pytest.raises(ActorFailedError, match='needs `dispatcher = "async"`'):
            ref.ask(1)


def test_an_async_actor_may_await_another_actor(system):
    class Asker(Actor):
        dispatcher = "async"

        async def on_receive(self, message):
            return await message.ask("hello", block=False)

    ref = system.spawn(Asker, name="asker")

    assert ref.ask(system.spawn(Echo, name="echo")) == "hello"


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_task_of_a_handler_that_ends_the_interpreter_ends_no_other_actor(system, error):
    """An event loop stops when a task raises one of these; here it serves many actors."""

    class Starts(Actor):
        dispatcher = "async"

        async def on_receive(self, message):
            if message == "end":
                self.task = asyncio.create_task(self.end())
            return message

        async def end(self):
            raise error

        async def outcome(self):
            await asyncio.wait([self.task])
            return type(self.task.exception())

    bad, good = (system.spawn(Starts, name=name) for name in ("bad", "good"))
    for _ in range(3):
        bad.ask("end", timeout=5)
        assert bad.proxy().outcome().get(5) is error
        assert good.ask("still here", timeout=5) == "still here"
