"""A thread knows which actor runs on it, and takes none for its own that runs on another thread with the same context."""

import asyncio
import contextvars
import threading

from actors.runtime import Actor
from actors.runtime.current import current_activity

PATIENCE_S = 10.0


class Inline(Actor):
    """Runs on its asker's thread, and there what it is told."""

    inline = True

    def on_receive(self, message):
        return message()


def on_a_thread(run):
    """Run something on a thread of its own, with a copy of the present context, and give what that returns."""
    answers = []
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: answers.append(context.run(run)))
    thread.start()
    thread.join(PATIENCE_S)
    return answers[0]


class Steps:
    """Two handlers on two threads: the first ends while the second runs."""

    def __init__(self):
        self._first_runs = threading.Event()
        self._second_runs = threading.Event()
        self._first_is_over = threading.Event()

    def first(self):
        self._first_runs.set()
        assert self._second_runs.wait(PATIENCE_S)
        return threading.get_ident()

    def second(self):
        self._second_runs.set()
        assert self._first_is_over.wait(PATIENCE_S)
        return threading.get_ident()

    def ask_first(self, ref):
        answer = ref.ask(self.first, timeout=None)
        self._first_is_over.set()
        return answer

    def ask_second(self, ref):
        assert self._first_runs.wait(PATIENCE_S)
        return ref.ask(self.second, timeout=None)


def test_inline_asks_of_threads_that_share_a_context_leave_nobody_in_an_actor(system):
    """As `asyncio.to_thread` shares it; else whoever began the loop would be refused every wait of its own."""
    one, other = (system.spawn(Inline, name=name) for name in ("one", "other"))
    assert one.ask(threading.get_ident) == threading.get_ident()
    steps = Steps()

    async def both():
        return await asyncio.gather(asyncio.to_thread(steps.ask_first, one), asyncio.to_thread(steps.ask_second, other))

    threads = asyncio.run(both())

    assert threading.get_ident() not in threads
    assert current_activity() is None
    assert one.ask(lambda: "again", timeout=PATIENCE_S) == "again"


def test_a_thread_that_a_handler_has_started_runs_no_actor(system):
    ref = system.spawn(Inline, name="inline")

    assert ref.ask(lambda: on_a_thread(current_activity)) is None
    assert ref.ask(lambda: current_activity().path) == "/inline"


def test_an_inline_ask_on_a_thread_that_a_handler_has_started_changes_nothing_for_the_handler(system):
    outer, inner = (system.spawn(Inline, name=name) for name in ("outer", "inner"))

    def run():
        assert on_a_thread(lambda: inner.ask(lambda: current_activity().path)) == "/inner"
        return current_activity().path

    assert outer.ask(run) == "/outer"


def test_a_thread_of_a_coroutine_knows_its_actor_and_may_ask_inline(system):
    inline = system.spawn(Inline, name="inline")

    class Threads(Actor):
        dispatcher = "async"

        async def on_receive(self, message):
            paths = [(await asyncio.to_thread(current_activity)).path]
            paths.append(await asyncio.to_thread(inline.ask, lambda: current_activity().path))
            paths.append(current_activity().path)
            return paths

    assert system.spawn(Threads, name="threads").ask("go", timeout=PATIENCE_S) == ["/threads", "/inline", "/threads"]


class Pinned(Inline):
    dispatcher = "pinned"
    inline = False


def test_threads_of_a_handler_that_end_their_waits_in_any_order_leave_none_behind(system):
    """A wait that is left behind would make a cycle out of every later ask of this actor by whom it asked."""
    parent, first, second = (system.spawn(Pinned, name=name) for name in ("parent", "first", "second"))
    steps = Steps()

    def ask_both():
        contexts = [contextvars.copy_context() for _ in range(2)]
        threads = [
            threading.Thread(target=context.run, args=(ask, ref))
            for context, ask, ref in zip(contexts, (steps.ask_first, steps.ask_second), (first, second), strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)

    parent.ask(ask_both, timeout=PATIENCE_S)

    for ref in (first, second):
        assert ref.ask(lambda: parent.ask(lambda: "no cycle"), timeout=PATIENCE_S) == "no cycle"
